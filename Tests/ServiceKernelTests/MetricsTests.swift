import Glibc
import HTTP
import IDF
import ServiceKernelTesting
import Synchronization
import Testing
import YAML

@testable import ServiceKernel

@Suite(.timeLimit(.minutes(2))) struct MetricsTests {
    @Test func familiesAreWellFormed() {
        for family in MetricsFamily.all {
            let name = family.name
            #expect(name.hasPrefix("intelmq_") || name.hasPrefix("process_"))
            #expect(name.hasSuffix("_total") == (family.type == .counter), "\(name)")
            let base = family.type == .counter ? String(name.dropLast("_total".count)) : name
            #expect(family.unit.isEmpty || base.hasSuffix("_\(family.unit)"), "OpenMetrics wants the unit at the end of \(name)")
            #expect(!family.help.isEmpty && !family.help.contains { "\\\"\n|".contains($0) }, "\(name)")
            #expect(family.type == .gauge || family.merge == .sum, "counts of several processes are added: \(name)")
        }
        #expect(Set(MetricsFamily.all.map(\.name)).count == MetricsFamily.all.count)
        for bounds in [MetricsFamily.durations, MetricsFamily.latencies] {
            #expect(bounds == bounds.sorted() && bounds.count <= Histogram.mostBounds)
        }
    }

    @Test func bothFormats() throws {
        let metrics = Metrics()
        metrics.count("intelmq_errors_total", 2, [("stage", "send"), ("code", "a\"b\\c\nd")])
        metrics.set("intelmq_build_info", 1, [("version", "1")])
        metrics.packetDuration.observe(0.3)
        metrics.packetDuration.observe(1)
        metrics.packetDuration.observe(1e9)
        let text = metrics.page().split(separator: "\n").map(String.init)
        #expect(text.contains("# TYPE intelmq_errors_total counter"))
        #expect(text.contains(#"intelmq_errors_total{stage="send",code="a\"b\\c\nd"} 2"#))
        #expect(text.contains("# TYPE intelmq_build_info gauge"))
        for line in [
            #"intelmq_packet_duration_seconds_bucket{le="0.25"} 0"#, #"intelmq_packet_duration_seconds_bucket{le="0.5"} 1"#,
            #"intelmq_packet_duration_seconds_bucket{le="1.0"} 2"#, #"intelmq_packet_duration_seconds_bucket{le="60.0"} 2"#,
            #"intelmq_packet_duration_seconds_bucket{le="+Inf"} 3"#, "intelmq_packet_duration_seconds_sum 1000000001.3",
            "intelmq_packet_duration_seconds_count 3",
        ] {
            #expect(text.contains(line), "\(line)")
        }
        let (type, body) = metrics.answer(accept: "application/openmetrics-text; version=1.0.0")
        #expect(type == "application/openmetrics-text; version=1.0.0; charset=utf-8")
        let open = body.split(separator: "\n").map(String.init)
        #expect(body.hasSuffix("# EOF\n"))
        #expect(open.contains("# TYPE intelmq_errors counter"))
        #expect(open.contains(#"intelmq_errors_total{stage="send",code="a\"b\\c\nd"} 2"#))
        #expect(open.contains("# TYPE intelmq_build info"))
        #expect(open.contains("# UNIT intelmq_packet_duration_seconds seconds"))
        #expect(open.contains("# TYPE process_cpu_seconds counter"))
        // Prometheus may read the one or the other: they must be the same series.
        func samples(_ lines: [String]) -> [Substring] {
            lines.filter { !$0.hasPrefix("#") && !$0.hasPrefix("process_") }.compactMap { $0.split(separator: " ").first }
        }
        #expect(samples(text) == samples(open))
        #expect(metrics.answer(accept: nil).contentType == "text/plain; version=0.0.4; charset=utf-8")
    }

    @Test(
        arguments: [
            (nil, false), ("", false), ("*/*", false), ("text/plain", false), ("text/html", false),
            ("application/openmetrics-text", true), ("application/openmetrics-text;version=\"1.0.0\"", true),
            ("Application/OpenMetrics-Text ; Version=1.0.0 ; Q=0.4, text/plain;q=0.5", false),
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                true
            ),
            ("application/openmetrics-text;version=0.0.1", false), ("application/openmetrics-text;q=0", false),
            ("application/openmetrics-text;q=0, */*", false), ("application/openmetrics-text;q=nonsense", false),
            ("text/*;q=0.2, application/openmetrics-text;q=0.3", true), ("text/plain, application/openmetrics-text;q=0.9", false),
            ("application/*", true), (String(repeating: ",;=q", count: 10_000), false),
        ] as [(String?, Bool)])
    func theClientChoosesTheFormat(_ accept: String?, _ isOpen: Bool) {
        #expect(MetricsPage.wantsOpenMetrics(accept) == isOpen)
    }

    @Test func countingFromManyThreads() async {
        let counter = Counter()
        let histogram = Histogram([1, 2])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<10_000 {
                        counter.add(2)
                        histogram.observe(1.5, times: 3)
                    }
                }
            }
        }
        #expect(counter.value == 160_000)
        #expect(histogram.count == 240_000)
        #expect(histogram.buckets.counts.map(\.count) == [0, 240_000, 240_000])
        #expect(histogram.buckets.sum == 360_000)
    }

    @Test func theProcess() {
        let process = ProcessMeasures()
        #expect((process["process_resident_memory_bytes"] ?? 0) > 1e6)
        #expect((process["process_open_fds"] ?? 0) >= 3)
        #expect((process["process_cpu_seconds_total"] ?? 0) > 0)
        let age = Double(Timestamp.now().nanoseconds) / 1e9 - (process["process_start_time_seconds"] ?? 0)
        #expect((-5...86400).contains(age))
        let descriptor = open("/dev/null", O_RDONLY)
        defer { close(descriptor) }
        #expect((process["process_max_fds"] ?? 0) > Double(descriptor))
    }

    @Test func requestsByRoute() {
        let durations = RequestDurations()
        for (path, status) in [
            ("/v1/lookup/192.0.2.1", 200), ("/v1/lookup/x/y", 422), ("/v1/packets", 202), ("/nowhere/\(UUID.v7())", 404),
            ("/elsewhere", 404), ("/readyz", 503), ("/metrics", 999),
        ] {
            durations.count(path, status, since: .now)
        }
        let labels = durations.histograms.map(\.labels)
        #expect(labels.contains(#"route="lookup",status="2xx""#) && labels.contains(#"route="lookup",status="4xx""#))
        #expect(labels.contains(#"route="packets",status="2xx""#) && labels.contains(#"route="health",status="5xx""#))
        #expect(durations.histograms.first { $0.labels == #"route="other",status="4xx""# }?.histogram.count == 2)
        #expect(durations.totals.map(\.value) == [2, 3, 2])
    }
}

/// A database for tests.
private struct OldDatabase: SettingValue {
    init() {}
    init(setting node: YAMLNode) throws(SettingProblem) {}
    static var schema: JSONValue { .object([]) }
    var sample: String { "x" }
    var madeAt: Int64? { 1_700_000_000 }
}

private struct DatabaseExpert: Expert {
    static let spec = Spec("database", "Has a database.")
    @Setting("The database.") var table: OldDatabase? = OldDatabase()
    @Setting("No database.") var words = "x"
    func process(_ event: inout Event) throws(Rejection) -> Verdict { .forward }
}

@Suite(.timeLimit(.minutes(2))) struct ServiceMetricsTests {
    private func lines(_ service: Service) -> [String] { service.metrics.page().split(separator: "\n").map(String.init) }

    @Test func hopsEventsAndEdges() async throws {
        let channel = RecordingChannel()
        let service = try service("obedient-expert", edges: [("a", channel)])
        #expect(lines(service).contains(#"intelmq_events_sent_total{edge="a"} 0"#), "counts begin at nothing, to be seen rising")
        #expect(lines(service).contains(#"intelmq_events_dead_lettered_total{code="malformed"} 0"#))
        var given = packet("one", "two", "drop")
        given.meta.intakeAt = Timestamp(nanoseconds: Timestamp.now().nanoseconds - 20_000_000_000)
        #expect(await service.take(given).status == 200)
        channel.answer { _, _ in .later("away", afterSeconds: nil) }
        #expect(await service.take(packet("three")).status == 503)
        let page = lines(service)
        #expect(page.contains(#"intelmq_hop_latency_seconds_count{edge="a"} 1"#), "a hop that does not answer has no latency")
        #expect(page.contains("intelmq_packet_duration_seconds_count 2"))
        #expect(page.contains(#"intelmq_event_latency_seconds_bucket{le="10.0"} 0"#))
        #expect(page.contains(#"intelmq_event_latency_seconds_bucket{le="60.0"} 3"#), "once for each event")
        #expect(page.contains(#"intelmq_edge_up{edge="a"} 0"#))
        #expect(!page.contains { $0.hasPrefix("intelmq_last_event") }, "experts are no feeds")
        channel.answer { _, _ in .delivered }
        #expect(await service.take(packet("three")).status == 200)
        #expect(lines(service).contains(#"intelmq_edge_up{edge="a"} 1"#))
    }

    @Test func feedsAndDatabases() async throws {
        let parser = try service("line-parser", edges: [("a", RecordingChannel())])
        #expect(lines(parser).contains("intelmq_last_event_timestamp_seconds 0"))
        #expect(await parser.take(Report(content: Array("\n".utf8))).status == 200)
        #expect(parser.metrics.lastData == 0, "a report without events is a feed without data")
        let before = Double(Timestamp.now().nanoseconds / 1_000_000) / 1000
        #expect(await parser.take(Report(content: Array("one\n".utf8))).status == 200)
        #expect(parser.metrics.lastData >= before)
        var configuration = ServiceConfiguration(RosterEntry(DatabaseExpert.self))
        configuration.ack = .relay
        let expert = try Service(configuration, edges: [], log: .recording())
        let found = lines(expert).filter { $0.hasPrefix("intelmq_database") }
        #expect(found == [#"intelmq_database_timestamp_seconds{setting="table"} 1700000000"#])
    }

    @Test func theSpool() async throws {
        let folder = TemporaryFolder()
        let service = try service("obedient-expert", edges: [("a", RecordingChannel())], state: folder) { $0.ack = .durable }
        #expect(await service.take(packet("one")).status == 202)
        let page = lines(service)
        #expect(page.contains("intelmq_spool_packets 1"))
        #expect(page.contains("intelmq_spool_limit_bytes 4294967296"))
        await service.close()
    }
}
