/// What enters the spool: one packet as bytes, with what must be known without reading it.
public struct SpoolPacket: Sendable, Equatable {
    /// `meta.id`, a UUID as text. Any text works; an empty one, or one over 200 bytes, is never recognised as a duplicate.
    public let id: String
    /// The number of events in it, for the accounts.
    public let events: Int
    /// The packet as it travels. Never looked into.
    public let bytes: [UInt8]

    /// A packet of `events` events.
    public init(id: String, events: Int, bytes: [UInt8]) {
        self.id = id
        self.events = events
        self.bytes = bytes
    }
}

/// A packet on its way to an edge.
public struct SpooledPacket: Sendable, Equatable {
    /// Its place in the spool: greater is later, never used twice.
    public let sequence: Int64
    /// What was appended.
    public let packet: SpoolPacket

    /// A packet at its place.
    public init(sequence: Int64, packet: SpoolPacket) {
        self.sequence = sequence
        self.packet = packet
    }
}

/// Why the spool did not do the work.
public enum SpoolError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The packets would take the spool over its limit (bytes); `used` are taken now. Refuse the sender, who tries again later.
    case full(limit: Int64, used: Int64)
    /// The disk or the file refuses: what, where, and what to do. Nothing of the call was kept.
    case disk(String)
    /// The spool was closed.
    case closed

    /// What happened and what to do, for people.
    public var description: String {
        switch self {
        case .full(let limit, let used):
            "the spool is full: \(used) of \(limit) bytes are taken; it accepts again when its edges have delivered some"
        case .disk(let words): words
        case .closed: "the spool is closed"
        }
    }
}

/// An event that could not be delivered or processed, kept to be seen, edited and replayed.
public struct DeadLetter: Sendable, Equatable {
    /// The event's id; empty when it has none (a raw row).
    public var eventID: String
    /// `meta.id` of the packet it came in.
    public var packetID: String
    /// The worker that gave up.
    public var worker: String
    /// The edge it was for; nil when processing failed rather than delivery.
    public var edge: String?
    /// A stable reason code.
    public var code: String
    /// The reason for people.
    public var detail: String
    /// How often it was tried.
    public var tries: Int
    /// First failure, Unix time in milliseconds.
    public var firstTime: Int64
    /// Last failure, Unix time in milliseconds.
    public var lastTime: Int64
    /// The JSON of the event, or the raw row.
    public var original: [UInt8]
    /// The media type of `original`.
    public var mediaType: String

    /// A dead letter with all its parts.
    public init(
        eventID: String, packetID: String, worker: String, edge: String?, code: String, detail: String, tries: Int,
        firstTime: Int64, lastTime: Int64, original: [UInt8], mediaType: String
    ) {
        self.eventID = eventID
        self.packetID = packetID
        self.worker = worker
        self.edge = edge
        self.code = code
        self.detail = detail
        self.tries = tries
        self.firstTime = firstTime
        self.lastTime = lastTime
        self.original = original
        self.mediaType = mediaType
    }
}

/// A dead letter at its place.
public struct StoredDeadLetter: Sendable, Equatable {
    /// Its number: greater is later, never used twice.
    public let id: Int64
    /// What was added.
    public let letter: DeadLetter

    /// A dead letter at its place.
    public init(id: Int64, letter: DeadLetter) {
        self.id = id
        self.letter = letter
    }
}

/// What the spool holds.
public struct SpoolStatus: Sendable, Equatable {
    /// One edge's part.
    public struct Edge: Sendable, Equatable {
        /// The edge's name.
        public let name: String
        /// Packets and events it has not acknowledged, those handed out included.
        public let backlogPackets: Int
        /// Events in these packets.
        public let backlogEvents: Int
        /// Packets handed out and neither acknowledged nor released.
        public let inFlight: Int
        /// Events acknowledged since the edge was made; kept across restarts, as are all numbers of events here.
        public let acknowledgedEvents: Int
        /// Of these, the events acknowledged as dead letters.
        public let deadLetteredEvents: Int
        /// Of these, the events acknowledged as dropped on purpose.
        public let droppedEvents: Int
        /// Events that came for the edge since it was made; counted when they come, in the transaction that brings them.
        public let acceptedEvents: Int
        /// Events that came and could not be read any more when a damaged file was repaired.
        public let lostEvents: Int
        /// Whether the edge left the graph with a backlog: it gets no new packets, its old ones are kept.
        public let isRetained: Bool

        /// Whether the accounts add up: accepted = acknowledged + backlog + lost.
        public var isBalanced: Bool { acceptedEvents == acknowledgedEvents + backlogEvents + lostEvents }
    }

    /// Packets that at least one edge still needs.
    public let packets: Int
    /// Their bytes.
    public let bytes: Int64
    /// The bytes at which new packets are refused.
    public let limitBytes: Int64
    /// Seconds since the oldest of them was appended, about; 0 when there is none.
    public let oldestAgeSeconds: Double
    /// Per edge, sorted by name.
    public let edges: [Edge]
    /// Dead letters kept.
    public let deadLetters: Int
    /// Why the disk refuses new packets at the moment; nil when it does not.
    public let refusal: String?
}
