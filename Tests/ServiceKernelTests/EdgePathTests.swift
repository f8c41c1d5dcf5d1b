import Bulk
import Glibc
import IDF
import ServiceKernelTesting
import TestSupport
import Testing

@testable import ServiceKernel

/// Named paths, and edges that take turns.
@Suite(.timeLimit(.minutes(5))) struct EdgePathTests {
    /// Runs packets or a report through a service whose edges write files, and answers the packets that each file got.
    private func run(
        _ text: String, _ folder: TemporaryFolder, expecting count: Int, _ body: (Service) async -> [Answer]
    ) async throws -> (files: [String: [Packet]], answers: [Answer], service: Service) {
        let configuration = try configuration(text.replacing("FOLDER", with: folder.path))
        let service = try Service(
            configuration, edges: try ServiceRunner.edges(of: configuration, client: nil), log: .recording())
        let pumps = service.edges.map { edge in Task { await service.pump(edge) } }
        let answers = await body(service)
        @Sendable func files() -> [String: [Packet]] {
            var files: [String: [Packet]] = [:]
            for edge in configuration.edges {
                let bytes = readFile("\(folder.path)/\(edge.name)") ?? []
                files[edge.name] = bytes.split(separator: 0x0A).compactMap { try? Packet(decoding: Array($0), eventLimit: 100) }
            }
            return files
        }
        #expect(await eventually { files().values.joined().reduce(0) { $0 + $1.events.count } == count })
        if configuration.ack == .durable { #expect(await eventually { service.spool?.status().packets == 0 }) }
        await service.close()
        for pump in pumps {
            pump.cancel()
            await pump.value
        }
        return (files(), answers, service)
    }

    private static let text = """
        worker: obedient-expert
        ack: ACK
        state: FOLDER/state
        edges:
          - {to: "file://FOLDER/rest", name: rest}
          - {to: "file://FOLDER/broken", name: broken, on: error}
          - {to: "file://FOLDER/side", name: side, on: "path:side"}

        """

    @Test(arguments: ["relay", "durable"]) func eventsLeaveByTheirPath(_ ack: String) async throws {
        let folder = TemporaryFolder()
        let (files, answers, service) = try await run(
            Self.text.replacing("ACK", with: ack), folder, expecting: 4
        ) { service in
            await [service.take(packet("a", "malformed", "side", "b", "drop", "nowhere"), started: .now)]
        }
        #expect(answers.allSatisfy { $0.isAccepted && $0.failed.count == 1 })
        func messages(_ name: String) -> [String] {
            files[name, default: []].flatMap(\.events).compactMap { $0[Key<String>("message")] }
        }
        #expect(messages("rest") == ["a", "b"])
        #expect(messages("side") == ["side"])
        let broken = try #require(files["broken"]?.first?.events.first)
        #expect(broken[Key<String>("event.kind")] == "pipeline_error")
        #expect(broken[Key<String>("error.code")] == "malformed")
        #expect(broken[Key<String>("error.message")] == "the event says so")
        #expect(broken[Key<String>("message")] == "malformed")
        #expect(service.metrics.value("intelmq_events_dropped_total", [("reason", "unrouted")]) == 1)
        #expect((service.spool?.deadLetterCount() ?? 0) == 0)
    }

    @Test(arguments: ["relay", "durable"]) func rowsThatCannotBeReadAreEvents(_ ack: String) async throws {
        let folder = TemporaryFolder()
        let text = Self.text.replacing("obedient-expert", with: "line-parser").replacing("ACK", with: ack)
        let (files, answers, _) = try await run(text, folder, expecting: 3) { service in
            await [service.take(Report(content: Array("one\nbad\ntwo\n".utf8)))]
        }
        #expect(answers[0].isAccepted && answers[0].accepted == 2 && answers[0].failed.map(\.index) == [2])
        let broken = try #require(files["broken"]?.first?.events.first)
        #expect(broken[.original] == "bad")
        #expect(broken[Key<String>("error.message")] == "line 2: a bad row")
    }

    @Test(arguments: ["relay", "durable"]) func edgesTakeTurns(_ ack: String) async throws {
        let folder = TemporaryFolder()
        let (files, _, service) = try await run(
            """
            worker: obedient-expert
            ack: \(ack)
            state: FOLDER/state
            edges:
              - {to: "file://FOLDER/all", name: all}
              - {to: "file://FOLDER/one", name: one, share: pair}
              - {to: "file://FOLDER/two", name: two, share: pair}

            """, folder, expecting: 24
        ) { service in
            var answers: [Answer] = []
            for number in 0..<12 { answers.append(await service.take(packet("m\(number)"), started: .now)) }
            return answers
        }
        #expect(files["all"]?.count == 12)
        #expect(files["one"]?.count == 6)
        #expect(files["two"]?.count == 6)
        if ack == "durable" {
            for account in service.status["accounts"]?.items ?? [] { #expect(account["is-balanced"]?.bool == true) }
        }
    }

    /// A large report goes past the spool, where it is written down whose turn it is.
    @Test func oneOfAGroupGetsALargeReport() async throws {
        let folder = TemporaryFolder()
        var writer = BulkWriter(directory: folder.path, threshold: 10)
        try Array("a report of more than ten bytes\n".utf8).withUnsafeBufferPointer { try writer.append($0) }
        let content = try writer.finish()
        #expect(content.isFile)
        let (one, two) = (RecordingChannel(), RecordingChannel())
        let share = EdgeFilter(share: "pair")
        var configuration = ServiceConfiguration(entry("obedient-expert"))
        configuration.ack = .durable
        configuration.state = folder.path
        let collector = try Service(
            configuration,
            edges: [Edge(name: "one", channel: one, filter: share), Edge(name: "two", channel: two, filter: share)],
            log: .recording())
        _ = try collector.openSpool()
        #expect(collector.isDurable)
        for number in 1...4 {
            var report = Report(content: content)
            report.fields.add(Key<String>.fileName.id, text: "\(number).csv")
            try await collector.hand(report)
            #expect(one.packets.count + two.packets.count == number)
        }
        #expect(one.packets.count == 2)
        await collector.close()
    }

    @Test func aTurnPassesOnWhereNobodyAnswers() async throws {
        let up = RecordingChannel()
        let down = RecordingChannel { _, _ in .later("away", afterSeconds: nil) }
        var configuration = ServiceConfiguration(entry("obedient-expert"))
        configuration.ack = .relay
        let share = EdgeFilter(share: "pair")
        let service = try Service(
            configuration,
            edges: [Edge(name: "up", channel: up, filter: share), Edge(name: "down", channel: down, filter: share)],
            log: .recording())
        for number in 0..<4 { #expect(await service.take(packet("m\(number)"), started: .now).isAccepted) }
        #expect(up.messages == ["m0", "m1", "m2", "m3"])
    }

    @Test func whatWaitsStaysWithItsTurnWhenTheGroupChanges() async throws {
        let folder = TemporaryFolder()
        func made(_ edges: [String], _ state: String) throws -> Service {
            let text = edges.map { "  - {to: \"file://\(folder.path)/\($0)\", name: \($0), share: group}\n" }.joined()
            let configuration = try configuration(
                "worker: obedient-expert\nack: durable\nstate: \(state)\nedges:\n\(text)")
            return try Service(configuration, edges: try ServiceRunner.edges(of: configuration, client: nil), log: .recording())
        }
        let state = "\(folder.path)/state"
        let before = try made(["one", "two"], state)
        for number in 0..<12 { #expect(await before.take(packet("m\(number)"), started: .now).isAccepted) }
        // One of them has had its share; then a third comes into the group.
        let pump = Task { [edge = before.edges[0]] in await before.pump(edge) }
        let path = folder.path
        @Sendable func count(_ name: String) -> Int { (readFile("\(path)/\(name)") ?? []).count { $0 == 0x0A } }
        #expect(await eventually { count("one") == 6 })
        await before.close()
        pump.cancel()
        await pump.value
        let after = try made(["one", "two", "three"], state)
        let pumps = after.edges.map { edge in Task { await after.pump(edge) } }
        #expect(await eventually { after.spool?.status().packets == 0 })
        await after.close()
        for pump in pumps {
            pump.cancel()
            await pump.value
        }
        #expect(count("one") == 6 && count("two") == 6 && count("three") == 0)
    }

    @Test func oneAtATimeKeepsTheOrder() async throws {
        let folder = TemporaryFolder()
        // Every third attempt fails.
        let channel = RecordingChannel { _, attempt in attempt % 3 == 1 ? .later("busy", afterSeconds: 0.001) : .delivered }
        var configuration = ServiceConfiguration(entry("obedient-expert"))
        configuration.ack = .durable
        configuration.state = folder.path
        configuration.limits.inFlight = 1
        let service = try Service(
            configuration, edges: [Edge(name: "next", channel: channel, inFlight: 1)], log: .recording())
        let pump = Task { [edge = service.edges[0]] in await service.pump(edge) }
        let messages = (0..<30).map { "m\($0)" }
        for message in messages { #expect(await service.take(packet(message), started: .now).isAccepted) }
        #expect(await eventually { channel.messages.count == 30 })
        #expect(channel.messages == messages)
        await service.close()
        pump.cancel()
        await pump.value
    }

    @Test func onlyOurSpoolNamesPaths() throws {
        var packet = packet("x")
        packet.meta.source = #"","path":"error"#
        #expect(Packet.path(of: packet.encoded()) == nil)
        packet.meta.trace = TraceParent(beginning: packet.meta.id)
        packet.meta.path = "path:side"
        #expect(Packet.path(of: packet.encoded()) == "path:side")
        #expect(try Packet(decoding: packet.encoded(), eventLimit: 10).meta.path == "path:side")
    }

    @Test(arguments: [
        ("{to: \"stdout:\", on: errors}", "path:NAME"), ("{to: \"stdout:\", on: \"path:\"}", "path:NAME"),
        ("{to: \"stdout:\", on: error}", "nowhere"), ("{to: \"stdout:\", share: \"a b\"}", "group"),
    ]) func mistakesAreNamed(_ edge: String, _ part: String) {
        let text = complaint("worker: obedient-expert\nedges: [\(edge)]\n")
        #expect(text.contains(part) && text.contains("test.yaml:2:"), "\(text)")
    }
}
