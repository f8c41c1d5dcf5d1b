import Foundation
import IDF
import TestSupport
import Testing

/// What `intelmqctl` does with a workflow that is up.
@Suite(.timeLimit(.minutes(5))) struct FleetControlTests {
    private func lines(_ result: Program.Result) throws -> [JSONValue] {
        try result.out.split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8)) }
    }

    @Test func `a disabled node stays away until it is enabled, and nothing is thrown away unasked`() async throws {
        let folder = try Folder()
        let ports = Program.freePorts(2)
        let graph = try folder.write(
            "graph.yaml",
            """
            openapi: 3.1.0
            info: {title: Two, version: 1.0.0}
            paths:
              /in:
                servers: [{url: "http://127.0.0.1:\(ports[0])"}]
                post:
                  operationId: in
                  x-intelmq-worker: {uses: openphish-parser}
                  x-intelmq-edges: [{to: out}]
              /out:
                servers: [{url: "http://127.0.0.1:\(ports[1])"}]
                post: {operationId: out, x-intelmq-worker: {uses: file-output, settings: {path: \(folder.path)/out.ndjson}}}
            """)
        let fleet = "\(folder.path)/var"
        func ctl(_ words: String...) async throws -> Program.Result {
            try await Program.run(["ctl"] + words + ["--directory", fleet])
        }
        func states() async throws -> [String?] {
            try lines(try await ctl("list", "nodes", "--json")).map { $0["state"]?.string }
        }
        do {
            let up = try await ctl("up", graph)
            try #require(up.code == 0, "\(up.err)")
            #expect(try await states() == ["running", "running"])

            #expect(try await ctl("disable").code == 64)
            #expect(try await ctl("disable", "ot").err.contains("did you mean \"out\"?"))
            #expect(try await ctl("disable", "out").code == 0)
            #expect(try await states() == ["running", "disabled"])
            let status = try await ctl("status")
            // Not meant to run: nothing is wrong. And no colour where nobody looks.
            #expect(status.code == 0 && status.out.contains("disabled") && !status.out.contains("\u{1B}"))
            let start = try await ctl("start", "out")
            #expect(start.code == 69 && start.err.contains("intelmqctl enable out"))
            let paused = try lines(try await ctl("pause", "--json"))
            #expect(paused.map { $0["node"]?.string } == ["in"])

            #expect(try await ctl("down").code == 0)
            #expect(try await ctl("up", graph).code == 0)
            #expect(try await states() == ["running", "disabled"])
            #expect(try await ctl("enable", "out").out.contains("started"))
            #expect(try await states() == ["running", "running"])

            let sum = try #require(try lines(try await ctl("list", "queues", "--sum", "--json")).first)
            #expect(sum["packets"]?.integer == 0 && sum["dead-letters"]?.integer == 0)
            #expect(try await ctl("list", "queues", "--non-zero", "--json").out.isEmpty)
            let clear = try await ctl("clear", "in")
            #expect(clear.code == 64 && clear.err.contains("acknowledged") && clear.err.contains("--dead-letters"))
            #expect(try await ctl("clear", "in", "--dead-letters").out.contains("0 dead letters deleted"))
            let top = try await ctl("top", "--count", "2", "--interval", "0.1")
            #expect(top.code == 0 && top.out.split(separator: "\n").count == 6 && !top.out.contains("\u{1B}"))
        } catch {
            _ = try? await ctl("down")
            throw error
        }
        #expect(try await ctl("down").code == 0)
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func `completion knows verbs and workers`(_ shell: String) async throws {
        let own = try await Program.run(["completion", shell])
        #expect(own.code == 0 && own.out.contains("taxonomy-expert") && own.out.contains("self-test"))
        let ctl = try await Program.run(["ctl", "--generate-completion-script", shell])
        #expect(ctl.code == 0 && ctl.out.contains("dead-letters") && ctl.out.contains("networkpolicy"))
        guard shell == "bash" else { return }
        for script in [own.out, ctl.out] {
            let bash = Process()
            bash.executableURL = URL(fileURLWithPath: "/bin/bash")
            let folder = try Folder()
            bash.arguments = ["-n", try folder.write("script", script)]
            try bash.run()
            try await Program.blocking { bash.waitUntilExit() }
            #expect(bash.terminationStatus == 0)
        }
        #expect(try await Program.run(["completion", "tcsh"]).code == 64)
    }

    @Test func `what a report of a problem needs is printed as JSON, too`() async throws {
        let debug = try JSONValue(parsing: Array(try await Program.run(["ctl", "debug", "--json"]).out.utf8))
        #expect(debug["program"]?["version"]?.string?.isEmpty == false && debug["paths"]?["state"]?.string != nil)
        #expect(debug["libraries"]?.members?.contains { $0.name.hasPrefix("libsqlite3") } == true)
        let workers = try lines(try await Program.run(["ctl", "list", "workers", "--json"]))
        #expect(workers.contains { $0["worker"]?.string == "taxonomy-expert" })
    }

    /// Tests have no terminal: a run says nothing of how far it is.
    @Test func `a run without a terminal shows no progress`() async throws {
        let run = try await Program.run(["taxonomy-expert", "run"])
        #expect(run.code == 0 && !run.err.contains("\u{1B}") && run.err.isEmpty)
    }
}
