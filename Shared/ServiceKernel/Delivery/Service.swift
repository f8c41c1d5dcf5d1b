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
    private let spoolBox = Mutex<Spool?>(nil)
    private let draining = Atomic<Bool>(false)
    let paused = Atomic<Bool>(false)
    let isReloading = Atomic<Bool>(false)
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

    /// Whether packets rest in the spool before they go on.
    var isDurable: Bool { configuration.ack == .durable && !edges.isEmpty && spool != nil }

    // MARK: spool

    var spool: Spool? { spoolBox.withLock { $0 } }

    /// The spool, also where only dead letters of an earlier time are in it; nil where there is none.
    var deadLetterSpool: Spool? {
        if let spool { return spool }
        guard let state = configuration.state, access("\(state)/spool.sqlite", F_OK) == 0 else { return nil }
        return try? openSpool()
    }

    /// The spool, made where there is none.
    func openSpool() throws(ConfigurationError) -> Spool {
        guard let state = configuration.state else {
            throw ConfigurationError([
                "error: \(configuration.name) acknowledges durably or keeps a dead letter and so needs a folder: add  state: /var/lib/intelmq/\(configuration.name)"
            ])
        }
        do {
            let made = try spoolBox.withLock { box throws(SpoolError) in
                if let box { return box }
                let made = try Spool(
                    directory: state, edges: edges.map(\.name), limitBytes: Int64(configuration.limits.spool.bytes))
                box = made
                return made
            }
            for note in made.takeNotes() { log.warning("spool: \(note)") }
            metrics.observe("intelmq_spool_packets") { [("", Double(made.status().packets))] }
            metrics.observe("intelmq_spool_bytes") { [("", Double(made.status().bytes))] }
            metrics.observe("intelmq_spool_limit_bytes") { [("", Double(made.status().limitBytes))] }
            metrics.observe("intelmq_spool_oldest_seconds") { [("", Double(made.status().oldestAgeSeconds))] }
            metrics.observe("intelmq_spool_events") {
                made.status().edges.map { (Metrics.labels([("edge", $0.name)]), Double($0.backlogEvents)) }
            }
            for (name, value) in Self.accounts {
                metrics.observe(name) { made.status().edges.map { (Metrics.labels([("edge", $0.name)]), Double(value($0))) } }
            }
            metrics.observe("intelmq_dead_letters") { [("", Double(made.deadLetterCount()))] }
            return made
        } catch {
            throw ConfigurationError(["error: cannot open the spool in \(state): \(error)"])
        }
    }

    /// What the accounts of an edge are made of: accepted = delivered + dead-lettered + dropped + lost + in the spool.
    private static let accounts: [(String, @Sendable (SpoolStatus.Edge) -> Int)] = [
        ("intelmq_edge_events_accepted_total", { $0.acceptedEvents }),
        ("intelmq_edge_events_delivered_total", { $0.acknowledgedEvents - $0.deadLetteredEvents - $0.droppedEvents }),
        ("intelmq_edge_events_dead_lettered_total", { $0.deadLetteredEvents }),
        ("intelmq_edge_events_dropped_total", { $0.droppedEvents }),
        ("intelmq_edge_events_lost_total", { $0.lostEvents }),
    ]

    /// Whether dead letters can be kept here. A relay without a folder keeps nothing at all: it refuses the packet with 422, and the
    /// durable service before it finds the bad event and keeps it.
    var hasGrave: Bool { configuration.state != nil || configuration.isOneTime }

    /// Keeps dead letters on disk; false when that is not possible, and then nothing may be acknowledged.
    func bury(_ letters: [DeadLetter], _ trace: TraceParent? = nil) async -> Bool {
        guard !letters.isEmpty else { return true }
        for letter in letters { announce(letter, trace) }
        do {
            try await openSpool().addDeadLetters(letters)
            return true
        } catch let error as SpoolError {
            log.error("cannot keep dead letters: \(error)")
        } catch {
            // Without a folder there is only the log; one-time runs print it, services refuse.
            if configuration.isOneTime { return true }
            log.error("\(error)")
        }
        return false
    }

    /// Tells of a dead letter in log and metrics.
    func announce(_ letter: DeadLetter, _ trace: TraceParent?) {
        var words: Log.Metadata = ["code": "\(letter.code)", "detail": "\(letter.detail)", "event": "\(letter.eventID)"]
        words["packet.id"] = "\(letter.packetID)"
        if let trace { words["trace.id"] = "\(trace.traceID)" }
        // A one-time run has no other place for them.
        if configuration.isOneTime { words[Log.everyOne] = "true" }
        log.warning("dead letter", metadata: words)
        metrics.count("intelmq_events_dead_lettered_total", 1, [("code", letter.code)])
    }

    func letter(_ id: UUID, packet: UUID, _ rejection: Rejection, original: [UInt8], mediaType: String, edge: String? = nil)
        -> DeadLetter
    {
        let now = Timestamp.now().nanoseconds / 1_000_000
        return DeadLetter(
            eventID: id.description, packetID: packet.description, worker: configuration.name, edge: edge, code: rejection.code,
            detail: rejection.detail, tries: 1, firstTime: now, lastTime: now, original: original, mediaType: mediaType)
    }

    // MARK: state

    /// What the service does at the moment.
    enum Phase: String { case running, paused, stopping }
    var phase: Phase {
        draining.load(ordering: .relaxed) ? .stopping : paused.load(ordering: .relaxed) ? .paused : .running
    }

    /// Whether the service takes packets.
    public var isReady: Bool { phase == .running }

    /// Waits while the service is paused; false when it stops.
    func whenRunning() async -> Bool {
        while phase == .paused { guard (try? await Task.sleep(for: .milliseconds(100))) != nil else { return false } }
        return phase == .running
    }

    /// Why nothing is taken now.
    var notNow: Answer {
        phase == .paused
            ? .refused(503, "paused", "\(configuration.name) is paused by its operator; send it again later", retryAfter: 5)
            : .refused(503, "stopping", "\(configuration.name) is stopping; send it again", retryAfter: 1)
    }

    /// Refuses what comes from now on.
    func drain() { draining.store(true, ordering: .relaxed) }

    /// Ends the service; what is in the spool stays there.
    public func close() async { await spool?.close() }

    /// Reopens what settings name, where it has changed on disk; a broken new one is reported and the old one goes on.
    func refresh() {
        LogRepetition.shared.sweep()
        // A spool may find damage at any time; nobody would know.
        for note in spool?.takeNotes() ?? [] { log.error("spool: \(note)") }
        for setting in NamedSetting.all(of: configuration.worker) {
            do {
                if try setting.slot.refresh() {
                    generation.add(1, ordering: .relaxed)
                    log.info("reopened: it has changed on disk", metadata: ["setting": "\(setting.name)"])
                }
            } catch {
                log.error(
                    "the changed file is not usable, the old one goes on: \(error.message)",
                    metadata: ["setting": "\(setting.name)"])
            }
        }
    }
}

/// What a channel is told about a packet it brought.
public struct Answer: Sendable {
    /// HTTP status: 200 handed on, 202 kept, 4xx and 5xx refused.
    public var status: Int
    /// Why it was refused.
    public var problems: [Problem] = []
    /// Events of an accepted packet that became dead letters: place in the packet, code, detail.
    public var failed: [(index: Int, code: String, detail: String)] = []
    /// Events and reports accepted.
    public var accepted = 0
    /// Seconds after which it may work.
    public var retryAfter: Double?

    /// Whether the data is ours now.
    public var isAccepted: Bool { status < 300 }

    static func refused(_ status: Int, _ code: String, _ detail: String, retryAfter: Double? = nil) -> Answer {
        Answer(status: status, problems: [Problem(status, code, detail)], retryAfter: retryAfter)
    }
}
