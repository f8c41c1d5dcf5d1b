public import IDF

/// What a worker is for and what it touches: the head of its file, and the source of its help, documents and checks.
public struct Spec: Sendable {
    /// Name without the family, as `asn-lookup`.
    public let name: String
    /// One sentence.
    public let summary: String
    /// Fields the worker reads.
    public let reads: [FieldID]
    /// Fields the worker may write; the case runner fails a worker that writes another.
    public let writes: [FieldID]
    /// True for workers whose fields are named by their settings or their data (generic parsers): they may write any.
    public let writesAny: Bool
    /// The field whose value is looked up by `GET /v1/lookup/{value}`, if the worker offers that.
    public let lookup: FieldID?
    /// How the worker acknowledges unless its configuration says otherwise; nil: by its family.
    public let ack: AckMode?
    /// Words for the index, as `verifier`, `converter`; `stateful`: it must find again on its disk what it has seen.
    public let tags: [String]

    /// Describes a worker.
    public init(
        _ name: String, _ summary: String, reads: [any FieldKey] = [], writes: [any FieldKey] = [], writesAny: Bool = false,
        lookup: (any FieldKey)? = nil, ack: AckMode? = nil, tags: [String] = []
    ) {
        self.name = name
        self.summary = summary
        self.reads = reads.map(\.id)
        self.writes = writes.map(\.id)
        self.writesAny = writesAny
        self.lookup = lookup?.id
        self.ack = ack
        self.tags = tags
    }
}

/// A field named by a typed key, whatever the type.
public protocol FieldKey: Sendable {
    /// The field.
    var id: FieldID { get }
}

extension Key: FieldKey {}

/// When a worker acknowledges what it was given.
public enum AckMode: String, Sendable, CaseIterable {
    /// After every next hop has acknowledged; keeps nothing itself.
    case relay
    /// After the packet is synced to the worker's own disk.
    case durable
}

/// The four kinds of workers.
public enum Family: String, Sendable, CaseIterable {
    case collector, parser, expert, output

    /// How workers of the family acknowledge unless they or their configuration say otherwise.
    public var ack: AckMode { self == .collector || self == .parser ? .durable : .relay }
}
