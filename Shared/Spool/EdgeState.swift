/// An edge as it stands in the file.
struct EdgeRow: Sendable, Equatable {
    var name: String
    /// Every packet up to here needs nothing more from this edge.
    var cursor: Int64
    /// The last packet that concerns an edge which left the graph; nil while it is in it.
    var until: Int64?
    /// Packets beyond the cursor that need nothing more either.
    var ahead = SequenceSet()
    /// Events acknowledged since the edge was made.
    var acknowledged: Int64 = 0
    var deadLettered: Int64 = 0
    var dropped: Int64 = 0
    /// Events that came for the edge since it was made; counted when they come, not from the others.
    var accepted: Int64 = 0
    /// Events that came and then could not be read any more.
    var lost: Int64 = 0

    /// How many events of the accounts are nowhere, when so many are in the spool for the edge; 0 is as it must be.
    func missing(backlog: Int) -> Int64 { accepted - acknowledged - lost - Int64(backlog) }

    /// Counts a packet done.
    mutating func settle(_ sequence: Int64, events: Int, deadLettered: Int, dropped: Int) {
        cover(sequence...sequence)
        acknowledged += Int64(events)
        self.deadLettered += Int64(deadLettered)
        self.dropped += Int64(dropped)
    }

    /// Brings the accounts in line with what is there after damage: what is nowhere is lost, what is there again is no longer
    /// acknowledged.
    mutating func settleAccounts(backlog: Int) {
        let missing = missing(backlog: backlog)
        if missing > 0 { lost += missing }
        if missing < 0 {
            acknowledged = max(0, acknowledged + missing)
            deadLettered = min(deadLettered, acknowledged)
            dropped = min(dropped, acknowledged - deadLettered)
            accepted = acknowledged + lost + Int64(backlog)
        }
    }

    /// Whether the edge needs nothing (more) of this packet.
    func covers(_ sequence: Int64) -> Bool {
        if sequence <= cursor { return true }
        if let until, sequence > until { return true }
        return ahead.contains(sequence)
    }

    /// All packets the edge needs nothing of.
    var coverage: SequenceSet {
        var set = ahead
        set.insert(Int64.min...cursor)
        if let until, until < .max { set.insert(until + 1...Int64.max) }
        return set
    }

    /// Marks packets as done and moves the cursor over what is contiguous.
    mutating func cover(_ range: ClosedRange<Int64>) {
        ahead.insert(range)
        while let first = ahead.ranges.first, first.lowerBound <= cursor + 1 {
            cursor = max(cursor, first.upperBound)
            _ = ahead.removeFirst()
        }
    }
}

/// One edge in memory: what it has, what it is waiting for.
struct EdgeState: Sendable {
    struct Waiter: Sendable {
        let ticket: UInt64
        let continuation: CheckedContinuation<SpooledPacket?, Never>
    }

    /// What there is for an edge that asks.
    enum Offer {
        case packet(SpooledPacket)
        /// It is on the disk: the reader has to fetch it.
        case onDisk
        case nothing
    }

    var row: EdgeRow
    var backlogPackets = 0
    var backlogEvents = 0
    /// The last packet handed out or read ahead.
    var position: Int64
    /// Read ahead from the disk, in order, all before any packet after `position`.
    var ready = Queue<SpooledPacket>()
    /// Released, to be handed out again first; sorted.
    var returned: [SpooledPacket] = []
    var inFlight: [Int64: SpooledPacket] = [:]
    /// Of these, the ones that changed on the disk and are about to become dead letters.
    var damaged: Set<Int64> = []
    var waiters = Queue<Waiter>()
    /// Whether the reader is at work for this edge.
    var isLoading = false
    /// Whether `row` is newer than the file.
    var isDirty = false

    init(row: EdgeRow) {
        self.row = row
        position = row.cursor
    }

    /// The last packet that concerns this edge.
    func end(_ last: Int64) -> Int64 { min(row.until ?? .max, last) }

    mutating func offer(hot: HotPackets, last: Int64) -> Offer {
        // The cursor also moves over packets that never were for this edge.
        position = max(position, row.cursor)
        if !returned.isEmpty { return handOut(returned.removeFirst()) }
        if let packet = ready.popFirst() { return handOut(packet) }
        if isLoading { return .onDisk }
        while position < end(last) {
            if let done = row.ahead.range(around: position + 1) {
                position = min(done.upperBound, end(last))
            } else if let packet = hot[position + 1] {
                position += 1
                return handOut(packet)
            } else {
                return .onDisk
            }
        }
        return .nothing
    }

    private mutating func handOut(_ packet: SpooledPacket) -> Offer {
        inFlight[packet.sequence] = packet
        return .packet(packet)
    }

    /// A packet that is handed out (or released since).
    func held(_ sequence: Int64) -> SpooledPacket? {
        inFlight[sequence] ?? returned.first { $0.sequence == sequence }
    }

    mutating func giveBack(_ sequence: Int64) {
        guard let packet = inFlight.removeValue(forKey: sequence) else { return }
        let at = returned.firstIndex { $0.sequence > sequence } ?? returned.count
        returned.insert(packet, at: at)
    }

    /// Takes a packet out of those handed out (or released since); nil when it is not among them.
    mutating func settle(_ sequence: Int64) -> SpooledPacket? {
        damaged.remove(sequence)
        if let packet = inFlight.removeValue(forKey: sequence) { return packet }
        guard let at = returned.firstIndex(where: { $0.sequence == sequence }) else { return nil }
        return returned.remove(at: at)
    }
}
