/// One line of a roster: a kind of worker that the program knows.
public struct RosterEntry: Sendable {
    /// What it is for.
    public let spec: Spec
    /// Which of the four kinds it is.
    public let family: Family
    /// Makes a worker with default settings.
    public let make: @Sendable () -> any Worker

    /// A worker that is a Swift type.
    public init<W: Worker>(_ type: W.Type) {
        self.init(spec: W.spec, family: W.family) { W() }
    }

    /// A worker whose specification is data (a mapping file).
    public init(spec: Spec, family: Family, make: @escaping @Sendable () -> any Worker) {
        self.spec = spec
        self.family = family
        self.make = make
    }

    /// Name with the family, as `asn-lookup-expert`.
    public var name: String { "\(spec.name)-\(family.rawValue)" }
    /// Name of the program, as `intelmq-asn-lookup-expert`.
    public var programName: String { "intelmq-\(name)" }
    /// How the worker acknowledges unless its configuration says otherwise.
    public var ack: AckMode { spec.ack ?? family.ack }
}

/// The workers that a program knows.
public struct Roster: Sendable {
    /// In the order of their families.
    public let workers: [RosterEntry]

    /// A roster of these workers.
    public init(_ workers: [RosterEntry]) { self.workers = workers }

    /// The names with their families.
    public var names: [String] { workers.map(\.name) }

    /// The worker of that name, given with or without `intelmq-`.
    public func worker(named name: String) -> RosterEntry? {
        let short = name.hasPrefix("intelmq-") ? String(name.dropFirst(8)) : name
        return workers.first { $0.name == short }
    }
}
