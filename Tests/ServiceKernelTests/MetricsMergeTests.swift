import Testing

@testable import ServiceKernel

@Suite(.timeLimit(.minutes(1))) struct MetricsMergeTests {
    private func complaint(_ pages: String...) -> String {
        do throws(MetricsPageError) {
            _ = try MetricsPage.merged(pages)
            return ""
        } catch {
            return error.description
        }
    }

    @Test func valuesBecomeOneAsTheTableSays() throws {
        let first = """
            # HELP intelmq_events_sent_total Sent.
            # TYPE intelmq_events_sent_total counter
            intelmq_events_sent_total{edge="a"} 3
            intelmq_events_sent_total{edge="b, \\"c}"} 1
            # TYPE intelmq_edge_up gauge
            intelmq_edge_up{edge="a"} 1
            # TYPE intelmq_spool_oldest_seconds gauge
            intelmq_spool_oldest_seconds 1.5
            # TYPE unheard_of gauge
            unheard_of 7
            # TYPE unheard_of_total counter
            unheard_of_total 7
            untold 1 1700000000000

            """
        let second = """
            intelmq_events_sent_total{edge="a",} 4
            intelmq_edge_up{ edge="a"} 0
            intelmq_spool_oldest_seconds\t0.5
            unheard_of -Inf
            unheard_of_total 1e0
            # some remark
            more 1
            """
        let page = try MetricsPage.merged([first, second])
        #expect(
            page == """
                # HELP intelmq_events_sent_total Sent.
                # TYPE intelmq_events_sent_total counter
                intelmq_events_sent_total{edge="a"} 7
                intelmq_events_sent_total{edge="b, \\"c}"} 1
                # TYPE intelmq_edge_up gauge
                intelmq_edge_up{edge="a"} 0
                # TYPE intelmq_spool_oldest_seconds gauge
                intelmq_spool_oldest_seconds 1.5
                # TYPE unheard_of gauge
                unheard_of 7
                # TYPE unheard_of_total counter
                unheard_of_total 8
                # TYPE untold untyped
                untold 1
                # TYPE more untyped
                more 1

                """)
    }

    @Test func histogramsAreAddedBucketByBucket() throws {
        func page(_ buckets: [(String, Int)], labels: String = "") -> String {
            var text = "# TYPE intelmq_packet_duration_seconds histogram\n"
            for (le, count) in buckets {
                text += "intelmq_packet_duration_seconds_bucket{\(labels.isEmpty ? "" : labels + ",")le=\"\(le)\"} \(count)\n"
            }
            let braces = labels.isEmpty ? "" : "{\(labels)}"
            text += "intelmq_packet_duration_seconds_sum\(braces) 0.5\n"
            return text + "intelmq_packet_duration_seconds_count\(braces) \(buckets.last?.1 ?? 0)\n"
        }
        let one = page([("0.1", 1), ("1.0", 4), ("+Inf", 5)])
        #expect(try MetricsPage.merged([one]) == one)
        let both = try MetricsPage.merged([one, page([("0.1", 10), ("1", 40), ("+Inf", 50)])])
        #expect(both == page([("0.1", 11), ("1.0", 44), ("+Inf", 55)]).replacing("_sum 0.5", with: "_sum 1"))
        // A process of another version with other buckets: what both know stays right.
        let other = try MetricsPage.merged([one, page([("0.5", 7), ("1.0", 8), ("+Inf", 9)])])
        #expect(other == page([("1.0", 12), ("+Inf", 14)]).replacing("_sum 0.5", with: "_sum 1"))
        let apart = try MetricsPage.merged([one, page([("0.1", 2), ("+Inf", 2)], labels: "edge=\"a\"")])
        #expect(apart.contains("_bucket{le=\"1.0\"} 4\n") && apart.contains("_bucket{edge=\"a\",le=\"+Inf\"} 2\n"))
    }

    @Test func ownPagesStayWhatTheyAre() throws {
        let metrics = Metrics()
        metrics.eventLatency.observe(3, times: 5)
        metrics.count("intelmq_errors_total", 1, [("stage", "x"), ("code", "a\\b\"}\n ,é")])
        let page = metrics.page()
        #expect(try MetricsPage.merged([page]) == page)
        let twice = try MetricsPage.merged([page, page])
        #expect(twice.contains("intelmq_event_latency_seconds_count 10\n"))
        #expect(twice.contains("intelmq_event_latency_seconds_sum 30\n"))
        #expect(try MetricsPage.merged([]) == "")
        #expect(try MetricsPage.merged(["", page]) == page)
    }

    @Test func whatCannotBeReadIsNamed() {
        #expect(complaint("a 1\nb{ 2\n").hasPrefix("page 1, line 2: the labels cannot be read; found \"b{ 2\""))
        #expect(complaint("a 1", "a\n").hasPrefix("page 2, line 1: no value"))
        #expect(complaint("9a 1").contains("no name"))
        #expect(complaint("a nonsense").contains("no value"))
        #expect(complaint("a 0x10").contains("no value"))
        #expect(complaint("a infinity").contains("no value"))
        #expect(complaint("a 1 2 3").contains("no value"))
        #expect(complaint("a{b=\"c} 1").contains("labels"))
        #expect(complaint("a{b=\"c\\\"} 1").contains("labels"))
        #expect(complaint("a{b=\"c\\").contains("labels"))
        #expect(complaint("a{b=c} 1").contains("labels"))
        #expect(complaint("a{\"b\"} 1").contains("labels"))
        #expect(complaint("a 1\na 2").contains("a second time"))
        #expect(complaint("# TYPE a summary\n").contains("\"summary\""))
        #expect(complaint("# TYPE a histogram\na_bucket{le=\"1\"} 1\n").contains("cut short"))
        #expect(complaint("# TYPE a histogram\na_bucket 1\n").contains("without le"))
        #expect(complaint("# TYPE a histogram\na_bucket{le=\"2\"} 1\na_bucket{le=\"1\"} 1\n").contains("do not rise"))
        #expect(complaint("# TYPE a histogram\na 1\n").contains("histogram"))
        #expect(complaint("<html>\u{1B}[2J").contains("�[2J"), "nothing that a terminal obeys")
        // Whatever comes, it is read or refused.
        let page = Metrics().page()
        for length in stride(from: 0, to: page.count, by: 97) { _ = complaint(String(page.prefix(length))) }
        for (index, line) in page.split(separator: "\n").enumerated() where index % 3 == 0 {
            for cut in 0..<min(line.count, 40) { _ = complaint(page + line.dropFirst(cut)) }
        }
    }
}

/// Several processes of one worker, over restarts.
@Suite(.timeLimit(.minutes(1))) struct MetricsSumTests {
    /// The page of a process.
    private func page(since start: String, received: Int, accepted: Int = 0, memory: Int = 0, slow: Int = 0) -> String {
        """
        # TYPE intelmq_events_received_total counter
        intelmq_events_received_total \(received)
        # TYPE intelmq_edge_events_accepted_total counter
        intelmq_edge_events_accepted_total{edge="a"} \(accepted)
        # TYPE intelmq_packet_duration_seconds histogram
        intelmq_packet_duration_seconds_bucket{le="1.0"} \(received - slow)
        intelmq_packet_duration_seconds_bucket{le="+Inf"} \(received)
        intelmq_packet_duration_seconds_sum \(received)
        intelmq_packet_duration_seconds_count \(received)
        # TYPE process_resident_memory_bytes gauge
        process_resident_memory_bytes \(memory)
        # TYPE process_start_time_seconds gauge
        process_start_time_seconds \(start)

        """
    }

    @Test func whatAProcessHasCountedStaysWhenItStartsAgain() {
        var sum = MetricsSum()
        sum.take(page(since: "1.5", received: 100, accepted: 1000, memory: 7, slow: 1), of: 0)
        sum.take(page(since: "1.5", received: 40, accepted: 400, memory: 8), of: 1)
        #expect(sum.text.contains("intelmq_events_received_total 140\n"))
        // It starts again, twice; the other goes on. The sum never falls: Prometheus would count all of it anew.
        sum.take(page(since: "9.5", received: 3, accepted: 1003, memory: 1), of: 0)
        sum.take(page(since: "1.5", received: 41, accepted: 401, memory: 8), of: 1)
        #expect(sum.text.contains("intelmq_events_received_total 144\n"))
        sum.take(page(since: "9.5", received: 5, accepted: 1005, memory: 1), of: 0)
        sum.take(page(since: "11", received: 2, accepted: 1007, memory: 2, slow: 2), of: 0)
        #expect(sum.text.contains("intelmq_events_received_total 148\n"))
        #expect(sum.text.contains("intelmq_packet_duration_seconds_bucket{le=\"1.0\"} 145\n"))
        #expect(sum.text.contains("intelmq_packet_duration_seconds_count 148\n"))
        // The spool's accounts and the memory are those of now.
        #expect(sum.text.contains("intelmq_edge_events_accepted_total{edge=\"a\"} 1408\n"))
        #expect(sum.text.contains("process_resident_memory_bytes 10\n"))
    }

    @Test func aPageThatCannotBeReadIsNoEnd() {
        var sum = MetricsSum()
        #expect(sum.text == "")
        sum.take("nonsense {", of: 0)
        #expect(sum.text == "")
        sum.take(page(since: "1", received: 2), of: 0)
        #expect(sum.text.contains("intelmq_events_received_total 2\n"))
    }
}
