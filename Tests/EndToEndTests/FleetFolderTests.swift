import Foundation
import HTTP
import TestSupport
import Testing

/// A workflow's folder is the same however it is spelled, and what is gone can be started again.
@Suite struct FleetFolderTests {
    @Test func `down finds what up has started, and start brings back a statusd`() async throws {
        let folder = try Folder()
        let port = Program.freePorts(1)[0]
        let graph = try folder.write(
            "graph.yaml",
            """
            openapi: 3.1.0
            info: {title: T, version: 1.0.0}
            paths:
              /store: {servers: [{url: "http://127.0.0.1:\(port)"}], post: {operationId: store, x-intelmq-worker: {uses: file-output, settings: {path: "\(folder.path)/out.ndjson"}}}}
              /in: {servers: [{url: "http://127.0.0.1:\(Program.freePorts(1)[0])"}], post: {operationId: in, x-intelmq-worker: {uses: taxonomy-expert}, x-intelmq-edges: [{to: store}]}}

            """)
        let up = try await Program.run(["ctl", "up", graph, "--directory", "\(folder.path)/fleet"])
        #expect(up.code == 0, "\(up.err)")
        let detour = "\(folder.path)/./fleet/"
        let twice = try await Program.run(["ctl", "up", graph, "--directory", detour])
        #expect(twice.code == 69 && twice.err.contains("is running"))
        let pid = try #require(
            Int32(try String(contentsOfFile: "\(folder.path)/fleet/run/store.pid", encoding: .utf8).filter(\.isNumber)))
        kill(pid, SIGKILL)
        try await eventually("its statusd is gone") { kill(pid, 0) != 0 }
        let start = try await Program.run(["ctl", "start", "store", "--directory", "\(folder.path)/fleet"])
        #expect(start.code == 0, "\(start.err)")
        try await eventually("the store runs again") {
            try await Program.run(["ctl", "status", "--directory", detour]).code == 0
        }
        let down = try await Program.run(["ctl", "down", "--directory", detour])
        #expect(down.code == 0 && down.out.contains("stopped"))
        for name in ["store", "in"] {
            #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/fleet/state/\(name)/control.sock"))
        }
        // Looking into what has stopped opens no output.
        try FileManager.default.removeItem(atPath: "\(folder.path)/out.ndjson")
        #expect(try await Program.run(["ctl", "audit", "--directory", "\(folder.path)/fleet"]).code == 0)
        #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/out.ndjson"))
        for verb in [["list"], ["delete", "--all"]] {
            let looked = try await Program.run(
                ["file-output", "dead-letters"] + verb + ["--config", "\(folder.path)/fleet/etc/config.d/store.yaml"])
            #expect(looked.code == 0, "\(looked.err)")
        }
        #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/out.ndjson"))
    }

    @Test func `a workflow whose last expert only answers comes up, and takes nothing that it could not hand on`() async throws {
        let folder = try Folder()
        let port = Program.freePorts(1)[0]
        let graph = try folder.write(
            "graph.yaml",
            """
            openapi: 3.1.0
            info: {title: Asked, version: 1.0.0}
            paths:
              /taxonomy: {servers: [{url: "http://127.0.0.1:\(port)"}], post: {operationId: taxonomy, x-intelmq-worker: {uses: taxonomy-expert}}}

            """)
        let up = try await Program.run(["ctl", "up", graph, "--directory", "\(folder.path)/fleet"])
        #expect(up.code == 0 && up.err.contains("warning:"), "\(up.err)")
        func post(_ headers: [(name: String, value: String)]) async throws -> Int {
            try await Program.client.send(
                HTTPClientRequest(
                    method: .post, url: "http://127.0.0.1:\(port)/v1/packets",
                    headers: headers + [("Content-Type", "application/json")], body: Array(GatewayFleet.packet().utf8))
            ).status
        }
        #expect(try await post([("Prefer", "return=representation")]) == 200)
        #expect(try await post([]) == 503)
        #expect(try await Program.run(["ctl", "down", "--directory", "\(folder.path)/fleet"]).code == 0)
    }

    @Test func `a node that has left the graph is forgotten by the next up unless it holds something`() async throws {
        let folder = try Folder()
        let fleet = "\(folder.path)/fleet"
        let ports = Program.freePorts(3)
        func graph(_ parsers: String...) throws -> String {
            let nodes = parsers.enumerated().map { index, name in
                "  /\(name): {servers: [{url: \"http://127.0.0.1:\(ports[index])\"}], post: {operationId: \(name), x-intelmq-worker: {uses: openphish-parser}, x-intelmq-edges: [{to: store}]}}\n"
            }
            return try folder.write(
                "graph.yaml",
                """
                openapi: 3.1.0
                info: {title: Shrinking, version: 1.0.0}
                paths:
                  /store: {servers: [{url: "http://127.0.0.1:\(ports[2])"}], post: {operationId: store, x-intelmq-worker: {uses: file-output, settings: {path: "\(folder.path)/out.ndjson"}}}}

                """ + nodes.joined())
        }
        func ctl(_ words: String...) async throws -> Program.Result {
            try await Program.run(["ctl"] + words + ["--directory", fleet])
        }
        #expect(try await ctl("up", try graph("a", "b")).code == 0)
        let answer = try await Program.post("/v1/reports", port: ports[0], Array("nonsense\n".utf8), type: "text/plain")
        #expect(answer.status == 202)
        #expect(try await ctl("down").code == 0)
        #expect(try await ctl("status").err.contains("intelmqctl up GRAPH"))
        #expect(try await ctl("up", try graph("c")).code == 0)
        let status = try await ctl("list", "nodes").out
        #expect(status.contains("\na ") || status.hasPrefix("a "), "it has a dead letter: \(status)")
        #expect(!status.contains("\nb "), "\(status)")
        // By number, and only with the node that counts them.
        #expect(try await ctl("dead-letters", "replay", "1").code == 64)
        let replayed = try await ctl("dead-letters", "replay", "1", "--node", "a", "--dry-run")
        #expect(replayed.out.contains("would replay 0, failed 1"), "\(replayed.err)")
        let unnamed = try await ctl("dead-letters", "replay", "--node", "a")
        #expect(unnamed.code == 65 && unnamed.err.contains("--all"))
        #expect(try await ctl("down").code == 0)
    }

    /// A durable node with two outputs, one of which nobody listens for.
    private func forked(_ folder: Folder, _ ports: [Int], edges: String) throws -> String {
        try folder.write(
            "graph.yaml",
            """
            openapi: 3.1.0
            info: {title: Forked, version: 1.0.0}
            paths:
              /in: {servers: [{url: "http://127.0.0.1:\(ports[0])"}], post: {operationId: in, x-intelmq-worker: {uses: taxonomy-expert, ack: durable}, x-intelmq-edges: \(edges)}}
              /one: {servers: [{url: "http://127.0.0.1:\(ports[1])"}], post: {operationId: one, x-intelmq-worker: {uses: file-output, settings: {path: "\(folder.path)/one.ndjson"}}}}
              /two: {servers: [{url: "http://127.0.0.1:\(ports[2])"}], post: {operationId: two, x-intelmq-worker: {uses: file-output, settings: {path: "\(folder.path)/two.ndjson"}}, x-intelmq-edges: []}}
              /other: {servers: [{url: "http://127.0.0.1:\(ports[3])"}], post: {operationId: other, x-intelmq-worker: {uses: taxonomy-expert}, x-intelmq-edges: [{to: two}]}}

            """)
    }

    @Test func `events that wait for an edge that is no more are told, sent on, or dropped`() async throws {
        let folder = try Folder()
        let fleet = "\(folder.path)/fleet"
        let ports = Program.freePorts(4)
        let both = "[{to: one}, {to: two}]"
        func up(_ edges: String) async throws -> Program.Result {
            try await Program.run(["ctl", "up", try forked(folder, ports, edges: edges), "--directory", fleet])
        }
        func down() async throws {
            let down = try await Program.run(["ctl", "down", "--directory", fleet])
            #expect(down.code == 0, "\(down.err)")
        }
        func strand() async throws {
            _ = try await up(both)
            #expect(try await Program.run(["ctl", "stop", "two", "--directory", fleet]).code == 0)
            let answer = try await Program.post("/v1/packets", port: ports[0], Array(GatewayFleet.packet().utf8))
            #expect(answer.status == 202)
            try await down()
        }
        func check(_ edges: String) async throws -> String {
            let graph = try forked(folder, ports, edges: edges)
            let checked = try await Program.run(["ctl", "check", graph, "--directory", fleet, "--only", "connectiontest"])
            #expect(checked.code == 0)
            return checked.err
        }
        let words = "1 events wait in the spool of in for the edge to two"
        let drop = ["taxonomy-expert", "spool", "drop", "two", "--config", "\(fleet)/etc/config.d/in.yaml"]

        try await strand()
        #expect(try await !check(both).contains(words))
        #expect(try await Program.run(drop).code == 64, "the edge is in the configuration")
        let told = try await check("[{to: one}]")
        #expect(told.contains(words) && told.contains(drop.joined(separator: " ")) && told.contains("{to: two, ending: true}"))
        let started = try await up("[{to: one}]")
        #expect(started.code == 0 && started.err.contains(words), "\(started.err)")
        let log = try await Program.run(["ctl", "log", "in", "--directory", fleet])
        #expect(log.out.contains("1 events wait for the edge two"), "\(log.out)")
        // In use: the service must be stopped first.
        #expect(try await Program.run(drop).code == 69)
        try await down()

        // Sent on.
        #expect(try await up("[{to: one}, {to: two, ending: true}]").code == 0)
        try await eventually("it arrives") {
            try String(contentsOfFile: "\(folder.path)/two.ndjson", encoding: .utf8).contains("192.0.2.1")
        }
        try await down()
        #expect(try await !check("[{to: one}]").contains(words))

        // Dropped.
        try await strand()
        #expect(try await up("[{to: one}]").code == 0)
        try await down()
        let dropped = try await Program.run(drop)
        #expect(dropped.code == 0 && dropped.out.contains("dropped 1 events"), "\(dropped.err)")
        #expect(try await !check("[{to: one}]").contains(words))
        #expect(try await Program.run(drop).code == 65)
    }
}
