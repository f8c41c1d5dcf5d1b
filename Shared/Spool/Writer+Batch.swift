extension Writer {
    /// What one transaction is to do.
    struct Batch {
        var jobs: [Job] = []
        var deletes: [Int64] = []
        var edges: [EdgeRow] = []
        /// Packets no edge needs any more once the jobs of this transaction are done.
        var settled: [Int64] = []
        var isEmpty: Bool { jobs.isEmpty && deletes.isEmpty && edges.isEmpty }

        /// The acknowledgements that go with jobs of this transaction.
        var settlings: [Settling] {
            jobs.compactMap { job in
                if case .change(let change) = job { change.settling } else { nil }
            }
        }

        /// Puts an acknowledgement into the rows that this transaction writes. Memory learns of it only when they are on the disk:
        /// should that fail, nothing was acknowledged.
        mutating func settle(_ settling: Settling, _ state: SpoolState) {
            guard let edge = state.edges[settling.edge], let packet = edge.held(settling.sequence) else { return }
            let at: Int
            if let found = edges.firstIndex(where: { $0.name == settling.edge }) {
                at = found
            } else {
                at = edges.count
                edges.append(edge.row)
            }
            guard !edges[at].covers(settling.sequence) else { return }
            edges[at].settle(
                settling.sequence, events: packet.packet.events, deadLettered: settling.deadLettered, dropped: settling.dropped)
            let isDone = state.edges.values.allSatisfy { other in
                let row = edges.first { $0.name == other.row.name } ?? other.row
                return row.covers(settling.sequence)
            }
            if isDone { settled.append(settling.sequence) }
        }
    }
}

extension SpoolState {
    mutating func acknowledge(_ settling: Settling, now: Int64) {
        _ = acknowledge(
            edge: settling.edge, sequence: settling.sequence, deadLettered: settling.deadLettered, dropped: settling.dropped,
            now: now)
    }
}
