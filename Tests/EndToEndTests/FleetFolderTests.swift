import Foundation
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
    }
}
