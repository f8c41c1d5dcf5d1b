import IDF
import ServiceKernelTesting
import Spool
import Synchronization
import TestSupport
import Testing

@testable import ServiceKernel

@Suite struct RelayTests {
    @Test func answersWhenEveryEdgeHasIt() async throws {
        let a = RecordingChannel()
        let b = RecordingChannel()
        let service = try service("obedient-expert", edges: [("a", a), ("b", b)])
        let answer = await service.take(packet("one", "drop", "two"))
        #expect(answer.status == 200)
        #expect(answer.accepted == 3)
        #expect(a.messages == ["one", "two"])
        #expect(b.messages == ["one", "two"])
        #expect(a.packets[0].meta.hops == 1)
        #expect(service.metrics.value("intelmq_events_dropped_total", [("reason", "told-to")]) == 1)
        #expect(service.metrics.value("intelmq_events_received_total") == 3)
        #expect(service.metrics.value("intelmq_events_sent_total", [("edge", "a")]) == 2)
    }

    @Test func oneEdgeDownIsNotAnAcknowledgement() async throws {
        let up = RecordingChannel()
        let down = RecordingChannel { _, _ in .later("nobody there", afterSeconds: 9) }
        let service = try service("obedient-expert", edges: [("up", up), ("down", down)])
        let packet = packet("one", "drop")
        let refused = await service.take(packet)
        #expect(refused.status == 503)
        #expect(refused.retryAfter == 9)
        #expect(refused.problems.first?.code == "next-hop")
        #expect(refused.problems.first?.detail.contains("down") == true)
        #expect(service.metrics.value("intelmq_events_received_total") == 0)
        #expect(service.metrics.value("intelmq_events_dropped_total") == 0, "what was not accepted is not counted")
        guard case .expert(let expert as ObedientExpert) = service.role else { return }
        #expect(expert.released.value == 1)
        // The sender still has it and comes again.
        down.answer { _, _ in .delivered }
        #expect(await service.take(packet).status == 200)
        #expect(down.messages == ["one"])
        #expect(up.events.map(\.id) == [packet.events[0].id, packet.events[0].id], "at least once, with the same id")
    }

    @Test func otherEventsAreAnotherPacket() async throws {
        let channel = RecordingChannel()
        let service = try service("obedient-expert", edges: [("a", channel)])
        var given = packet("one")
        given.events.append(packet("two").events[0])
        #expect(await service.take(given).status == 200)
        #expect(await service.take(given).status == 200)
        given.events.removeLast()
        #expect(await service.take(given).status == 200)
        let ids = channel.packets.map(\.meta.id)
        #expect(ids.count == 3 && ids[0] == ids[1] && ids[0] != ids[2])
    }

    /// After a reload a report that comes again may be cut otherwise.
    @Test func aPartIsOnlyTakenForTheSamePart() async throws {
        let report = Report(content: Array("1\n2\n3\n4\n5\n".utf8))
        var seen: [UUID: [UUID]] = [:]
        var repeats = 0
        for batch in [2, 3, 2, 5, 1] {
            let channel = RecordingChannel()
            let parser = try service("line-parser", edges: [("a", channel)]) { $0.limits.batch = batch }
            #expect(await parser.take(report).status == 200)
            for packet in channel.packets {
                let events = packet.events.map(\.id)
                if let known = seen.updateValue(events, forKey: packet.meta.id) {
                    #expect(known == events)
                    repeats += 1
                }
            }
        }
        #expect(repeats >= 3, "cut alike they are the same packets")
    }

    @Test func aCollectorTriesAgainWithTheSameReport() async throws {
        let lines = RecordedLines()
        let (up, late) = (
            RecordingChannel(), RecordingChannel { _, tries in tries < 2 ? .later("away", afterSeconds: 0) : .delivered }
        )
        let collector = try service("obedient-expert", edges: [("up", up), ("late", late)], lines: lines)
        let report = Report(content: Array("1\n".utf8))
        try await collector.hand(report)
        #expect(up.attempts == 1, "who has it is not asked again")
        #expect(late.attempts == 2)
        #expect((up.packets + late.packets).allSatisfy { $0.reports.map(\.id) == [report.id] })
        #expect(lines.all.count { $0.contains("a report waits for its next hop: edge late: away") } == 1)
    }

    /// In a later round the collector makes another report of the same bytes.
    @Test func aRefusedReportIsTheSameInTheNextRound() async throws {
        let tried = Mutex<[(packet: UUID, report: UUID)]>([])
        let choosy = RecordingChannel { packet, tries in
            tried.withLock { $0.append((packet.meta.id, packet.reports[0].id)) }
            return tries < 3 ? .refused(status: 413, "too large") : .delivered
        }
        let up = RecordingChannel()
        let collector = try service("obedient-expert", edges: [("up", up), ("choosy", choosy)])
        for _ in 0..<2 {
            await #expect(throws: Rejection.malformed("edge choosy: too large")) {
                try await collector.hand(Report(content: Array("1\n".utf8)))
            }
        }
        // Taken by all, and handed on again as long as something else of the round is not taken.
        for _ in 0..<2 { try await collector.hand(Report(content: Array("1\n".utf8))) }
        #expect(choosy.attempts == 3)
        #expect(up.attempts == 1, "who has it is not asked again")
        try await collector.hand(Report(content: Array("2\n".utf8)))
        // A round that ends well is over.
        collector.handed.withLock { $0 = [:] }
        try await collector.hand(Report(content: Array("1\n".utf8)))
        #expect(choosy.attempts == 5)
        let ids = tried.withLock { $0 }
        #expect(Set(ids[..<3].map(\.report)).count == 1 && Set(ids[..<3].map(\.packet)).count == 1)
        #expect(Set(ids[2...].map(\.report)).count == 3)
    }

    @Test func aWaitingReportEndsWithTheService() async throws {
        let collector = try service(
            "obedient-expert", edges: [("a", RecordingChannel { _, _ in .later("no", afterSeconds: nil) })])
        let waiting = Task { () -> Bool in
            do { try await collector.hand(Report(content: Array("1\n".utf8))) } catch {
                return (error as? Rejection)?.isTemporary == true
            }
            return false
        }
        try await Task.sleep(for: .milliseconds(50))
        collector.drain()
        #expect(await waiting.value)
    }

    @Test func anyTimeOfIntakeIsHarmless() async throws {
        let service = try service("obedient-expert", edges: [("a", RecordingChannel())])
        var text = String(decoding: packet("one").encoded(), as: UTF8.self)
        text = text.replacing("\"hops\":0", with: "\"hops\":0,\"intake-at\":\"1700-01-01T00:00:00Z\"")
        #expect(await service.take(bytes: Array(text.utf8)).status == 200)
    }

    @Test func noEdgesAndNoEvents() async throws {
        // Without a way out nothing may be taken: it would be lost.
        #expect(await (try service("obedient-expert")).take(packet("one")).status == 503)
        let channel = RecordingChannel()
        let service = try service("obedient-expert", edges: [("a", channel)])
        #expect(await service.take(packet("drop")).status == 200)
        #expect(await service.take(Packet()).status == 200)
        #expect(channel.attempts == 0)
    }

    @Test func aBadEventIsFoundAndTheRestDelivered() async throws {
        let folder = TemporaryFolder()
        let channel = RecordingChannel.refusing { $0[Key<String>("message")]?.hasPrefix("bad") == true }
        let service = try service("obedient-expert", edges: [("a", channel)], state: folder)
        let messages = (0..<50).map { $0 == 17 || $0 == 42 ? "bad \($0)" : "good \($0)" }
        var given = Packet()
        given.events = messages.map { message in
            var event = Event()
            event[Key<String>("message")] = message
            return event
        }
        let answer = await service.take(given)
        #expect(answer.status == 200)
        #expect(channel.messages.sorted() == messages.filter { $0.hasPrefix("good") }.sorted())
        let letters = try await #require(service.spool).deadLetters(limit: 10, after: nil).map(\.letter)
        #expect(Set(letters.map(\.eventID)) == [given.events[17].id.description, given.events[42].id.description])
        #expect(letters.allSatisfy { $0.edge == "a" && $0.detail.contains("422") && !$0.original.isEmpty })
        #expect(Set(channel.packets.map(\.meta.id)).count == channel.packets.count, "halves are packets of their own")
        await service.close()
    }

    @Test func whoHasNoGraveRefusesThePacket() async throws {
        let refusing = RecordingChannel.refusing { _ in true }
        let answer = await (try service("obedient-expert", edges: [("a", refusing)])).take(packet("one", "two"))
        #expect(answer.status == 422)
        #expect(answer.problems.first?.code == "next-hop")
        #expect(refusing.attempts == 1, "splitting is left to who can keep what it finds")
        let channel = RecordingChannel()
        let own = await (try service("obedient-expert", edges: [("a", channel)])).take(packet("one", "malformed"))
        #expect(own.status == 422)
        #expect(own.problems.first?.code == "malformed")
        #expect(channel.attempts == 0)
    }

    @Test func theHopBeforeFindsAndKeepsTheBadEvent() async throws {
        let folder = TemporaryFolder()
        let channel = RecordingChannel.refusing { $0[Key<String>("message")] == "bad" }
        let last = try service("obedient-expert", edges: [("a", channel)])
        let middle = try service("obedient-expert", edges: [("last", InProcessChannel(target: last))])
        let first = try service("obedient-expert", edges: [("middle", InProcessChannel(target: middle))], state: folder)
        let given = packet("one", "bad", "two", "three")
        #expect(await first.take(given).status == 200)
        #expect(channel.messages.sorted() == ["one", "three", "two"])
        let letters = try await #require(first.spool).deadLetters(limit: 10, after: nil).map(\.letter)
        #expect(letters.map(\.eventID) == [given.events[1].id.description])
        #expect(letters.allSatisfy { $0.edge == "middle" && $0.detail.contains("edge last") && $0.detail.contains("edge a") })
        await first.close()
    }

    @Test func temporaryRejectionsStopThePacket() async throws {
        let channel = RecordingChannel()
        let service = try service("obedient-expert", edges: [("a", channel)])
        let away = await service.take(packet("one", "unavailable", "two"))
        #expect(away.status == 503)
        #expect(away.retryAfter == 1)
        let limited = await service.take(packet("one", "limited"))
        #expect(limited.status == 429)
        #expect(limited.retryAfter == 7)
        #expect(channel.attempts == 0)
        guard case .expert(let expert as ObedientExpert) = service.role else { return }
        #expect(expert.released.value == 2)
    }

    @Test func failedEventsAreNamedAndKept() async throws {
        let folder = TemporaryFolder()
        let channel = RecordingChannel()
        let service = try service("obedient-expert", edges: [("a", channel)], state: folder)
        let answer = await service.take(packet("one", "malformed", "two"))
        #expect(answer.status == 200)
        #expect(answer.failed.map(\.index) == [1])
        #expect(answer.failed.first?.code == "malformed")
        #expect(channel.messages == ["one", "two"])
        let letters = try await #require(service.spool).deadLetters(limit: 10, after: nil)
        #expect(letters.count == 1)
        #expect(String(decoding: letters[0].letter.original, as: UTF8.self).contains("malformed"))
        #expect(service.metrics.value("intelmq_events_dead_lettered_total", [("code", "malformed")]) == 1)
        await service.close()
    }

    @Test func wrongResources() async throws {
        #expect(await (try service("obedient-expert")).take(Packet(reports: [Report(content: [1])])).status == 422)
        #expect(await (try service("line-parser")).take(packet("one")).status == 422)
    }

    @Test func stoppingServicesTakeNothing() async throws {
        let service = try service("obedient-expert")
        service.drain()
        let answer = await service.take(packet("one"))
        #expect(answer.status == 503)
        #expect(answer.retryAfter != nil)
    }
}

@Suite struct DurableTests {
    @Test func accepted202IsDeliveredAfterRestart() async throws {
        let folder = TemporaryFolder()
        let down = RecordingChannel { _, _ in .later("nobody there", afterSeconds: nil) }
        let first = try service("obedient-expert", edges: [("a", down), ("b", down)], state: folder) { $0.ack = .durable }
        let packet = packet("one", "two")
        #expect(await first.take(packet).status == 202)
        #expect(await first.take(packet).status == 202, "the same packet again")
        #expect(down.attempts == 0)
        #expect(first.spool?.status().packets == 1, "the same packet again has no effect")
        await first.close()

        let a = RecordingChannel()
        let b = RecordingChannel { _, attempt in attempt < 3 ? .later("not yet", afterSeconds: nil) : .delivered }
        let second = try service("obedient-expert", edges: [("a", a), ("b", b)], state: folder) { $0.ack = .durable }
        let pumps = second.edges.map { edge in Task { await second.pump(edge) } }
        #expect(await eventually { a.messages == ["one", "two"] && b.messages == ["one", "two"] })
        #expect(await eventually { second.spool?.status().packets == 0 })
        #expect(a.attempts == 1)
        #expect(b.attempts == 3)
        await second.close()
        for pump in pumps { await pump.value }
    }

    @Test func oneEdgeDownDoesNotDelayTheOther() async throws {
        let folder = TemporaryFolder()
        let up = RecordingChannel()
        let down = RecordingChannel { _, _ in .later("nobody there", afterSeconds: nil) }
        let service = try service("obedient-expert", edges: [("up", up), ("down", down)], state: folder) { $0.ack = .durable }
        let pumps = service.edges.map { edge in Task { await service.pump(edge) } }
        for index in 0..<20 { #expect(await service.take(packet("\(index)")).status == 202) }
        #expect(await eventually { up.messages.count == 20 })
        #expect(down.messages.isEmpty)
        #expect(service.spool?.status().edges.first { $0.name == "down" }?.backlogEvents == 20)
        service.drain()
        // Once the service stops, a dead edge is not tried again and again.
        try await Task.sleep(for: .milliseconds(300))
        let before = down.attempts
        try await Task.sleep(for: .milliseconds(300))
        #expect(down.attempts - before < 50, "a dead edge is hammered while the service stops")
        for pump in pumps { pump.cancel() }
        await service.close()
        for pump in pumps { await pump.value }
    }

    /// What was acknowledged with 202 reaches its edges also when the service has become a relay since.
    @Test func aBacklogOutlivesTheAckMode() async throws {
        let folder = TemporaryFolder()
        let first = try service("obedient-expert", edges: [("a", RecordingChannel())], state: folder) { $0.ack = .durable }
        #expect(await first.take(packet("one")).status == 202)
        await first.close()
        let channel = RecordingChannel()
        let second = try service("obedient-expert", edges: [("a", channel)], state: folder)
        try #require(second.spool != nil)
        let pump = Task { await second.pump(second.edges[0]) }
        #expect(await second.take(packet("two")).status == 200)
        #expect(await eventually { channel.messages.sorted() == ["one", "two"] })
        await second.close()
        await pump.value
    }

    @Test func aFullSpoolRefuses() async throws {
        let folder = TemporaryFolder()
        let service = try service("obedient-expert", edges: [("a", RecordingChannel())], state: folder) {
            $0.ack = .durable
            $0.limits.spool = ByteCount(bytes: 2000)
        }
        var statuses: [Int] = []
        for _ in 0..<10 { statuses.append(await service.take(packet("one")).status) }
        #expect(statuses.first == 202)
        #expect(statuses.last == 507)
        #expect(await service.take(packet("one")).retryAfter != nil)
        await service.close()
    }

    @Test func needsAFolder() {
        #expect(throws: ConfigurationError.self) {
            try service("obedient-expert", edges: [("a", RecordingChannel())]) { $0.ack = .durable }
        }
    }
}

@Suite struct ReportTests {
    /// What is not for this parser is refused with few words, and takes little memory until then.
    @Test func aReportOfNothingButBadRowsIsRefused() async throws {
        let folder = TemporaryFolder()
        let service = try service("line-parser", edges: [("a", RecordingChannel())], state: folder) { $0.ack = .durable }
        let answer = await service.take(Report(content: Array(String(repeating: "bad\n", count: 10_001).utf8)))
        #expect(answer.status == 422)
        #expect(
            answer.problems.first?.detail.hasPrefix("10000 rows cannot be read, the first: line 1: a bad row; is this") == true)
        #expect(try await #require(service.spool).deadLetters(limit: 10, after: nil).isEmpty)
        await service.close()
        var events = ParsedEvents(report: Report(content: []))
        let row = [UInt8](repeating: 0x61, count: 8 << 20)
        for line in 1...8 {
            #expect(!events.isFull)
            events.reject(row, line: line, .malformed("long"))
        }
        #expect(events.isFull)
    }

    @Test(arguments: [false, true]) func oneBadRowIsADeadLetter(_ durable: Bool) async throws {
        let folder = TemporaryFolder()
        let channel = RecordingChannel()
        let service = try service("line-parser", edges: [("a", channel)], state: folder) {
            $0.ack = durable ? .durable : .relay
            $0.limits.batch = 3
        }
        let pump = Task { await service.pump(service.edges[0]) }
        var report = Report(content: Array("a\nb\nbad\nc\nd\ne".utf8))
        report.fields[.feedName] = "F"
        let answer = await service.take(report)
        #expect(answer.status == (durable ? 202 : 200))
        #expect(answer.accepted == 5)
        #expect(answer.failed.map(\.index) == [3])
        #expect(await eventually { channel.messages.sorted() == ["a", "b", "c", "d", "e"] })
        #expect(channel.packets.allSatisfy { $0.events.count <= 3 })
        #expect(channel.events.allSatisfy { $0[.feedName] == "F" && $0[.created] != nil && $0.originalBytes != nil })
        let letters = try await #require(service.spool).deadLetters(limit: 10, after: nil)
        let kept = try letters.flatMap { try Packet(decoding: $0.letter.original).reports }
        #expect(kept.map(\.content.array) == [Array("bad".utf8)] && kept.first?.fields[.feedName] == "F")
        #expect(letters.first?.letter.detail.contains("line 3") == true)
        #expect(service.metrics.value("intelmq_events_received_total") == 6)
        await service.close()
        await pump.value
    }

    @Test func aBadReportIsRefusedWhole() async throws {
        let folder = TemporaryFolder()
        let channel = RecordingChannel()
        let service = try service("line-parser", edges: [("a", channel)], state: folder) { $0.ack = .durable }
        let answer = await service.take(Report(content: Array("a\nb\nstop\n".utf8)))
        #expect(answer.status == 422)
        #expect(service.spool?.status().packets == 0)
        await service.close()
    }

    @Test func aDeadEdgeRefusesTheReport() async throws {
        let down = RecordingChannel { _, _ in .later("nobody there", afterSeconds: nil) }
        let service = try service("line-parser", edges: [("a", down)]) { $0.limits.batch = 1 }
        let lines = Array(String(repeating: "x\n", count: 5000).utf8)
        #expect(await service.take(Report(content: lines)).status == 503)
    }

    @Test func stopsAfterSoMany() async throws {
        let channel = RecordingChannel()
        let service = try service("line-parser", edges: [("a", channel)])
        #expect(await service.take(Report(content: Array("a\nb\nc\nd".utf8)), limit: 2).accepted == 2)
        #expect(channel.messages == ["a", "b"])
    }

    @Test func manyBatchesKeepTheirEvents() async throws {
        let channel = RecordingChannel()
        let service = try service("line-parser", edges: [("a", channel)]) { $0.limits.batch = 7 }
        let lines = (0..<3000).map { "\($0)" }
        let answer = await service.take(Report(content: Array(lines.joined(separator: "\n").utf8)))
        #expect(answer.accepted == 3000)
        #expect(Set(channel.messages) == Set(lines))
    }
}

@Suite struct OutputTests {
    @Test func rejectedEventsBecomeDeadLetters() async throws {
        let folder = TemporaryFolder()
        let service = try service("memory-output", state: folder)
        let answer = await service.take(packet("one", "bad", "two"))
        #expect(answer.status == 200)
        #expect(answer.failed.map(\.index) == [1])
        #expect(service.spool?.deadLetterCount() == 1)
        #expect(await service.take(packet("one", "away")).status == 503)
        await service.close()
    }
}
