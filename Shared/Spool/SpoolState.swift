import Glibc
import SQLite

/// Everything the callers, the writer and the reader share; guarded by one lock, and never held over disk work.
struct SpoolState: Sendable {
    /// A transaction takes no more than this, or one call.
    static let enoughBytes: Int64 = 8 << 20

    var edges: [String: EdgeState] = [:]
    var hot: HotPackets
    /// The newest packet on the disk.
    var last: Int64
    /// Packets some edge needs, and their bytes.
    var packets = 0
    var bytes: Int64 = 0
    var timeline = Timeline()
    var deadLetters = 0
    var notes: [String] = []
    /// How many of them nobody has taken yet.
    var unheard = 0
    /// Why the disk refuses at the moment.
    var refusal: String?

    /// For the writer.
    var jobs = Queue<Job>()
    var queuedBytes: Int64 = 0
    var deletes: [Int64] = []
    /// Since when acknowledgements wait to be written (monotonic milliseconds).
    var acknowledgementsSince: Int64?
    /// How many jobs wake the sleeping writer; nil while it is awake.
    var writerSleepsUntil: Int?
    /// Whether the sleeping writer wakes up by itself.
    var hasAlarm = false
    /// For the reader.
    var reads = Queue<Read>()
    var readerSleeps = false

    var isClosing = false
    var isClosed = false
    var isFinished = false
    var isRecoveryRequested = false
    var closers: [CheckedContinuation<Void, Never>] = []
    var nextTicket: UInt64 = 0

    /// A delivered packet: moves the edge's cursor; a packet no edge needs any more is to be deleted.
    mutating func acknowledge(edge name: String, sequence: Int64, deadLettered: Int, dropped: Int, now: Int64) -> Bool {
        guard let packet = edges[name]?.settle(sequence) else { return false }
        // A salvage may have counted it meanwhile.
        guard edges[name]?.row.covers(sequence) == false else { return false }
        let events = packet.packet.events
        edges[name]?.backlogPackets -= 1
        edges[name]?.backlogEvents -= events
        edges[name]?.row.settle(sequence, events: events, deadLettered: deadLettered, dropped: dropped)
        edges[name]?.isDirty = true
        if acknowledgementsSince == nil { acknowledgementsSince = now }
        if edges.values.allSatisfy({ $0.row.covers(sequence) }) {
            hot.remove(sequence)
            deletes.append(sequence)
            packets -= 1
            bytes -= Int64(packet.packet.bytes.count)
        }
        return true
    }

    /// Hands what there is to the tasks that wait at an edge; they are resumed by the caller, without the lock.
    mutating func serve(_ name: String, _ resumptions: inout [Resumption]) {
        guard var edge = edges.removeValue(forKey: name) else { return }
        while let waiter = edge.waiters.first {
            switch edge.offer(hot: hot, last: last) {
            case .packet(let packet):
                _ = edge.waiters.popFirst()
                resumptions.append(Resumption(continuation: waiter.continuation, packet: packet))
                continue
            case .onDisk:
                if !edge.isLoading {
                    edge.isLoading = true
                    reads.append(.load(edge: name))
                }
            case .nothing:
                guard edge.row.until != nil else { break }
                _ = edge.waiters.popFirst()
                resumptions.append(Resumption(continuation: waiter.continuation, packet: nil))
                continue
            }
            break
        }
        edges[name] = edge
    }

    /// Takes over what a transaction has put on the disk.
    mutating func appended(_ packet: SpooledPacket, at time: Int64) {
        last = packet.sequence
        timeline.note(packet.sequence, at: time)
        var isNeeded = false
        for name in edges.keys where edges[name]?.row.until == nil {
            edges[name]?.backlogPackets += 1
            edges[name]?.backlogEvents += packet.packet.events
            edges[name]?.row.accepted += Int64(packet.packet.events)
            isNeeded = true
        }
        guard isNeeded else { return }
        packets += 1
        bytes += Int64(packet.packet.bytes.count)
        hot.append(packet)
    }

    /// What a salvage need not read from the file.
    var known: Salvage.Known {
        var packets: [Int64: SpooledPacket] = [:]
        for packet in hot.all { packets[packet.sequence] = packet }
        for edge in edges.values {
            let own = edge.inFlight.values.filter { !edge.damaged.contains($0.sequence) } + edge.returned + edge.ready.all
            for packet in own where !edge.row.covers(packet.sequence) { packets[packet.sequence] = packet }
        }
        let now = milliseconds(CLOCK_REALTIME)
        return Salvage.Known(
            edges: edges.values.map(\.row), packets: packets.values.map { ($0, timeline.time(of: $0.sequence) ?? now) })
    }

    /// The time of the oldest packet some edge needs.
    var oldestTime: Int64? {
        guard let first = edges.values.filter({ $0.backlogPackets > 0 }).map(\.row.cursor).min() else { return nil }
        return timeline.time(of: first + 1)
    }
}

/// A task that waited for a packet and now goes on.
struct Resumption: Sendable {
    let continuation: CheckedContinuation<SpooledPacket?, Never>
    let packet: SpooledPacket?
}

/// Work for the writer. Everything waiting is committed together.
enum Job: Sendable {
    case append(Append)
    case change(Change)
    case edges([String], discard: Set<String>, reply: @Sendable (SpoolError?) -> Void)
    case adopt(Adoption)
    case recover

    var bytes: Int64 {
        switch self {
        case .append(let append): append.size
        case .change(let change): change.size
        case .adopt(let adoption): adoption.bytes
        case .edges, .recover: 0
        }
    }

    func fail(_ error: SpoolError) {
        switch self {
        case .append(let append): append.reply(error)
        case .change(let change): change.reply(error)
        case .edges(_, _, let reply): reply(error)
        case .adopt(let adoption): adoption.reply(.failure(error))
        case .recover: break
        }
    }
}

/// The packets of one call: all or none.
struct Append: Sendable {
    struct Item: Sendable {
        let packet: SpoolPacket
        let key: RecentIDs.Key?
        let checksum: Int64
    }

    let items: [Item]
    let size: Int64
    let reply: @Sendable (SpoolError?) -> Void
}

/// Any other work in a transaction.
struct Change: Sendable {
    let size: Int64
    /// What the same transaction acknowledges.
    var settling: Settling?
    let work: @Sendable (Store) throws(SQLiteError) -> Void
    let reply: @Sendable (SpoolError?) -> Void
}

/// An acknowledgement that is written together with what became of the packet.
struct Settling: Sendable {
    let edge: String
    let sequence: Int64
    let deadLettered: Int
    let dropped: Int
}

/// Work for the reader.
enum Read: Sendable {
    case load(edge: String)
    case query(work: @Sendable (ReadStore) throws(SQLiteError) -> Void, reply: @Sendable (SpoolError?) -> Void)
    /// The file is about to be replaced: close it, say so, and wait until it is.
    case reopen(closed: Wakeup, replaced: Wakeup)
}
