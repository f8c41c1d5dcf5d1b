import Glibc
public import HTTP
public import IDF
import Logging

/// Operates one service: over its control socket while it runs, and otherwise on its folder directly.
public struct ControlClient: Sendable {
    private let configuration: ServiceConfiguration
    private let client = HTTPClient(connectionsPerHost: 1)
    private let socket: String?
    /// The service itself, without a listener, where none runs.
    private let idle: ControlHandler?

    /// Finds out whether the service runs.
    public init(_ configuration: ServiceConfiguration) async throws(ConfigurationError) {
        var configuration = configuration
        configuration.logFormat = .text
        self.configuration = configuration
        guard let state = configuration.state else {
            throw ConfigurationError([
                "error: \(configuration.name) has no state: folder, so it keeps no spool, no dead letters and no control socket"
            ])
        }
        let socket = "\(state)/\(ControlHandler.socketName)"
        self.socket = socket
        let probe = HTTPClientRequest(url: "http://localhost/livez", timeoutMilliseconds: 5000, unixSocket: socket)
        if access(socket, F_OK) == 0, (try? await client.send(probe))?.status == 200 {
            idle = nil
        } else {
            idle = ControlHandler(
                try Service(
                    configuration, edges: ServiceRunner.edges(of: configuration, client: nil),
                    log: Log.worker(configuration.name, format: .text, level: .warning)))
        }
    }

    /// One call; the answer's JSON, or why there is none.
    public func call(
        _ method: HTTPMethod, _ path: String, _ query: [(String, String)] = [], body: [UInt8] = []
    ) async throws(Rejection) -> JSONValue {
        let status: Int
        let bytes: [UInt8]
        if let idle {
            let answer = await idle.answer(method, path, query, body)
            (status, bytes) = (answer.status, answer.body)
        } else {
            let text = query.map { "\(Self.escaped($0.0))=\(Self.escaped($0.1))" }.joined(separator: "&")
            var request = HTTPClientRequest(
                method: method, url: "http://localhost\(path)\(text.isEmpty ? "" : "?" + text)",
                body: method == .get || method == .delete ? nil : body, timeoutMilliseconds: 300_000, unixSocket: socket)
            request.headers = [("Content-Type", "application/octet-stream")]
            do throws(HTTPClientError) {
                let answer = try await client.send(request)
                (status, bytes) = (answer.status, answer.body)
            } catch {
                throw .unavailable("\(configuration.name) does not answer on \(socket ?? ""): \(error)")
            }
        }
        guard let value = try? JSONValue(parsing: bytes) else {
            throw .unavailable("\(configuration.name) answered \(status) and no JSON")
        }
        guard status < 300 else {
            let why = value["errors"]?.items?.first?["detail"]?.string ?? value["meta"]?["stopped"]?.string ?? "status \(status)"
            throw status >= 500 ? .unavailable(why) : status == 404 ? .missing(why) : .malformed(why)
        }
        return value
    }

    /// Lets go of the folder where the service does not run.
    public func close() async { await idle?.service.close() }

    private static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return text.utf8.map { byte in
            let isPlain =
                byte >= 0x30 && byte <= 0x39 || byte >= 0x41 && byte <= 0x5A || byte >= 0x61 && byte <= 0x7A
                || "-_.~".utf8.contains(byte)
            return isPlain
                ? String(UnicodeScalar(byte)) : "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
        }.joined()
    }
}
