import Glibc
import HTTP
import Logging
import ServiceKernel
import Synchronization
import Workflow

/// A running gateway.
final class Gateway: Sendable {
    let configuration: ServiceConfiguration
    let roster: Roster
    let fleet: LocalFleet
    let watch: FleetWatch
    let log: Log
    /// Keeps connections to the nodes.
    let client = HTTPClient(connectionsPerHost: 64)
    private let inForce: Mutex<Edition>
    private let servers = Mutex<[HTTPServer]>([])
    private let lock: Int32

    /// - Parameter takesGraph: whether the graph's file becomes a new generation when it differs from the one in force.
    init(_ configuration: ServiceConfiguration, roster: Roster, takesGraph: Bool) throws(ConfigurationError) {
        var configuration = configuration
        self.roster = roster
        log = Log.worker(configuration.name, format: configuration.logFormat, level: configuration.logLevel)
        fleet = LocalFleet(directory: configuration.gateway.directory)
        watch = FleetWatch(fleet)
        lock = try Self.lock(fleet.directory)
        let graph = try Graph(path: configuration.gateway.graph, roster: roster)
        let edition = try Edition(graph, number: 1)
        inForce = Mutex(edition)
        if configuration.listen == nil { configuration.listen = try Self.address(of: graph, configuration) }
        self.configuration = configuration
        // Whoever may open the socket in the workflow's folder may start and stop its services anyway.
        for (listen, tokens, tls) in [
            ("unix:\(fleet.gatewaySocket)", [], nil), (configuration.listen ?? "", configuration.tokens, configuration.tls),
        ] {
            var http = HTTPServerConfiguration(listening: listen, tls: tls)
            http.unixSocketMode = 0o600
            http.threads = configuration.threads
            http.connectionLimit = configuration.limits.connections
            http.connectionTimeout = max(1, Int(configuration.limits.idle.seconds))
            let door = Door(tokens: tokens, tls: tls, listen: listen, operates: true)
            do {
                let made = try HTTPServer(http, handler: GatewayHandler(self, door: door))
                servers.withLock { $0.append(made) }
            } catch {
                throw ConfigurationError(["error: the gateway cannot listen on \(listen): \(error)"])
            }
        }
    }

    /// The generation in force.
    var edition: Edition { inForce.withLock { $0 } }

    /// Where the graph says that its gateway is; no door to the network is opened without a guard.
    private static func address(of graph: Graph, _ configuration: ServiceConfiguration) throws(ConfigurationError) -> String {
        let root = graph.document.root
        let server = root["servers"]?.array?.first?["url"] ?? root
        let parts = (server.string ?? "").split(separator: "/")
        guard parts.count == 2, let scheme = parts.first, scheme == "http:" || scheme == "https:",
            parts[1].split(separator: ":").last.flatMap({ UInt16($0) }) != nil
        else {
            throw ConfigurationError([
                graph.document.diagnostic(
                    "the graph does not say where its gateway listens", at: server,
                    help: "add to its root: servers: [{url: \"http://127.0.0.1:8700\"}], or give the gateway listen:")
            ])
        }
        let listen = String(parts[1])
        let isGuarded = !configuration.tokens.isEmpty || configuration.tls?.clientAuthority != nil || configuration.isInsecure
        guard isGuarded || ConfigurationReader.isLocal(listen) else {
            throw ConfigurationError([
                graph.document.diagnostic(
                    "a gateway on \(listen) would open a door to the network without authentication", at: server,
                    help: "give the gateway a configuration file with tokens: or tls: with client-ca:, or an address of loopback")
            ])
        }
        return listen
    }

    /// Two gateways on one folder would undo each other's changes.
    private static func lock(_ directory: String) throws(ConfigurationError) -> Int32 {
        do throws(Rejection) { try makeFolder("\(directory)/run") } catch { throw ConfigurationError(["error: \(error.detail)"]) }
        let path = "\(directory)/run/gateway.lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ConfigurationError(["error: cannot write \(path): \(String(cString: strerror(errno)))"])
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let owner = readFile(path).map { String(decoding: $0, as: UTF8.self).filter(\.isNumber) } ?? ""
            close(descriptor)
            throw ConfigurationError([
                "error: a gateway of \(directory) runs already\(owner.isEmpty ? "" : " (process \(owner))"): it holds \(path); stop it first"
            ])
        }
        ftruncate(descriptor, 0)
        _ = writeAll(descriptor, Array("\(getpid())\n".utf8))
        return descriptor
    }

    /// Serves until SIGTERM or SIGINT.
    func run(signals: AsyncStream<Int32>) async {
        let watching = Task {
            while !Task.isCancelled {
                await watch.round(edition.graph.nodes.map(\.name))
                try? await Task.sleep(for: .seconds(1))
            }
        }
        let guarding = Task {
            var doors = DoorWatch(configuration)
            while (try? await Task.sleep(for: .seconds(1))) != nil {
                doors.look(configuration, servers.withLock { Array($0.dropFirst()) }, log)
            }
        }
        log.notice(
            "started",
            metadata: [
                "listen": "\(configuration.listen ?? "")", "generation": "\(edition.number)", "pid": "\(getpid())",
            ])
        for await signal in signals where signal != SIGHUP { break }
        watching.cancel()
        guarding.cancel()
        for server in servers.withLock({ $0 }) { await server.stop(deadline: .seconds(5)) }
        close(lock)
        log.notice("stopped")
    }
}
