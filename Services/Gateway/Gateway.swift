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
    let generations: Generations
    let inForce: Mutex<Edition>
    /// One change at a time: 0 none, 1 what has left is looked after, 2 the graph is changed.
    let work = Atomic<Int>(0)
    /// Whether nothing is on its way out, so that nobody needs to look.
    let isTidy = Atomic<Bool>(false)
    /// What is on its way out, by node or edge.
    let leaving = Mutex<[String: Leaving]>([:])
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
        generations = Generations(fleet.directory)
        let given = configuration.gateway.graph
        let edition = try Self.current(generations, given: given, takes: takesGraph, roster: roster)
        let graph = edition.graph
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

    /// The generation that was in force last, or a first one of the given file; or that file as a new one, where the nodes were
    /// started with it.
    private static func current(
        _ generations: Generations, given: String, takes: Bool, roster: Roster
    ) throws(ConfigurationError) -> Edition {
        var number = generations.numbers.last ?? 0
        if number == 0 || takes {
            guard !given.isEmpty else {
                throw ConfigurationError([
                    "error: there is no workflow here yet: name one with --graph FILE, or graph: below settings: of the configuration"
                ])
            }
            _ = try Edition(try Graph(path: given, roster: roster), number: number)
            if let text = readFile(given), text != generations.text(number) {
                do throws(Rejection) {
                    number = try generations.add(text, by: "command line", change: "taken from \(given)")
                } catch { throw ConfigurationError(["error: \(error.detail)"]) }
            }
        }
        return try Edition(try Graph(path: generations.path(number), roster: roster), number: number)
    }

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
        return try takeLock("\(directory)/run/gateway.lock", for: "a gateway of \(directory)")
    }

    /// Asks every node how it is, also those that are on their way out.
    func lookAround() async { await watch.round(Set(edition.graph.nodes.map(\.name) + fleet.nodes).sorted()) }

    /// Serves until SIGTERM or SIGINT.
    func run(signals: AsyncStream<Int32>) async {
        let watching = Task {
            while !Task.isCancelled {
                await lookAround()
                await tidy()
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
