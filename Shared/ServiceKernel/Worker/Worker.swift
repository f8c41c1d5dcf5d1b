import Bulk
public import IDF

/// One small service. A worker is a value: its `spec`, its settings (`@Setting`), its state, and one verb of its family.
/// The kernel may call that verb from several threads at once.
public protocol Worker: Sendable {
    /// What the worker is for.
    static var spec: Spec { get }
    /// Which of the four kinds it is.
    static var family: Family { get }
    /// A worker with default settings.
    init()
    /// Called once, after the settings are read and before the first event: opens state that needs several settings.
    /// - Parameter context: where the worker may keep state, and its log.
    mutating func prepare(_ context: WorkerContext) throws(Rejection)
    /// What the answers depend on besides the event (the build of a database): becomes the `ETag` of look-ups.
    var build: String? { get }
    /// Fetches what the worker's database needs (`update-db`) and answers a sentence of what was done.
    func updateDatabase(_ context: WorkerContext) async throws(Rejection) -> String
}

extension Worker {
    /// Nothing to prepare.
    public mutating func prepare(_ context: WorkerContext) throws(Rejection) {}
    /// Nothing besides the event.
    public var build: String? { nil }
    /// This worker has no database to fetch.
    public func updateDatabase(_ context: WorkerContext) async throws(Rejection) -> String {
        throw .malformed("this worker has no database that it could fetch")
    }
}

/// What a worker is told about its surroundings.
public struct WorkerContext: Sendable {
    /// Folder that the worker may keep state in, made by the kernel; nil where nothing may be kept (look-ups, try-outs).
    public let stateDirectory: String?
    /// The worker's log.
    public let log: Log
    /// Whether the worker is only checked: nothing that others see may be made, locked or changed.
    public let isTrial: Bool

    /// Where reports that are too many bytes for memory lie meanwhile, in files without a name.
    public var folderForLargeReports: String { stateDirectory ?? BulkWriter.temporaryDirectory }

    /// Makes a context.
    public init(stateDirectory: String?, log: Log, isTrial: Bool = false) {
        self.stateDirectory = stateDirectory
        self.log = log
        self.isTrial = isTrial
    }
}

/// Adds to, changes or drops events.
public protocol Expert: Worker {
    /// Works on one event. Throwing `malformed` or `missing` makes it a dead letter; `unavailable` and `limited` make
    /// the whole packet come again later.
    func process(_ event: inout Event) throws(Rejection) -> Verdict
    /// The same for a try-out (`Prefer: return=representation`): works, and remembers nothing.
    func preview(_ event: inout Event) throws(Rejection) -> Verdict
    /// The packet that held this event could not be handed on and will come again: forget what `process` remembered of it.
    func release(_ event: Event)
}

extension Expert {
    /// Experts add to events.
    public static var family: Family { .expert }
    /// Most experts remember nothing, so that working is looking.
    public func preview(_ event: inout Event) throws(Rejection) -> Verdict { try process(&event) }
    /// Most experts remember nothing.
    public func release(_ event: Event) {}
}

/// What becomes of an event after an expert.
public enum Verdict: Sendable, Equatable {
    /// It goes on.
    case forward
    /// It ends here, for that reason: a short stable word that becomes a metric's label.
    case drop(String)
    /// It goes on by the named path instead: over the edges that say `on: path:NAME`. Without such an edge it ends here, counted
    /// as dropped for the reason `unrouted`.
    case path(String)
}

/// Makes events of reports.
public protocol Parser: Worker {
    /// Reads one report. Each event goes to `events.add`; a row that cannot be read to `events.reject`, and the rest goes on.
    /// Throwing refuses the whole report: its sender hears why and still has it.
    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection)
}

extension Parser {
    /// Parsers read reports.
    public static var family: Family { .parser }
}

/// Fetches reports.
public protocol Collector: Worker {
    /// Time between two rounds.
    var interval: Interval { get }
    /// One round: hands each new report to `hand`, which returns when the report is acknowledged, or throws; only then
    /// may the collector remember that it has had it.
    func collect(_ context: WorkerContext, hand: @Sendable (Report) async throws(Rejection) -> Void) async throws(Rejection)
}

extension Collector {
    /// Collectors fetch.
    public static var family: Family { .collector }
}

/// Hands events on to something outside the fleet.
public protocol Output: Worker {
    /// Writes the events and returns when they are safe there. Writing an event (by its id) twice has one effect.
    /// Answers the events that can never be written, each with the reason; throwing makes all of them come again.
    func write(_ events: [Event]) async throws(Rejection) -> [RejectedEvent]
}

extension Output {
    /// Outputs hand on.
    public static var family: Family { .output }
}

/// An event that an output can never write.
public struct RejectedEvent: Sendable {
    /// Its place in the list given.
    public let index: Int
    /// Why.
    public let rejection: Rejection

    /// Names the event and the reason.
    public init(index: Int, _ rejection: Rejection) {
        self.index = index
        self.rejection = rejection
    }
}
