import Foundation
import HTTP
import IDF
import TestSupport
import Testing

/// The main job over real processes and sockets.
@Suite(.serialized)
struct ShadowserverWorkflowTests {
    /// The example workflow with ports and paths of this test.
    private func graph(in folder: Folder, ports: [Int]) throws -> String {
        var text = try String(contentsOfFile: "\(sourceTree)/openapi/workflows/shadowserver.yaml", encoding: .utf8)
        for (index, port) in ports.enumerated() {
            text = text.replacingOccurrences(of: "127.0.0.1:870\(index + 1)", with: "127.0.0.1:\(port)")
        }
        text = text.replacingOccurrences(of: "var/events.sqlite", with: "\(folder.path)/events.sqlite")
        return try folder.write("graph.yaml", text)
    }

    private func report(rows: Int, bad: Int = 0) throws -> [UInt8] {
        let whole = try String(contentsOfFile: "\(sourceTree)/deploy/demo/2026-11-20-scan_rdp-demo.csv", encoding: .utf8)
        var lines = whole.split(separator: "\n").prefix(rows + 1).map(String.init)
        for index in 0..<bad { lines.insert("\"2026-11-20 00:00:00\",\"high\",\"not an address \(index)\"", at: 2 + index * 3) }
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }

    private func stored(_ folder: Folder) async throws -> Int {
        let database = "\(folder.path)/events.sqlite"
        return try await Program.blocking { try count(database) }
    }

    private func count(_ database: String) throws -> Int {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/sqlite3")
        process.arguments = ["-readonly", database, "SELECT count(*) FROM events"]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Int(String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)) ?? -1
    }

    @Test func `a report becomes stored events, a bad row a dead letter, and a killed relay loses nothing`() async throws {
        let folder = try Folder()
        let ports = Program.freePorts(5)
        let graph = try graph(in: folder, ports: ports)
        let fleet = "\(folder.path)/fleet"
        let up = try await Program.run(["ctl", "up", graph, "--directory", fleet])
        #expect(up.code == 0, "\(up.err)")
        defer { Program.killAll(in: "\(fleet)/run") }

        // A relay in the middle dies, and its statusd starts it again.
        kill(try await Program.workers(of: "taxonomy", in: fleet)[0], SIGKILL)
        let answer = try await Program.post(
            "/v1/reports?file_name=2026-11-20-scan_rdp-x.csv", port: ports[0], try report(rows: 1000, bad: 3), type: "text/csv")
        #expect(answer.status == 202)
        let body = String(decoding: answer.body, as: UTF8.self)
        #expect(body.contains("\"accepted\":1000"))
        #expect(body.contains("\"failed-count\":3"))
        let unique = 1000 - (try await duplicates(1000))
        try await eventually("all events stored") { try await stored(folder) == unique }
        #expect(try await Program.metric("intelmq_events_dropped_total", port: ports[3]) == 1000 - unique)

        let letters = try await Program.run([
            "shadowserver-parser", "dead-letters", "--json", "--config", "\(fleet)/etc/config.d/shadowserver.yaml",
        ])
        #expect(letters.out.contains("not an address 1"))
        #expect(letters.out.split(separator: "\n").count == 3)
        let listed = try await Program.run(["ctl", "dead-letters", "--directory", fleet])
        #expect(listed.out.contains("shadowserver 1 "))
        let shown = try await Program.run(["ctl", "dead-letters", "show", "1", "--node", "shadowserver", "--directory", fleet])
        #expect(shown.out.contains("not an address"), "\(shown.err)")
        let deleted = try await Program.run([
            "ctl", "dead-letters", "delete", "1", "--node", "shadowserver", "--directory", fleet,
        ])
        #expect(deleted.out == "deleted 1\n", "\(deleted.err)")
        #expect(
            try await Program.run(["ctl", "dead-letters", "show", "1", "--node", "shadowserver", "--directory", fleet]).code == 65
        )
        let nearest = try await Program.run(["ctl", "dead-letters", "show", "1", "--node", "shadowsrver", "--directory", fleet])
        #expect(nearest.err.contains("did you mean \"shadowserver\"?"))
        let status = try await Program.run(["ctl", "status", "--directory", fleet])
        #expect(status.code == 0)
        #expect(status.out.contains("asn-lookup"))

        let lookup = try await Program.client.send(
            HTTPClientRequest(url: "http://127.0.0.1:\(ports[1])/v1/lookup/192.0.2.1/source.as.number"))
        #expect(String(decoding: lookup.body, as: UTF8.self) == "64496\n")
        #expect(try await Program.run(["ctl", "down", "--directory", fleet]).code == 0)
    }

    /// Rows of the demonstration report that equal an earlier one.
    private func duplicates(_ rows: Int) async throws -> Int {
        let lines = String(decoding: try report(rows: rows), as: UTF8.self).split(separator: "\n").dropFirst()
        return lines.count - Set(lines).count
    }

    @Test func `the same workflow in one process stores the same events`() async throws {
        let folder = try Folder()
        let graph = try graph(in: folder, ports: [1, 2, 3, 4, 5])
        let file = try folder.write("report.csv", String(decoding: try report(rows: 800, bad: 2), as: UTF8.self))
        let run = try await Program.run(["ctl", "run", graph, file, "--json"])
        // The good rows are stored, and whoever calls it sees that there were others.
        #expect(run.code == 65 && run.err.contains("2 rows or events could not be processed"), "\(run.err)")
        let unique = 800 - (try await duplicates(800))
        #expect(try await stored(folder) == unique)
        let nodes = try JSONValue(parsing: Array(run.out.utf8))["nodes"]?.items ?? []
        #expect(nodes.last?["received"]?.integer == unique)
    }

    @Test func `workers are Unix filters`() async throws {
        let input = String(decoding: try report(rows: 700), as: UTF8.self)
        let parsed = try await Program.run(
            ["shadowserver-parser", "run", "--stop-after", "600", "--set", "schema=deploy/demo/shadowserver-schema.json"],
            input: input)
        #expect(parsed.code == 0, "\(parsed.err)")
        let looked = try await Program.run(
            ["asn-lookup-expert", "run", "--set", "database=deploy/demo/asn.mmdb"], input: parsed.out)
        #expect(looked.code == 0, "\(looked.err)")
        let packets = try looked.out.split(separator: "\n").map { try Packet(decoding: Array($0.utf8)) }
        #expect(packets.map(\.events.count).reduce(0, +) == 600)
        #expect(packets.count == 2)
        #expect(packets[0].meta.hops == 1)
        #expect(packets.flatMap(\.events).contains { $0[.sourceASNumber] == 64496 })
    }

    @Test func `SIGTERM in the middle: everything acknowledged is stored`() async throws {
        let folder = try Folder()
        let ports = Program.freePorts(2)
        let store = try await Program.serve(
            "store",
            "worker: sql-output\nlisten: 127.0.0.1:\(ports[1])\nstate: \(folder.path)/store\nsettings: {database: \(folder.path)/events.sqlite}\n",
            in: folder, port: ports[1])
        defer { store.terminate() }
        let parser = """
            worker: shadowserver-parser
            listen: 127.0.0.1:\(ports[0])
            edges: [{to: "http://127.0.0.1:\(ports[1])"}]
            state: \(folder.path)/parser
            settings: {schema: deploy/demo/shadowserver-schema.json}

            """
        let first = try await Program.serve("parser", parser, in: folder, port: ports[0])
        let report = try report(rows: 500)
        let accepted = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    let answer = try? await Program.post(
                        "/v1/reports?file_name=2026-11-20-scan_rdp-x.csv", port: ports[0], report, type: "text/csv")
                    return answer?.status == 202 ? 500 : 0
                }
            }
            group.addTask {
                try? await Task.sleep(for: .milliseconds(150))
                first.terminate()
                return 0
            }
            var sum = 0
            for await one in group { sum += one }
            return sum
        }
        try await Program.blocking { first.waitUntilExit() }
        #expect(first.terminationReason == .exit && first.terminationStatus == 0)
        let second = try await Program.serve("parser", parser, in: folder, port: ports[0])
        defer { second.terminate() }
        // An answer may be lost on its way to the client, never an event that was acknowledged.
        try await eventually("\(accepted) acknowledged events stored") { try await stored(folder) >= accepted }
    }

    @Test func `a relay whose next hop is absent refuses with 503, a durable service takes the packet and delivers it later`()
        async throws
    {
        let folder = try Folder()
        let ports = Program.freePorts(3)
        let relay = try await Program.serve(
            "relay", "worker: taxonomy-expert\nlisten: 127.0.0.1:\(ports[0])\nedges: [\"http://127.0.0.1:\(ports[2])\"]\n",
            in: folder, port: ports[0])
        defer { relay.terminate() }
        let durable = try await Program.serve(
            "durable",
            "worker: taxonomy-expert\nack: durable\nlisten: 127.0.0.1:\(ports[1])\nedges: [\"http://127.0.0.1:\(ports[2])\"]\nstate: \(folder.path)/durable\n",
            in: folder, port: ports[1])
        defer { durable.terminate() }
        var event = Event()
        event.add(Key.sourceIP.id, text: "192.0.2.1")
        let packet = Packet(events: [event]).encoded()
        let refused = try await Program.post("/v1/packets", port: ports[0], packet)
        #expect(refused.status == 503)
        #expect(refused.header("Retry-After") != nil)
        let kept = try await Program.post("/v1/packets", port: ports[1], packet)
        #expect(kept.status == 202)
        let store = try await Program.serve(
            "store", "worker: file-output\nlisten: 127.0.0.1:\(ports[2])\nsettings: {path: \(folder.path)/events.ndjson}\n",
            in: folder, port: ports[2])
        defer { store.terminate() }
        try await eventually("the event in the file") {
            try String(contentsOfFile: "\(folder.path)/events.ndjson", encoding: .utf8).contains(event.id.description)
        }
        #expect(try await Program.post("/v1/packets", port: ports[0], packet).status == 200)
    }
}
