import Foundation
import HTTP
import IDF

/// A workflow with its gateway: a durable intake, two experts, and files that the events end in.
final class GatewayFleet: Sendable {
    let folder = try! Folder()
    /// Of the gateway and of the nodes.
    let ports: [Int]
    var directory: String { "\(folder.path)/fleet" }

    /// - Parameters:
    ///   - text: the graph; PORT0 to PORT9 and FOLDER are filled in.
    ///   - settings: of `etc/gateway.yaml`; made by `up` without.
    init(_ text: String = GatewayFleet.graph, configuration: String? = nil) async throws {
        ports = Program.freePorts(10)
        let graph = try folder.write("graph.yaml", fill(text))
        if let configuration {
            try FileManager.default.createDirectory(atPath: "\(directory)/etc", withIntermediateDirectories: true)
            try folder.write("fleet/etc/gateway.yaml", fill(configuration))
        }
        let up = try await Program.run(["ctl", "up", graph, "--directory", directory, "--gateway"])
        guard up.code == 0 else { throw Failure(up.err) }
    }

    deinit {
        Program.killAll(in: "\(directory)/run")
    }

    func fill(_ text: String) -> String {
        ports.enumerated().reduce(text.replacing("FOLDER", with: folder.path)) {
            $0.replacing("PORT\($1.offset)", with: "\($1.element)")
        }
    }

    func stop() async throws { _ = try await Program.run(["ctl", "down", "--directory", directory]) }

    func call(
        _ path: String, _ method: HTTPMethod = .get, _ body: String? = nil, headers: [(name: String, value: String)] = [],
        type: String = "application/json"
    ) async throws -> HTTPClientResponse {
        try await Program.client.send(
            HTTPClientRequest(
                method: method, url: "http://127.0.0.1:\(ports[0])\(path)", headers: headers + [("Content-Type", type)],
                body: method == .get ? nil : Array((body ?? "").utf8), timeoutMilliseconds: 120_000))
    }

    func json(_ path: String) async throws -> JSONValue { try JSONValue(parsing: try await call(path).body) }

    /// A packet with one event of this id, which also is the name of a host.
    static func packet(_ id: String = UUID.v7().description) -> String {
        """
        {"meta": {"format-name": "IntelMQ-IDF", "version": "3.1"}, "data": [{"type": "event", "id": "\(id)",
        "attributes": {"source": {"ip": "192.0.2.1"}, "custom": {"number": "\(id)"}}}]}
        """
    }

    /// What stands in the files that the events end in.
    func written(_ name: String) -> String { (try? String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)) ?? "" }

    static let graph = """
        openapi: 3.1.0
        info: {title: A test, version: 1.0.0}
        servers: [{url: "http://127.0.0.1:PORT0"}]
        x-intelmq-chains: {quick: [asn]}
        paths:
          /intake:
            servers: [{url: "http://127.0.0.1:PORT1"}]
            post:
              operationId: intake
              responses: {"202": {description: On disk.}}
              x-intelmq-worker: {uses: taxonomy-expert, ack: durable}
              x-intelmq-edges: [{to: asn}]
          /asn:
            servers: [{url: "http://127.0.0.1:PORT2"}]
            post:
              operationId: asn
              responses: {"200": {description: Handed on.}}
              x-intelmq-worker: {uses: asn-lookup-expert, settings: {database: deploy/demo/asn.mmdb}}
              x-intelmq-edges: [{to: store}]
          /store:
            servers: [{url: "http://127.0.0.1:PORT3"}]
            post:
              operationId: store
              responses: {"200": {description: Written.}}
              x-intelmq-worker: {uses: file-output, settings: {path: FOLDER/events.ndjson}}

        """
}

/// Says yes to everything.
struct Stranger: HTTPHandler {
    func immediate(_ head: HTTPRequestHead) -> HTTPResponse? { nil }
    func bodyLimit(_ head: HTTPRequestHead) -> Int { 1 << 20 }
    func respond(to request: HTTPRequest) async -> HTTPResponse { HTTPResponse(text: "hello\n") }
}
