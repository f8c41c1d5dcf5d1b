import HTTP
import IDF
import ServiceKernelTesting
import Spool
import Synchronization
import TestSupport
import Testing

@testable import ServiceKernel

@Suite struct DeadLetterTests {
    let folder = TemporaryFolder()

    /// A service whose edge refuses what begins with "bad" until told otherwise, with two dead letters of delivery and one of its own.
    private func filled(_ channel: RecordingChannel) async throws -> (service: Service, control: ControlHandler) {
        let service = try service("obedient-expert", edges: [("a", channel)], state: folder)
        #expect(await service.take(packet("good", "bad one", "malformed", "bad two")).status == 200)
        return (service, ControlHandler(service))
    }

    private func call(
        _ control: ControlHandler, _ method: HTTPMethod, _ path: String, _ query: [(String, String)] = [], _ body: [UInt8] = []
    ) async throws -> (status: Int, value: JSONValue) {
        let answer = await control.answer(method, path, query, body)
        return (answer.status, try JSONValue(parsing: answer.body))
    }

    @Test func listedWithFilters() async throws {
        let (service, control) = try await filled(.refusing { $0[Key<String>("message")]?.hasPrefix("bad") == true })
        let all = try await call(control, .get, "/v1/dead-letters").value
        #expect(all["meta"]?["total"]?.integer == 3)
        let edge = try await call(control, .get, "/v1/dead-letters", [("edge", "a")]).value
        #expect(edge["data"]?.items?.count == 2)
        let text = try await call(control, .get, "/v1/dead-letters", [("text", "BAD TWO")]).value["data"]?.items ?? []
        #expect(text.count == 1)
        let letter = text.first?["attributes"]
        #expect(letter?["edge"]?.string == "a" && letter?["code"]?.string == "malformed" && letter?["tries"]?.integer == 1)
        #expect(letter?["original"]?.string?.contains("bad two") == true && letter?["first-time"]?.string != nil)
        let code = try await call(control, .get, "/v1/dead-letters", [("code", "other")]).value
        #expect(code["data"]?.items?.isEmpty == true)
        let wrong = try await call(control, .get, "/v1/dead-letters", [("colour", "red")])
        #expect(wrong.status == 422 && wrong.value["errors"]?.items?.first?["detail"]?.string?.contains("colour") == true)
        #expect(try await call(control, .get, "/v1/dead-letters/77").status == 404)
        await service.close()
    }

    @Test func replayedOneByOneAndByQuery() async throws {
        let channel = RecordingChannel.refusing { $0[Key<String>("message")]?.hasPrefix("bad") == true }
        let (service, control) = try await filled(channel)
        let ids = try await call(control, .get, "/v1/dead-letters", [("edge", "a")]).value["data"]?.items?.compactMap {
            $0["id"]?.string
        }
        let first = try #require(ids?.first)
        // Still refused: the letter stays and counts the try.
        let again = try await call(control, .post, "/v1/dead-letters/\(first)/replay").value
        #expect(again["meta"]?["replayed"]?.integer == 0 && again["meta"]?["failed"]?.items?.count == 1)
        let kept = try await call(control, .get, "/v1/dead-letters/\(first)").value["data"]?["attributes"]
        #expect(kept?["tries"]?.integer == 2)
        // Nobody there: nothing changes.
        channel.answer { _, _ in .later("nobody there", afterSeconds: nil) }
        #expect(try await call(control, .post, "/v1/dead-letters/\(first)/replay").status == 503)
        channel.answer { _, _ in .delivered }
        let before = channel.attempts
        let dry = try await call(control, .post, "/v1/dead-letters/replay", [("edge", "a"), ("dry", "true")]).value
        #expect(dry["meta"]?["would-replay"]?.integer == 2 && channel.attempts == before)
        // Everything at once wants a word.
        #expect(try await call(control, .post, "/v1/dead-letters/replay").status == 422)
        let sent = try await call(control, .post, "/v1/dead-letters/replay", [("edge", "a")]).value
        #expect(sent["meta"]?["replayed"]?.integer == 2)
        #expect(channel.messages.suffix(2) == ["bad one", "bad two"])
        #expect(service.deadLetterSpool?.deadLetterCount() == 1)
        await service.close()
    }

    @Test func mendedAndProcessed() async throws {
        let channel = RecordingChannel.refusing { $0[Key<String>("message")]?.hasPrefix("bad") == true }
        let (service, control) = try await filled(channel)
        let stored = try await call(control, .get, "/v1/dead-letters", [("text", "the event says so")]).value["data"]?.items?
            .first
        let id = try #require(stored?["id"]?.string)
        let original = try #require(stored?["attributes"]?["original"]?.string)
        // As it is it fails again, and no second letter is made.
        let failed = try await call(control, .post, "/v1/dead-letters/\(id)/replay").value
        #expect(failed["meta"]?["failed"]?.items?.count == 1)
        #expect(service.deadLetterSpool?.deadLetterCount() == 3)
        #expect(try await call(control, .put, "/v1/dead-letters/\(id)", [], Array("{\"no\": 1}".utf8)).status == 422)
        let mended = original.replacing("\"malformed\"", with: "\"mended\"")
        #expect(try await call(control, .put, "/v1/dead-letters/\(id)", [], Array(mended.utf8)).status == 200)
        let done = try await call(control, .post, "/v1/dead-letters/\(id)/replay").value
        #expect(done["meta"]?["replayed"]?.integer == 1)
        #expect(channel.events.last?[Key<String>("message")] == "mended")
        #expect(channel.events.last?[Key<String>("event.reason")] == "done", "it went through the worker")
        let deleted = try await call(control, .delete, "/v1/dead-letters", [("all", "true")]).value
        #expect(deleted["meta"]?["deleted"]?.integer == 2)
        #expect(service.deadLetterSpool?.deadLetterCount() == 0)
        await service.close()
    }

    @Test func whatStillLacksSomethingStays() async throws {
        let service = try service("obedient-expert", edges: [("a", RecordingChannel())], state: folder)
        let control = ControlHandler(service)
        #expect(await service.take(packet("missing", "malformed")).status == 200)
        let answer = try await call(control, .post, "/v1/dead-letters/replay", [("all", "true")])
        #expect(answer.status == 200 && answer.value["meta"]?["failed"]?.items?.count == 2, "one does not hold up the others")
        let kept = try await call(control, .get, "/v1/dead-letters/1").value["data"]?["attributes"]
        #expect(kept?["tries"]?.integer == 2)
        await service.close()
    }

    @Test func aMendedRowIsParsedWithItsFeed() async throws {
        let channel = RecordingChannel()
        let service = try service("line-parser", edges: [("a", channel)], state: folder)
        let control = ControlHandler(service)
        var report = Report(content: Array("a\nbad\n".utf8))
        report.fields[.feedName] = "F"
        #expect(await service.take(report).accepted == 1)
        let stored = try await call(control, .get, "/v1/dead-letters").value["data"]?.items?.first
        #expect(stored?["attributes"]?["excerpt"]?.string == "bad")
        let original = try #require(stored?["attributes"]?["original"]?.string).replacing("\"bad\"", with: "\"better\"")
        #expect(try await call(control, .put, "/v1/dead-letters/1", [], Array(original.utf8)).status == 200)
        #expect(try await call(control, .post, "/v1/dead-letters/1/replay").value["meta"]?["replayed"]?.integer == 1)
        #expect(channel.messages == ["a", "better"] && channel.events.last?[.feedName] == "F")
        await service.close()
    }

    @Test func dumpFilesOfIntelMQ() async throws {
        let dump = """
            {"2026-11-20T12:00:00+00:00": {"bot_id": "taxonomy-expert", "source_queue": "taxonomy-expert-queue",
              "traceback": ["Traceback …", "KeyError: 'x'\\n"],
              "message": "{\\"source.ip\\": \\"192.0.2.1\\", \\"comment\\": \\"dumped\\", \\"__type\\": \\"Event\\"}"},
             "2026-11-20T12:00:01+00:00": {"bot_id": "p", "source_queue": "q", "traceback": "no",
              "message": "{\\"feed.name\\": \\"F\\", \\"raw\\": \\"YQ==\\", \\"__type\\": \\"Report\\"}"},
             "2026-11-20T12:00:02+00:00": {"bot_id": "p", "message": "{"}}
            """
        let channel = RecordingChannel()
        let service = try service("obedient-expert", edges: [("a", channel)], state: folder)
        let control = ControlHandler(service)
        let answer = try await call(control, .post, "/v1/dead-letters/import", [], Array(dump.utf8)).value
        #expect(answer["meta"]?["imported"]?.integer == 2 && answer["meta"]?["refused"]?.items?.count == 1)
        let letters = try await call(control, .get, "/v1/dead-letters").value["data"]?.items ?? []
        #expect(letters.first?["attributes"]?["detail"]?.string == "taxonomy-expert of IntelMQ: KeyError: 'x'")
        #expect(letters.first?["attributes"]?["last-time"]?.string == "2026-11-20T12:00:00Z")
        #expect(try await call(control, .post, "/v1/dead-letters/1/replay").value["meta"]?["replayed"]?.integer == 1)
        #expect(channel.events.first?[.sourceIP]?.description == "192.0.2.1")
        #expect(try await call(control, .post, "/v1/dead-letters/import", [], Array("[]".utf8)).status == 422)
        await service.close()
    }

    @Test func accountsBalance() async throws {
        let channel = RecordingChannel.refusing { $0[Key<String>("message")] == "bad" }
        let service = try service("obedient-expert", edges: [("a", channel)], state: folder) { $0.ack = .durable }
        let pump = Task { await service.pump(service.edges[0]) }
        #expect(await service.take(packet("one", "bad", "two")).status == 202)
        #expect(await service.take(packet("three")).status == 202)
        #expect(await eventually { service.spool?.status().packets == 0 })
        let account = service.status["accounts"]?.items?.first
        #expect(account?["accepted"]?.integer == 4 && account?["delivered"]?.integer == 3)
        #expect(account?["dead-lettered"]?.integer == 1 && account?["in-spool"]?.integer == 0)
        #expect(account?["is-balanced"]?.bool == true)
        #expect(service.metrics.page().contains("intelmq_edge_events_delivered_total{edge=\"a\"} 3"))
        await service.close()
        await pump.value
    }
}

@Suite struct GateTests {
    @Test func followsWhatTheOtherSideBears() async throws {
        let gate = Gate(most: 16)
        for _ in 0..<40 {
            for _ in 0..<gate.limit { #expect(await gate.enter()) }
            let began = ContinuousClock.now - .milliseconds(30)
            for _ in 0..<gate.limit { gate.leave(began, .delivered) }
            try await Task.sleep(for: .milliseconds(21))
        }
        #expect(gate.limit > 12, "as many as are allowed while answers stay fast: \(gate.limit)")
        let before = gate.limit
        // Answers take ten times as long all of a sudden.
        for _ in 0..<8 {
            #expect(await gate.enter())
            gate.leave(.now - .milliseconds(900), .delivered)
            try await Task.sleep(for: .milliseconds(35))
        }
        #expect(gate.limit < before, "fewer when answers become slow: \(gate.limit)")
    }

    @Test func oneAtATimeWhileDown() async throws {
        let gate = Gate(most: 16)
        for _ in 0..<8 { #expect(await gate.enter()) }
        let began = ContinuousClock.now
        for _ in 0..<8 { gate.leave(began, .later("busy", afterSeconds: 0.2)) }
        #expect(gate.limit == 1)
        let waited = ContinuousClock.now
        #expect(await gate.enter())
        #expect(ContinuousClock.now - waited > .milliseconds(150), "Retry-After is honoured")
        let second = Task { await gate.enter() }
        try await Task.sleep(for: .milliseconds(50))
        gate.leave(.now, .delivered)
        #expect(await second.value)
        #expect(gate.limit == 4, "half of before")
    }

    @Test func aCancelledTaskWaitsNoLonger() async throws {
        let gate = Gate(most: 1)
        #expect(await gate.enter())
        let waiting = Task { await gate.enter() }
        try await Task.sleep(for: .milliseconds(20))
        waiting.cancel()
        #expect(await waiting.value == false)
    }

    @Test func oneEdgeDownDoesNotHoldUpTheOther() async throws {
        let folder = TemporaryFolder()
        let up = RecordingChannel()
        let down = RecordingChannel { _, _ in .later("nobody there", afterSeconds: nil) }
        let service = try service("obedient-expert", edges: [("up", up), ("down", down)], state: folder) { $0.ack = .durable }
        let pumps = service.edges.map { edge in Task { await service.pump(edge) } }
        for number in 0..<200 { #expect(await service.take(packet("\(number)")).status == 202) }
        #expect(await eventually { up.messages.count == 200 })
        let status = try #require(service.spool?.status())
        #expect(status.edges.map(\.backlogPackets) == [200, 0], "down, up")
        await service.close()
        for pump in pumps { await pump.value }
    }
}
