import Glibc
public import IDF
import Logging
import Spool
import Synchronization

/// One running worker: takes packets and reports in, works, hands on, acknowledges. Every channel comes through here,
/// so that delivery is proved once.
public final class Service: Sendable {
    /// How the service runs; a reload exchanges it.
    public var configuration: ServiceConfiguration { running.withLock { $0.configuration } }
    let running: Mutex<Running>
    /// Reads the configuration anew; nil where it came from nowhere that could change.
    let reread: Reread?
    /// Reads a configuration from where it came from.
    public typealias Reread = @Sendable () throws(ConfigurationError) -> ServiceConfiguration
    /// Its counters.
    public let metrics = Metrics()
    let log: Log
    let edges: [Edge]
    /// Edges that have left the graph and still deliver what waits for them.
    let ending: [Edge]
    /// Identity of this process in packets it makes.
    let emitter = UUID.v7().description
    let spoolBox = Mutex<Spool?>(nil)
    let draining = Atomic<Bool>(false)
    let paused = Atomic<Bool>(false)
    let isReloading = Atomic<Bool>(false)
    /// Reports of a collector's rounds since the last one that ended well, by what tells them apart.
    let handed = Mutex<[UUID: Handed]>([:])
    /// Counts packets for edges that take turns.
    let turn = Atomic<Int>(0)
    /// Packets and reports that the worker has in hand.
    let inWork = Atomic<Int>(0)
    /// Whoever watches events pass.
    let tap = Tap()
    /// Counts how often something that settings name was reopened.
    let generation = Atomic<Int>(0)

    /// The configuration's worker as what its family is.
    public enum Role: Sendable {
        case collector(any Collector)
        case parser(any Parser)
        case expert(any Expert)
        case output(any Output)
        /// Between two configurations.
        case reloading
    }
    var role: Role { running.withLock { $0.role } }
    /// Who may come in.
    var door: Door { running.withLock { $0.door } }

    /// What a reload exchanges.
    struct Running: Sendable {
        var configuration: ServiceConfiguration
        var role: Role
        var door: Door
        /// The worker with its settings before it has opened anything: what a refused reload goes back to.
        let unprepared: any Worker

        /// Lets the worker open what it needs.
        init(_ configuration: ServiceConfiguration, log: Log) throws(ConfigurationError) {
            self.configuration = configuration
            unprepared = configuration.worker
            door = Door(tokens: configuration.tokens, tls: configuration.tls, listen: configuration.listen)
            let name = configuration.entry.name
            do {
                if !configuration.isAtRest {
                    if let state = configuration.state { try makeFolder(state) }
                    try self.configuration.worker.prepare(
                        WorkerContext(
                            stateDirectory: configuration.state, log: log, isTrial: configuration.isTrial))
                }
            } catch {
                throw ConfigurationError(["error: \(name) cannot start: \(error.detail)"])
            }
            switch self.configuration.worker {
            case let worker as any Expert: role = .expert(worker)
            case let worker as any Parser: role = .parser(worker)
            case let worker as any Output: role = .output(worker)
            case let worker as any Collector: role = .collector(worker)
            default: throw ConfigurationError(["error: \(name) is of no family"])
            }
        }
    }

    /// Makes a service; `prepare` of its worker opens what it needs.
    /// - Parameter edges: where events go.
    init(_ configuration: ServiceConfiguration, edges: [Edge], log: Log, reread: Reread? = nil) throws(ConfigurationError) {
        let made = try Running(configuration, log: log)
        running = Mutex(made)
        self.reread = reread
        self.edges = edges.filter { !$0.isEnding }
        ending = edges.filter(\.isEnding)
        self.log = log
        measure()
        // What was accepted when the service still was durable must go on, whatever it is now. A one-time run leaves it alone.
        let hasSpool = configuration.state.map { access("\($0)/spool.sqlite", F_OK) == 0 } ?? false
        let hasBacklog = !configuration.isOneTime && hasSpool
        let isKeeper = configuration.ack == .durable && !configuration.isAtRest
        if isKeeper || hasBacklog, made.configuration.entry.family != .output { _ = try openSpool() }
    }

    /// A service of a one-time run, whose edges are other services of this process.
    /// - Parameter arrives: sees each packet that comes to one of them; false keeps it from the service.
    public static func inProcess(
        _ configuration: ServiceConfiguration, next: [(name: String, service: Service)],
        arrives: (@Sendable (_ node: String, _ packet: Packet) -> Bool)? = nil
    ) throws(ConfigurationError) -> Service {
        var configuration = configuration
        configuration.ack = .relay
        configuration.isOneTime = true
        let log = Log.worker(configuration.name, format: configuration.logFormat, level: max(configuration.logLevel, .warning))
        return try Service(
            configuration,
            edges: next.map { one in
                let filter = configuration.edges.first { $0.name == one.name }?.filter
                let arrives = arrives.map { arrives in { @Sendable packet in arrives(one.name, packet) } }
                return Edge(
                    name: one.name, channel: InProcessChannel(target: one.service, arrives: arrives), filter: filter)
            }, log: log)
    }
}
