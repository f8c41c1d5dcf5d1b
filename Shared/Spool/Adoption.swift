import SQLite

/// Some of what another spool holds, taken over in one transaction.
struct Adoption: Sendable {
    struct Item: Sendable {
        let packet: SpoolPacket
        let key: RecentIDs.Key?
        let checksum: Int64
        let created: Int64
        /// The edges that still need it; nil when the other spool does not know any more.
        let neededBy: Set<String>?
    }

    /// What was taken over.
    struct Outcome: Sendable, Equatable {
        var packets = 0
        var deadLetters = 0
    }

    var items: [Item] = []
    var letters: [DeadLetter] = []
    var bytes: Int64 = 0
    let reply: @Sendable (Result<Outcome, SpoolError>) -> Void
}

/// What an adopted packet changes in the rows of the edges: the same in the file and, when that is synced, in memory.
struct AdoptedPacket: Sendable {
    let packet: SpooledPacket
    let created: Int64
    let neededBy: Set<String>
}

extension EdgeRow {
    /// A packet of another spool has got the number; it came for this edge too, or did not.
    mutating func adopt(_ sequence: Int64, events: Int, isNeeded: Bool) {
        guard isNeeded else {
            if until == nil { cover(sequence...sequence) }
            return
        }
        accepted += Int64(events)
        // An edge that left the graph: what came here since then was not for it.
        if let until {
            if until + 1 < sequence { cover(until + 1...sequence - 1) }
            self.until = max(until, sequence)
        }
    }

    /// An edge that is not in the graph here, for packets from `sequence` on.
    static func retained(_ name: String, from sequence: Int64) -> EdgeRow {
        EdgeRow(name: name, cursor: sequence - 1, until: sequence - 1)
    }
}

extension SpoolState {
    /// Takes over an adopted packet that is on the disk now.
    mutating func adopted(_ one: AdoptedPacket) {
        let (sequence, events) = (one.packet.sequence, one.packet.packet.events)
        last = sequence
        timeline.note(sequence, at: one.created)
        for name in one.neededBy where edges[name] == nil {
            edges[name] = EdgeState(row: EdgeRow.retained(name, from: sequence))
        }
        for name in edges.keys {
            let isNeeded = one.neededBy.contains(name)
            edges[name]?.row.adopt(sequence, events: events, isNeeded: isNeeded)
            guard isNeeded else { continue }
            edges[name]?.backlogPackets += 1
            edges[name]?.backlogEvents += events
        }
        packets += 1
        bytes += Int64(one.packet.packet.bytes.count)
        hot.append(one.packet)
    }
}
