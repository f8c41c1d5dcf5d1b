extension Salvage {
    /// By how much a salvage changes the accounts of an edge, and which packets it settled.
    struct Correction {
        let covered: SequenceSet
        let acknowledged, deadLettered, dropped, accepted, lost: Int64
    }

    /// The accounts of the edges while a damaged file is copied.
    struct Books {
        /// What became of a packet.
        enum Fate {
            case kept
            /// Changed on the disk, now a dead letter.
            case buried
            /// Known by its number only.
            case lost
        }

        private(set) var rows: [EdgeRow]
        private let before: [EdgeRow]
        private var covered: [SequenceSet]
        private(set) var notes: [String] = []
        /// Whether all of the list of packets could be read: then what is missing from an edge's accounts is in its cursor.
        var isListWhole = true
        /// Events kept that an edge still needs, and kept at all for it, in the order of `rows`.
        private var needed: [Int]
        private var kept: [Int]

        init(_ rows: [EdgeRow]) {
            self.rows = rows
            before = rows
            covered = rows.map { _ in SequenceSet() }
            needed = [Int](repeating: 0, count: rows.count)
            kept = needed
        }

        mutating func enter(_ fate: Fate, _ sequence: Int64, _ events: Int) {
            for at in rows.indices {
                if fate == .kept, sequence <= rows[at].until ?? .max { kept[at] += events }
                guard !rows[at].covers(sequence) else { continue }
                if fate != .kept { covered[at].insert(sequence) }
                switch fate {
                case .kept:
                    needed[at] += events
                case .buried:
                    rows[at].settle(sequence, events: events, deadLettered: events, dropped: 0)
                case .lost:
                    rows[at].cover(sequence...sequence)
                    rows[at].lost += Int64(events)
                }
            }
        }

        /// What became different, for a memory that has gone on meanwhile.
        var corrections: [String: Correction] {
            var result: [String: Correction] = [:]
            for at in rows.indices {
                result[rows[at].name] = Correction(
                    covered: covered[at], acknowledged: rows[at].acknowledged - before[at].acknowledged,
                    deadLettered: rows[at].deadLettered - before[at].deadLettered, dropped: rows[at].dropped - before[at].dropped,
                    accepted: rows[at].accepted - before[at].accepted, lost: rows[at].lost - before[at].lost)
            }
            return result
        }

        /// What is still nowhere is lost, unless it is the cursor that changed.
        mutating func close(trustsCursors: Bool) {
            for at in rows.indices {
                var events = needed[at]
                if !trustsCursors, isListWhole, rows[at].missing(backlog: events) > 0, kept[at] > events {
                    notes.append("edge \(rows[at].name) gets all kept packets again: \(rows[at].account(backlog: events))")
                    rows[at].forgetDelivered()
                    events = kept[at]
                }
                rows[at].settleAccounts(backlog: events)
            }
        }
    }
}

extension EdgeRow {
    mutating func apply(_ correction: Salvage.Correction) {
        for range in correction.covered.ranges { cover(range) }
        acknowledged += correction.acknowledged
        deadLettered += correction.deadLettered
        dropped += correction.dropped
        accepted += correction.accepted
        lost += correction.lost
    }

    /// Nothing is delivered: what is there is to be delivered (again).
    mutating func forgetDelivered() {
        cursor = 0
        ahead = SequenceSet()
    }

    /// The accounts that do not add up, for people.
    func account(backlog: Int) -> String {
        "its accounts do not add up: accepted \(accepted) events, but acknowledged \(acknowledged), lost \(lost) "
            + "and in the spool \(backlog)"
    }
}
