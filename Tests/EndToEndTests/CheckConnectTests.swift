import Foundation
import HTTP
import Testing

/// `intelmqctl check --connect`: is every service there, and what the graph says?
@Suite struct CheckConnectTests {
    /// Answers everything, as a program that is no service of the fleet.
    private struct Stranger: HTTPHandler {
        func immediate(_ head: HTTPRequestHead) -> HTTPResponse? { HTTPResponse(text: "hello\n") }
        func bodyLimit(_ head: HTTPRequestHead) -> Int { 0 }
        func respond(to request: HTTPRequest) async -> HTTPResponse { HTTPResponse(text: "hello\n") }
    }

    @Test func `absent services, strangers and wrong workers are named`() async throws {
        let folder = try Folder()
        let ports = Program.freePorts(2)
        let stranger = try HTTPServer(HTTPServerConfiguration(), handler: Stranger())
        let taxonomy = try await Program.serve(
            "taxonomy", "worker: taxonomy-expert\nlisten: 127.0.0.1:\(ports[0])\nedges: [\"http://127.0.0.1:9\"]\n", in: folder,
            port: ports[0])
        defer { taxonomy.terminate() }
        func node(_ name: String, _ port: Int, _ uses: String, to: String) -> String {
            "  /\(name): {servers: [{url: \"http://127.0.0.1:\(port)\"}], post: {operationId: \(name), x-intelmq-worker: {uses: \(uses)}, x-intelmq-edges: [\(to)]}}\n"
        }
        let graph = try folder.write(
            "graph.yaml",
            "openapi: 3.1.0\ninfo: {title: T, version: 1.0.0}\npaths:\n"
                + node("absent", ports[1], "openphish-parser", to: "{to: right}")
                + node("right", ports[0], "taxonomy-expert", to: "{to: strange}")
                + node("strange", Int(stranger.port), "deduplicator-expert", to: ""))
        let result = try await Program.run(["ctl", "check", graph, "--connect"])
        #expect(result.code == 78)
        #expect(result.err.contains("absent at http://127.0.0.1:\(ports[1]): cannot be reached"))
        #expect(result.err.contains("graph.yaml:4:") && result.err.contains("intelmqctl up"))
        #expect(
            result.err.contains(
                "strange at http://127.0.0.1:\(stranger.port): something answers, but it does not speak the service contract"))
        #expect(!result.err.contains("right at"))
        let text = try String(contentsOfFile: graph, encoding: .utf8)
            .replacingOccurrences(of: "taxonomy-expert", with: "deduplicator-expert")
        let other = try folder.write("other.yaml", text)
        let wrong = try await Program.run(["ctl", "check", other, "--connect", "--json"])
        #expect(
            wrong.code == 78 && wrong.out.contains("found the service taxonomy-expert, wanted deduplicator-expert"),
            "\(wrong.out)")
        await stranger.stop(deadline: .seconds(1))
    }
}
