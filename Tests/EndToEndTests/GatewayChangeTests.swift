import Foundation
import HTTP
import IDF
import Synchronization
import TestSupport
import Testing

/// The graph changes while events pass.
@Suite(.serialized, .timeLimit(.minutes(10))) struct GatewayChangeTests {
    /// A second output that the intake sends to.
    private static let copy = """
          /copy:
            servers: [{url: "http://127.0.0.1:PORT4"}]
            post:
              operationId: copy
              responses: {"200": {description: Written.}}
              x-intelmq-worker: {uses: file-output, settings: {path: FOLDER/copy.ndjson}}

        """
    private static var withCopy: String {
        GatewayFleet.graph.replacing("x-intelmq-edges: [{to: asn}]", with: "x-intelmq-edges: [{to: asn}, {to: copy}]") + copy
    }

    private func put(_ fleet: GatewayFleet, _ text: String, match: String? = "*") async throws -> HTTPClientResponse {
        try await fleet.call(
            "/v1/graph/document", .put, fleet.fill(text), headers: match.map { [("If-Match", $0)] } ?? [],
            type: "application/yaml")
    }

    private func actions(_ answer: HTTPClientResponse) throws -> [String: String] {
        var found: [String: String] = [:]
        for step in try JSONValue(parsing: answer.body)["meta"]?["plan"]?.items ?? [] {
            found[step["node"]?.string ?? ""] = step["action"]?.string
        }
        return found
    }

    private func problem(_ answer: HTTPClientResponse) throws -> JSONValue? {
        try JSONValue(parsing: answer.body)["errors"]?.items?.first
    }

    /// Posts packets all the time and remembers which were acknowledged, and when.
    private final class Poster: Sendable {
        private let acknowledged = Mutex<[String]>([])
        private let task = Mutex<Task<Void, Never>?>(nil)

        init(_ fleet: GatewayFleet) {
            let ports = fleet.ports
            let task = Task {
                var number = 0
                while !Task.isCancelled {
                    let id = UUID.v7().description
                    number += 1
                    let body = Array(GatewayFleet.packet(id).utf8)
                    // By the gateway, and past it.
                    let answer = try? await Program.post("/v1/packets", port: ports[number % 2], body)
                    if answer?.status == 202 { acknowledged.withLock { $0.append(id) } }
                    try? await Task.sleep(for: .milliseconds(5))
                }
            }
            self.task.withLock { $0 = task }
        }

        var ids: [String] { acknowledged.withLock { $0 } }

        /// Waits until so many more were acknowledged.
        func more(_ count: Int) async throws {
            let before = ids.count
            try await eventually("\(count) more packets") { ids.count >= before + count }
        }

        func stop() async {
            let task = task.withLock { $0 }
            task?.cancel()
            await task?.value
        }
    }

    @Test func `nothing that was acknowledged is lost while nodes and edges come, change and go`() async throws {
        let fleet = try await GatewayFleet()
        let poster = Poster(fleet)
        try await poster.more(20)

        // A new node, and an edge to it from the durable one.
        let dry = try await fleet.call("/v1/graph/plan", .post, fleet.fill(Self.withCopy), type: "application/yaml")
        #expect(try actions(dry) == ["copy": "start", "intake": "restart", "asn": "go-on", "store": "go-on"])
        let added = try await put(fleet, Self.withCopy, match: "\"1\"")
        #expect(added.status == 200, "\(String(decoding: added.body, as: UTF8.self))")
        #expect(added.header("ETag") == "\"2\"")
        #expect(try actions(added) == (try actions(dry)))
        let first = poster.ids.count
        try await poster.more(20)

        // Only a setting of one.
        let overwriting = Self.withCopy.replacing("{uses: asn-lookup-expert,", with: "{uses: asn-lookup-expert, overwrite: true,")
        #expect(try actions(try await put(fleet, overwriting, match: "\"2\""))["asn"] == "reload")
        try await poster.more(20)

        // The edge and the node go while packets wait for them.
        #expect(try await fleet.call("/v1/stop?node=copy", .post).status == 200)
        try await poster.more(20)
        let last = poster.ids.count
        let removed = try await put(fleet, GatewayFleet.graph, match: "\"3\"")
        #expect(removed.status == 200)
        #expect(try actions(removed) == ["copy": "stop", "intake": "restart", "asn": "reload", "store": "go-on"])
        #expect(try await fleet.json("/v1/graph")["nodes"]?.items?.count == 3)
        try await eventually("told what is still there") {
            let all = try await fleet.json("/v1/status")["draining"]?.items ?? []
            return all.contains { $0["what"]?.string == "intake → copy" && $0["because"]?.string?.contains("wait") == true }
                && all.contains { $0["what"]?.string == "copy" && $0["because"]?.string == "intake still sends to it" }
        }
        #expect(try await fleet.call("/v1/nodes/copy/v1/start", .post).status == 200)
        try await eventually("all is gone", seconds: 60) {
            try await fleet.json("/v1/status")["draining"]?.items?.isEmpty == true
        }
        #expect(!FileManager.default.fileExists(atPath: "\(fleet.directory)/etc/config.d/copy.yaml"))
        #expect(!(try String(contentsOfFile: "\(fleet.directory)/etc/config.d/intake.yaml", encoding: .utf8)).contains("ending"))

        // Back to one of before.
        try await poster.more(20)
        let restored = try await fleet.call("/v1/generations/2/restore", .post, headers: [("If-Match", "\"4\"")])
        #expect(restored.status == 200, "\(String(decoding: restored.body, as: UTF8.self))")
        try await poster.more(20)
        let changes = try await fleet.json("/v1/generations")["data"]?.items?.compactMap { $0["change"]?.string } ?? []
        #expect(changes.prefix(4) == ["restored from 2", "put", "put", "put"])

        await poster.stop()
        let ids = poster.ids
        try await eventually("everything is written", seconds: 60) {
            let events = fleet.written("events.ndjson")
            return ids.allSatisfy { events.contains($0) }
        }
        // While the edge was in the graph it got everything as well.
        let copies = fleet.written("copy.ndjson")
        #expect(ids[first..<last].allSatisfy { copies.contains($0) })
        let audit = try await Program.run(["ctl", "audit", "--directory", fleet.directory])
        #expect(audit.code == 0, "\(audit.out)")
        try await fleet.stop()
    }

    @Test func `a change that cannot be made changes nothing`() async throws {
        let fleet = try await GatewayFleet()
        let own = try await fleet.call("/v1/graph/document")
        #expect(own.header("ETag") == "\"1\"")
        #expect(String(decoding: own.body, as: UTF8.self) == fleet.fill(GatewayFleet.graph))
        #expect(
            try JSONValue(parsing: try await fleet.call("/v1/graph/document", headers: [("Accept", "application/json")]).body)[
                "openapi"]?.string == "3.1.0")

        #expect(try await put(fleet, Self.withCopy, match: nil).status == 428)
        let late = try await put(fleet, Self.withCopy, match: "\"7\"")
        #expect(late.status == 409 && late.header("ETag") == "\"1\"")
        #expect(try problem(late)?["detail"]?.string?.contains("generation 1 is in force") == true)

        for (text, line, part) in [
            ("openapi: 3.1.0\npaths: {a: [}\n", 2, " "),
            (
                GatewayFleet.graph.replacing("uses: taxonomy-expert", with: "uses: taxonmy-expert"), 11,
                "did you mean \"taxonomy-expert\""
            ),
            (GatewayFleet.graph.replacing("{to: asn}", with: "{to: ans}"), 12, "no node \"ans\""),
            (GatewayFleet.graph.replacing("quick: [asn]", with: "quick: [store]"), 4, "a chain is made of experts"),
            (GatewayFleet.graph.replacing("database:", with: "datbase:"), 18, "did you mean \"database\""),
        ] {
            let answer = try await put(fleet, text)
            #expect(answer.status == 422)
            let found = try problem(answer)
            #expect(found?["meta"]?["line"]?.integer == line, "\(String(decoding: answer.body, as: UTF8.self))")
            #expect(found?["detail"]?.string?.contains(part) == true)
        }
        // One that is right, and whose new node cannot start: its port is taken.
        let stranger = try HTTPServer(HTTPServerConfiguration(port: UInt16(fleet.ports[4])), handler: Stranger())
        let refused = try await put(fleet, Self.withCopy)
        await stranger.stop()
        #expect(refused.status == 503)
        #expect(try problem(refused)?["detail"]?.string?.contains("generation 1 stays in force") == true)
        #expect(try await fleet.json("/v1/graph")["generation"]?.integer == 1)
        // The node that did not start is gone with the answer.
        #expect(try await fleet.json("/v1/status")["draining"]?.items?.isEmpty == true)
        #expect(!FileManager.default.fileExists(atPath: "\(fleet.directory)/etc/config.d/copy.yaml"))
        let listed = try await Program.run(["ctl", "status", "--directory", fleet.directory])
        #expect(listed.code == 0 && !listed.out.contains("copy"), "\(listed.out)")
        #expect(try await fleet.call("/v1/packets", .post, GatewayFleet.packet()).status == 202)
        try await eventually("written") { fleet.written("events.ndjson").contains("192.0.2.1") }

        #expect(try await fleet.call("/v1/generations/9").status == 404)
        #expect(try await fleet.call("/v1/generations/x/restore", .post).status == 404)
        #expect(
            try await fleet.call("/v1/graph/document", .put, "{}", headers: [("If-Match", "*")], type: "text/html").status == 415)
        try await fleet.stop()
    }

    @Test func `of two that change at once one is told so`() async throws {
        let fleet = try await GatewayFleet()
        let answers = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<2 { group.addTask { try await put(fleet, Self.withCopy, match: "\"1\"").status } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.sorted() == [200, 409])
        #expect(try await fleet.json("/v1/graph")["generation"]?.integer == 2)
        try await fleet.stop()
    }
}
