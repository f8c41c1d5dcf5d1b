import Foundation
import HTTP
import IDF
import TestSupport
import Testing

/// A workflow as its gateway serves it.
@Suite(.timeLimit(.minutes(5))) struct GatewayTests {
    private func problem(_ answer: HTTPClientResponse) throws -> JSONValue? {
        try JSONValue(parsing: answer.body)["errors"]?.items?.first
    }

    @Test func `what comes in is acknowledged by the durable node, and what passes is shown`() async throws {
        let fleet = try await GatewayFleet()
        let answer = try await fleet.call("/v1/packets", .post, GatewayFleet.packet())
        #expect(answer.status == 202)
        #expect(try JSONValue(parsing: answer.body)["meta"]?["accepted"]?.integer == 1)
        try await eventually("written") { fleet.written("events.ndjson").contains("192.0.2.1") }
        try await eventually("shown") {
            let edges = try await fleet.json("/v1/graph")["edges"]?.items ?? []
            return edges.contains { $0["to"]?.string == "asn" && $0["sent"]?.integer == 1 && $0["in-spool"]?.integer == 0 }
        }
        #expect(try await fleet.json("/v1/status")["state"]?.string == "running")
        #expect(try await fleet.json("/v1/checks")["ok"]?.bool == true)
        // Forwarded to the node, and to its statusd.
        #expect(try await fleet.json("/asn/v1/lookup/192.0.2.1")["data"]?["id"]?.string == "192.0.2.1")
        #expect(try await fleet.json("/v1/nodes/intake/v1/status")["totals"]?["received"]?.integer == 1)
        // One source that takes packets, none that takes reports.
        #expect(try problem(try await fleet.call("/v1/reports", .post, "x"))?["code"]?.string == "no-source")
        #expect(try problem(try await fleet.call("/v1/packets?node=store", .post, "{}"))?["code"]?.string == "no-source")
        #expect(
            try problem(try await fleet.call("/v1/packets?node=stor", .post, "{}"))?["detail"]?.string?.contains("\"store\"")
                == true)
        let wrong = try await fleet.call("/v1/graph", .post)
        #expect(wrong.status == 405 && wrong.header("Allow") == "GET")
    }

    @Test func `a parser that a collector feeds takes reports from outside, too`() async throws {
        let fleet = try await GatewayFleet(
            """
            openapi: 3.1.0
            info: {title: Fed, version: 1.0.0}
            servers: [{url: "http://127.0.0.1:PORT0"}]
            paths:
              /files: {post: {operationId: files, x-intelmq-worker: {uses: file-collector, settings: {path: FOLDER/inbox}}, x-intelmq-edges: [{to: urls}]}}
              /urls:
                servers: [{url: "http://127.0.0.1:PORT1"}]
                post: {operationId: urls, x-intelmq-worker: {uses: openphish-parser}, x-intelmq-edges: [{to: store}]}
              /store:
                servers: [{url: "http://127.0.0.1:PORT2"}]
                post: {operationId: store, x-intelmq-worker: {uses: file-output, settings: {path: FOLDER/events.ndjson}}}

            """)
        let answer = try await fleet.call("/v1/reports", .post, "http://a.example/x\n", type: "text/plain")
        #expect(answer.status == 202, "\(String(decoding: answer.body, as: UTF8.self))")
        try await eventually("written") { fleet.written("events.ndjson").contains("a.example") }
        // The parser leaves with a dead letter: until somebody has looked at that, it is there, also in the accounts.
        #expect(try await fleet.call("/v1/reports", .post, "nonsense\n", type: "text/plain").status == 202)
        let rest = fleet.fill(
            """
            openapi: 3.1.0
            info: {title: Fed, version: 1.0.0}
            servers: [{url: "http://127.0.0.1:PORT0"}]
            paths:
              /in: {servers: [{url: "http://127.0.0.1:PORT3"}], post: {operationId: in, x-intelmq-worker: {uses: taxonomy-expert}, x-intelmq-edges: [{to: store}]}}
              /store:
                servers: [{url: "http://127.0.0.1:PORT2"}]
                post: {operationId: store, x-intelmq-worker: {uses: file-output, settings: {path: FOLDER/events.ndjson}}}

            """)
        let put = try await fleet.call(
            "/v1/graph/document", .put, rest, headers: [("If-Match", "*")], type: "application/yaml")
        #expect(put.status == 200, "\(String(decoding: put.body, as: UTF8.self))")
        try await eventually("it waits for somebody to look") {
            let draining = try await fleet.json("/v1/status")["draining"]?.items ?? []
            return draining.contains { $0["what"]?.string == "urls" && $0["because"]?.string?.contains("dead letters") == true }
        }
        let audit = try await Program.run(["ctl", "audit", "--directory", fleet.directory])
        #expect(audit.code == 0 && audit.out.contains("urls → store"), "\(audit.out)")
        // What others of the workflow feed is none.
        #expect(try problem(try await fleet.call("/v1/packets?node=store", .post, "{}"))?["code"]?.string == "no-source")
    }

    @Test func `a verb's state is what the status says next`() async throws {
        let fleet = try await GatewayFleet()
        func states() async throws -> [String?] {
            let own = try await fleet.json("/v1/status")["nodes"]?.items?.first { $0["name"]?.string == "asn" }?["state"]?.string
            let statusd = try await fleet.json("/v1/nodes/asn/v1/status")["state"]?.string
            return [own, statusd]
        }
        for prefix in ["/v1/nodes/asn", ""] {
            for (verb, word) in [
                ("pause", "paused"), ("resume", "running"), ("stop", "stopped"), ("start", "running"), ("restart", "running"),
            ] {
                let path = prefix + "/v1/\(verb)" + (prefix.isEmpty ? "?node=asn" : "")
                #expect(try await fleet.call(path, .post).status == 200)
                #expect(try await states() == [word, word], "\(path)")
            }
        }
    }

    @Test func `a tap through the gateway shows events as they pass`() async throws {
        let fleet = try await GatewayFleet()
        let request = HTTPClientRequest(
            url: "http://127.0.0.1:\(fleet.ports[0])/v1/nodes/intake/v1/tap?limit=1", timeoutMilliseconds: 60_000)
        let tap = Task { try await Program.client.send(request) }
        // Whoever looks does so from some moment on: events come until one was seen.
        let posting = Task {
            while !Task.isCancelled {
                _ = try await fleet.call("/v1/packets", .post, GatewayFleet.packet())
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        let seen = try await tap.value
        posting.cancel()
        #expect(seen.status == 200)
        #expect(String(decoding: seen.body, as: UTF8.self).contains("192.0.2.1"))
        #expect(try await fleet.call("/v1/nodes/intake/v1/tap?limit=x").status == 422)
    }

    @Test func `verbs work on all nodes or one, and a stopped node is told as what it is`() async throws {
        let fleet = try await GatewayFleet()
        #expect(try await fleet.call("/v1/stop?node=asn", .post).status == 200)
        let away = try await fleet.call("/asn/v1/lookup/192.0.2.1")
        #expect(away.status == 503 && away.header("Retry-After") != nil)
        #expect(try problem(away)?["detail"]?.string?.contains("asn is stopped") == true)
        #expect(try await fleet.call("/v1/enrich", .post, "{\"source.ip\": \"192.0.2.1\"}").status == 503)
        // The durable node takes it all the same.
        #expect(try await fleet.call("/v1/packets", .post, GatewayFleet.packet()).status == 202)
        #expect(try await fleet.call("/v1/start", .post).status == 200)
        try await eventually("written") { fleet.written("events.ndjson").contains("192.0.2.1") }
        #expect(try await fleet.call("/v1/pause?node=nobody", .post).status == 404)
    }

    @Test func `one event goes through a chain of experts and comes back`() async throws {
        let fleet = try await GatewayFleet()
        let all = try await fleet.call(
            "/v1/enrich", .post, "{\"source.ip\": \"192.0.2.1\", \"classification.type\": \"scanner\"}")
        let event = try JSONValue(parsing: all.body)
        #expect(all.header("Content-Type") == "application/json")
        #expect(event["source"]?["as"]?["number"]?.integer == 64496)
        #expect(event["intelmq"]?["classification"]?["taxonomy"]?.string == "information-gathering")
        let quick = try JSONValue(
            parsing: try await fleet.call("/v1/enrich?chain=quick", .post, "{\"source\": {\"ip\": \"192.0.2.1\"}}").body)
        #expect(quick["source"]?["as"]?["number"]?.integer == 64496)
        #expect(quick["intelmq"] == nil)
        let packet = try await fleet.call(
            "/v1/enrich", .post, "{\"source.ip\": \"192.0.2.1\"}", headers: [("Accept", "application/vnd.api+json")])
        #expect(try Packet(decoding: packet.body).events.count == 1)
        #expect(try Packet(decoding: try await fleet.call("/v1/enrich", .post, GatewayFleet.packet()).body).meta.hops == 2)
        // Nothing of it has gone on.
        #expect(fleet.written("events.ndjson") == "")
        for (body, status, code) in [
            ("{\"source.ip\": \"x\"}", 422, "invalid-value"), ("{\"sorce.ip\": 1}", 422, "unknown-field"),
            ("{}", 422, "no-event"),
            ("[1]", 422, "no-event"), ("{\"a", 400, "malformed-json"), ("", 400, "malformed-json"),
            (String(repeating: "{\"a\":", count: 5000), 400, "malformed-json"),
        ] {
            let answer = try await fleet.call("/v1/enrich", .post, body)
            let found = try problem(answer)?["code"]?.string
            #expect(answer.status == status && found == code, "\(body.prefix(40))")
        }
        #expect(
            try problem(try await fleet.call("/v1/enrich", .post, "{\"source.ip\": \"x\"}"))?["source"]?["pointer"]?.string
                == "/source/ip")
        #expect(try problem(try await fleet.call("/v1/enrich?chain=slow", .post, "{}"))?["code"]?.string == "no-chain")
        #expect(try await fleet.call("/v1/enrich", .post, "{}", type: "text/plain").status == 415)
    }

    @Test func `a token's roles decide, at the gateway and behind it`() async throws {
        let folder = try Folder()
        for role in ["data", "read", "operate"] { try folder.write(role, "token-of-\(role)-0123456789\n") }
        let tokens = ["data", "read", "operate"].map { "  - {file: \(folder.path)/\($0), roles: [\($0)]}\n" }.joined()
        let fleet = try await GatewayFleet(
            configuration: "settings: {directory: FOLDER/fleet, graph: FOLDER/graph.yaml}\ntokens:\n\(tokens)")
        func status(_ path: String, _ method: HTTPMethod, _ role: String?) async throws -> Int {
            try await fleet.call(
                path, method, "{}", headers: role.map { [("Authorization", "Bearer token-of-\($0)-0123456789")] } ?? []
            ).status
        }
        for (path, method, role) in [
            ("/v1/packets", HTTPMethod.post, "data"), ("/v1/enrich", .post, "data"), ("/intake/v1/packets", .post, "data"),
            ("/asn/v1/lookup/192.0.2.1", .get, "data"), ("/v1/graph", .get, "read"), ("/v1/status", .get, "read"),
            ("/v1/nodes/asn/v1/config", .get, "read"), ("/asn/metrics", .get, "read"),
            ("/v1/pause", .post, "operate"), ("/v1/nodes/asn/v1/pause", .post, "operate"),
            ("/v1/nodes/asn/v1/dead-letters", .delete, "operate"),
        ] {
            #expect(try await status(path, method, nil) == 401, "\(path)")
            #expect(try await status(path, method, "nobody") == 401, "\(path)")
            for other in ["data", "read", "operate"] where other != role && !(other == "operate" && role == "read") {
                #expect(try await status(path, method, other) == 403, "\(path) with \(other)")
            }
            #expect(![401, 403].contains(try await status(path, method, role)), "\(path) with \(role)")
        }
        for open in ["/livez", "/readyz", "/openapi.json", "/asn/livez"] {
            #expect(try await status(open, .get, nil) == 200, "\(open)")
        }
        let log = try String(contentsOfFile: "\(fleet.directory)/log/gateway.log", encoding: .utf8)
        #expect(log.contains("by=operate call=\"POST /v1/pause\" generation=1 status=200"))
    }

    @Test func `what does not speak the contract acknowledges nothing`() async throws {
        let ports = Program.freePorts(2)
        let stranger = try HTTPServer(HTTPServerConfiguration(port: UInt16(ports[0])), handler: Stranger())
        defer { withExtendedLifetime(stranger) {} }
        let fleet = try await GatewayFleet()
        try await fleet.stop()
        let graph = GatewayFleet.graph.replacing("PORT1", with: "\(ports[0])")
        try fleet.folder.write("strange.yaml", fleet.fill(graph))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Program.path)
        process.arguments = [
            "gateway", "--graph", "\(fleet.folder.path)/strange.yaml", "--directory", "\(fleet.folder.path)/strange",
        ]
        process.currentDirectoryURL = URL(fileURLWithPath: sourceTree)
        process.standardError = FileHandle.nullDevice
        try process.run()
        defer { process.terminate() }
        try await eventually("ready") { try await fleet.call("/readyz").status == 200 }
        let answer = try await fleet.call("/v1/packets", .post, GatewayFleet.packet())
        #expect(answer.status == 502)
        #expect(try problem(answer)?["code"]?.string == "no-contract")
        let enriched = try await fleet.call("/v1/enrich", .post, "{\"source.ip\": \"192.0.2.1\"}")
        #expect(enriched.status == 502)
        // One gateway a folder.
        let second = try await Program.run([
            "gateway", "--graph", "\(fleet.folder.path)/strange.yaml", "--directory", "\(fleet.folder.path)/strange",
        ])
        #expect(second.code == 78 && second.err.contains("runs already (process \(process.processIdentifier))"))
    }

    @Test func `a gateway opens no door to the network by itself`() async throws {
        let folder = try Folder()
        let graph = try folder.write(
            "graph.yaml",
            GatewayFleet.graph.replacing("127.0.0.1:PORT0", with: "192.0.2.1:8700").replacing("FOLDER", with: folder.path))
        let result = try await Program.run(["gateway", "--graph", graph, "--directory", "\(folder.path)/fleet"])
        #expect(result.code == 78 && result.err.contains("open a door to the network"))
    }
}
