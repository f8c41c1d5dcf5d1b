import Foundation
import HTTP
import TestSupport
import Testing

/// What a person sees when a service cannot start, and the programs' verbs.
@Suite struct StartTests {
    private func check(_ configuration: String, _ worker: String = "asn-lookup-expert") async throws -> Program.Result {
        let folder = try Folder()
        let file = try folder.write("service.yaml", configuration.replacingOccurrences(of: "FOLDER", with: folder.path))
        return try await Program.run([worker, "serve", "--config", file])
    }

    @Test func `an unknown setting is named with its place and the nearest one`() async throws {
        let result = try await check("worker: asn-lookup-expert\nlisten: 127.0.0.1:1\nsettings:\n  databse: /tmp/x.mmdb\n")
        #expect(result.code == 78)
        #expect(result.err.contains("unknown setting \"databse\" in worker \"asn-lookup\""))
        #expect(result.err.contains("service.yaml:4:3"))
        #expect(result.err.contains("did you mean \"database\"?"))
    }

    @Test func `a missing database is a configuration error that names the setting`() async throws {
        let result = try await check("worker: asn-lookup-expert\nlisten: 127.0.0.1:1\nsettings:\n  database: /nowhere/asn.mmdb\n")
        #expect(result.code == 78)
        #expect(result.err.contains("setting \"database\""))
        #expect(result.err.contains("/nowhere/asn.mmdb"))
    }

    @Test func `a corrupt database is a configuration error`() async throws {
        let folder = try Folder()
        let database = try folder.write("asn.mmdb", String(repeating: "garbage ", count: 1000))
        let file = try folder.write(
            "x.yaml", "worker: asn-lookup-expert\nlisten: 127.0.0.1:1\nsettings: {database: \(database)}\n")
        let result = try await Program.run(["asn-lookup-expert", "serve", "--config", file])
        #expect(result.code == 78)
        #expect(result.err.contains("setting \"database\""))
    }

    @Test func `a port in use is named`() async throws {
        let folder = try Folder()
        let port = Program.freePorts(1)[0]
        let text = "worker: taxonomy-expert\nlisten: 127.0.0.1:\(port)\nedges: [\"http://127.0.0.1:9\"]\n"
        let first = try await Program.serve("first", text, in: folder, port: port)
        defer { first.terminate() }
        let file = try folder.write("second.yaml", text)
        let second = try await Program.run(["taxonomy-expert", "serve", "--config", file])
        #expect(second.code == 78)
        #expect(second.err.contains("127.0.0.1:\(port)"))
    }

    @Test func `a door to the network needs a word`() async throws {
        let result = try await check("worker: taxonomy-expert\nlisten: 0.0.0.0:8080\n", "taxonomy-expert")
        #expect(result.code == 78)
        #expect(result.err.contains("insecure: true"))
    }

    @Test func `all mistakes of a file are named at once`() async throws {
        let result = try await check(
            "worker: asn-lookup-expert\nlisten: nowhere\nlimits: {body: much, evnts: 3}\nedges: [{to: ftp://x}]\n")
        #expect(result.code == 78)
        for part in ["listen:", "body:", "\"evnts\"", "edges:", "needs the setting \"database\""] {
            #expect(result.err.contains(part), "\(part)")
        }
    }

    @Test func `the program knows its workers and verbs`() async throws {
        #expect(try await Program.run(["list"]).out.contains("asn-lookup-expert"))
        #expect(try await Program.run(["asn-lookup-expert", "--help"]).out.contains("look-up  GET /v1/lookup/{source.ip}"))
        #expect(try await Program.run(["asn-lookup-expert", "version"]).out.hasPrefix("intelmq-asn-lookup-expert "))
        #expect(try await Program.run(["taxonomy-expert", "self-test"]).out == "ok\n")
        #expect(try await Program.run(["taxonomy-expert", "--self-test"]).out == "ok\n")
        let unknown = try await Program.run(["asn-lokup-expert"])
        #expect(unknown.code == 64)
        #expect(unknown.err.contains("did you mean \"asn-lookup-expert\"?"))
    }

    @Test func `install makes a link per worker and each link is that worker`() async throws {
        let folder = try Folder()
        #expect(try await Program.run(["install", folder.path]).code == 0)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "\(folder.path)/intelmq-taxonomy-expert")
        process.arguments = ["version"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        #expect(
            String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).hasPrefix("intelmq-taxonomy-expert"))
        process.waitUntilExit()
    }

    @Test func `several processes share a port, and one that dies comes back`() async throws {
        let folder = try Folder()
        let port = Program.freePorts(1)[0]
        let file = try folder.write(
            "x.yaml",
            "worker: taxonomy-expert\nlisten: 127.0.0.1:\(port)\nedges: [\"http://127.0.0.1:9\"]\nstate: \(folder.path)/state\n")
        let parent = Process()
        parent.executableURL = URL(fileURLWithPath: Program.path)
        parent.arguments = ["taxonomy-expert", "serve", "--config", file, "--processes", "2"]
        parent.standardError = FileHandle.nullDevice
        try parent.run()
        defer { parent.terminate() }
        func children() throws -> [Int32] {
            // A child belongs to the thread that has started it.
            let tasks = "/proc/\(parent.processIdentifier)/task"
            return try FileManager.default.contentsOfDirectory(atPath: tasks).flatMap { task in
                let text = (try? String(contentsOfFile: "\(tasks)/\(task)/children", encoding: .utf8)) ?? ""
                return text.split(separator: " ").compactMap { Int32($0) }
            }
        }
        try await eventually("two processes") { try children().count == 2 }
        try await eventually("ready") {
            try await Program.client.send(HTTPClientRequest(url: "http://127.0.0.1:\(port)/readyz")).status == 200
        }
        let first = try children()
        kill(first[0], SIGKILL)
        try await eventually("the killed one is replaced") {
            let now = try children()
            return now.count == 2 && !now.contains(first[0])
        }
        parent.terminate()
        try await Program.blocking { parent.waitUntilExit() }
        #expect(parent.terminationStatus == 0)
    }

    @Test func `bad data ends a filter with 65 and says where`() async throws {
        let result = try await Program.run(
            ["taxonomy-expert", "run"],
            input: "{\"meta\": {\"format-name\": \"IntelMQ-IDF\", \"version\": \"3.1\"}, \"data\": [}\n")
        #expect(result.code == 65)
        #expect(result.err.contains("line 1"))
        #expect(result.err.contains("column"))
    }

    @Test func `a filter that could not process a row writes the others and ends with 65`() async throws {
        let result = try await Program.run(
            ["openphish-parser", "run"], input: "http://a.example/\nnot a url\nhttp://b.example/\n")
        #expect(result.code == 65)
        #expect(result.out.contains("a.example") && result.out.contains("b.example") && !result.out.contains("not a url"))
        #expect(result.err.contains("1 rows or events could not be processed"), "\(result.err)")
        let good = try await Program.run(["openphish-parser", "run"], input: "http://a.example/\n")
        #expect(good.code == 0)
        // A workflow that is run once says it, too.
        let folder = try Folder()
        let graph = try folder.write(
            "graph.yaml",
            """
            openapi: 3.1.0
            info: {title: Once, version: 1.0.0}
            paths:
              /in: {servers: [{url: "http://127.0.0.1:1"}], post: {operationId: in, x-intelmq-worker: {uses: openphish-parser}, x-intelmq-edges: [{to: out}]}}
              /out: {servers: [{url: "http://127.0.0.1:2"}], post: {operationId: out, x-intelmq-worker: {uses: file-output, settings: {path: "\(folder.path)/out"}}}}

            """)
        let whole = try await Program.run(["ctl", "run", graph, "-"], input: "http://a.example/\nnot a url\n")
        #expect(whole.code == 65 && whole.out.contains("1 dead letters"), "\(whole.err)")
        #expect(try String(contentsOfFile: "\(folder.path)/out", encoding: .utf8).contains("a.example"))
        // What reads it goes on with what is there.
        let next = try await Program.run(["taxonomy-expert", "run"], input: result.out)
        #expect(next.code == 0 && next.out.contains("b.example"))
    }

    @Test func `links beside the program leave the program alone`() async throws {
        let folder = try Folder()
        let program = "\(folder.path)/intelmq"
        try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/detour", withDestinationPath: ".")
        try FileManager.default.copyItem(atPath: Program.path, toPath: program)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["install", "\(folder.path)/detour"]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        try await Program.blocking { process.waitUntilExit() }
        #expect(process.terminationStatus == 0)
        #expect(try FileManager.default.attributesOfItem(atPath: program)[.type] as? FileAttributeType == .typeRegular)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder.path)/intelmqctl") == program)
    }

    @Test func `a verb that is mistyped is guessed`() async throws {
        let result = try await Program.run(["ctl", "stauts"])
        #expect(result.code == 64 && result.err.contains("did you mean \"status\"?"))
    }

    @Test func `a graph with mistakes is refused with their places`() async throws {
        let folder = try Folder()
        let graph = try folder.write(
            "graph.yaml",
            """
            openapi: 3.1.0
            info: {title: x, version: "1"}
            paths:
              /a:
                post:
                  operationId: a
                  x-intelmq-worker: {uses: taxonmy-expert}
              /b:
                post:
                  operationId: b
                  x-intelmq-worker: {uses: taxonomy-expert}
                  x-intelmq-edges: [{to: c}]

            """)
        let result = try await Program.run(["ctl", "check", graph])
        #expect(result.code == 78)
        #expect(result.err.contains("graph.yaml:7:32"))
        #expect(result.err.contains("did you mean \"taxonomy-expert\"?"))
        #expect(result.err.contains("no node \"c\""))
    }
}
