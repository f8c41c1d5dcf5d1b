import Glibc
import SQLite

extension Writer {
    /// What one transaction did, to be made visible when it is on the disk.
    struct Group {
        private(set) var last: Int64
        private(set) var accepted: [SpooledPacket] = []
        private(set) var keys: Set<RecentIDs.Key> = []
        private(set) var replies: [(@Sendable (SpoolError?) -> Void, SpoolError?)] = []
        private(set) var size: Int64 = 0
        /// Events that came for every edge of the graph.
        private(set) var events: Int64 = 0
        let time = milliseconds(CLOCK_REALTIME)
        private let first: Int64
        private let limit: Int64
        private var used: Int64
        private let refusal: String?
        private let isNeeded: Bool

        init(state: SpoolState, limit: Int64) {
            last = state.last
            first = state.last
            used = state.bytes
            refusal = state.refusal
            isNeeded = state.edges.values.contains { $0.row.until == nil }
            self.limit = limit
        }

        mutating func apply(_ job: Job, recent: RecentIDs, to store: Store) throws(SQLiteError) {
            switch job {
            case .append(let append):
                try apply(append, recent, store)
            case .change(let change):
                try change.work(store)
                size += change.size
                replies.append((change.reply, nil))
            case .edges, .adopt, .recover:
                // These stand alone and never come here.
                break
            }
        }

        private mutating func apply(_ append: Append, _ recent: RecentIDs, _ store: Store) throws(SQLiteError) {
            if let refusal { return replies.append((append.reply, .disk(refusal))) }
            var fresh: [Append.Item] = []
            var own: Set<RecentIDs.Key> = []
            var bytes: Int64 = 0
            for item in append.items {
                if let key = item.key {
                    if recent.contains(key) || keys.contains(key) || !own.insert(key).inserted { continue }
                }
                fresh.append(item)
                bytes += Int64(item.packet.bytes.count)
            }
            if isNeeded, !fresh.isEmpty, used + bytes > limit {
                return replies.append((append.reply, .full(limit: limit, used: used)))
            }
            for item in fresh {
                last += 1
                try store.insert(item.packet, sequence: last, created: time, checksum: item.checksum, live: isNeeded)
                accepted.append(SpooledPacket(sequence: last, packet: item.packet))
                if isNeeded { events += Int64(item.packet.events) }
            }
            keys.formUnion(own)
            if isNeeded { used += bytes }
            size += bytes + Int64(fresh.count) * 256
            replies.append((append.reply, nil))
        }

        /// Forgets the ids that the new ones push out of the spool's memory.
        func forget(in store: Store) throws(SQLiteError) {
            let end = last - Store.rememberedIDs
            if last > first, end > 0 { try store.forget(first - Store.rememberedIDs + 1...end) }
        }
    }
}
