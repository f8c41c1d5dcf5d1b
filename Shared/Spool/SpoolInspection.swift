/// What lies in a spool's folder, for people: see `Spool.inspect`.
public struct SpoolInspection: Sendable, Equatable {
    /// A packet that at least one edge still needs.
    public struct Packet: Sendable, Equatable {
        /// Its place in the spool.
        public let sequence: Int64
        /// `meta.id`.
        public let id: String
        /// The events in it.
        public let events: Int
        /// Its bytes.
        public let bytes: Int
        /// When it was appended, Unix time in milliseconds.
        public let created: Int64
        /// The edges that have not acknowledged it, sorted.
        public let neededBy: [String]
    }

    /// The folder.
    public let directory: String
    /// The format of the tables.
    public let formatVersion: Int
    /// Bytes of the file and of its write-ahead log.
    public let fileBytes: Int64
    /// Bytes of the write-ahead log.
    public let logBytes: Int64
    /// Whether a process has the spool open.
    public let isInUse: Bool
    /// The accounts of the edges as they are on the disk, sorted by name; nothing is in flight here.
    public let edges: [SpoolStatus.Edge]
    /// All packets that some edge needs, also beyond the limit.
    public let packetCount: Int
    /// Their bytes.
    public let packetBytes: Int64
    /// Dead letters kept.
    public let deadLetters: Int
    /// The oldest packets that some edge needs, up to the limit.
    public let packets: [Packet]
    /// Damaged files that were set aside in the folder, by name.
    public let setAside: [String]
}
