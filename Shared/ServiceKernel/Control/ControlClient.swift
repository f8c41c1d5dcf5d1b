import Glibc
public import HTTP
public import IDF
import Logging

/// Operates one service: over its control socket while it runs, and otherwise on its folder directly.
public struct ControlClient: Sendable {
    private let configuration: ServiceConfiguration
    private let socket: ControlSocket
    /// The service itself, without a listener, where none runs.
    private let idle: ControlHandler?

    /// Finds out whether the service runs.
    /// - Parameter works: whether the worker of a service that does not run must work, to send something again; without, nothing
    ///   but the spool is opened.
    public init(_ configuration: ServiceConfiguration, works: Bool = false) async throws(ConfigurationError) {
        var configuration = configuration
        configuration.logFormat = .text
        configuration.isAtRest = !works
        self.configuration = configuration
        // Several processes have a folder each; their statusd speaks for all.
        let isOne = configuration.statusd.processes == 1
        guard let path = isOne ? configuration.controlSocket : configuration.controlFolder.map({ "\($0)/statusd.sock" }) else {
            throw ConfigurationError([
                "error: \(configuration.name) has no control: and no state: folder, so it keeps no spool, no dead letters and no control socket"
            ])
        }
        socket = ControlSocket(path)
        if access(path, F_OK) == 0, (try? await socket.call(.get, "/livez", timeoutMilliseconds: 5000))?.status == 200 {
            idle = nil
        } else if !isOne {
            throw ConfigurationError([
                "error: \(configuration.name) has \(configuration.statusd.processes) processes, and no statusd answers for them on \(path); start it: intelmq-statusd --config FILE"
            ])
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
            do throws(HTTPClientError) {
                let answer = try await socket.call(method, path, query, body: body)
                (status, bytes) = (answer.status, answer.body)
            } catch {
                throw .unavailable("\(configuration.name) does not answer on \(socket.path): \(error)")
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
}
