import Glibc
import SQLite

extension Writer {
    /// Writes packets and dead letters of another spool, each packet for the edges that still need it.
    ///
    /// A packet whose id is known here came to both spools: the edges of the graph have this spool's copy, others get it.
    func adopt(_ adoption: Adoption) {
        guard let store else {
            return adoption.reply(.failure(.disk("\(core.files.main) is damaged and could not be replaced yet")))
        }
        var (rows, last) = core.state.withLock { state in
            (Dictionary(uniqueKeysWithValues: state.edges.values.map { ($0.row.name, $0.row) }), state.last)
        }
        let first = last
        let graph = Set(rows.values.filter { $0.until == nil }.map(\.name))
        var adopted: [AdoptedPacket] = []
        var keys: Set<RecentIDs.Key> = []
        do throws(SQLiteError) {
            try store.database.setSynchronous(.full)
            try store.database.transaction { () throws(SQLiteError) in
                for item in adoption.items {
                    var needed = item.neededBy ?? graph
                    if let key = item.key, recent.contains(key) || !keys.insert(key).inserted { needed.subtract(graph) }
                    if needed.isEmpty { continue }
                    last += 1
                    try store.insert(
                        item.packet, sequence: last, created: item.created, checksum: item.checksum, live: true)
                    for name in needed where rows[name] == nil { rows[name] = EdgeRow.retained(name, from: last) }
                    for name in rows.keys {
                        rows[name]?.adopt(last, events: item.packet.events, isNeeded: needed.contains(name))
                    }
                    adopted.append(
                        AdoptedPacket(
                            packet: SpooledPacket(sequence: last, packet: item.packet), created: item.created, neededBy: needed))
                }
                for row in rows.values { try store.write(row) }
                for letter in adoption.letters { try store.insert(letter) }
                if last > first, last > Store.rememberedIDs { try store.forget(Int64.min...last - Store.rememberedIDs) }
            }
        } catch {
            troubled(error)
            return adoption.reply(.failure(.disk(core.words(error))))
        }
        loggedBytes += adoption.bytes + 64 << 10
        for key in keys { recent.insert(key) }
        core.update { state, resumptions in
            for packet in adopted { state.adopted(packet) }
            state.deadLetters += adoption.letters.count
            for name in Array(state.edges.keys) { state.serve(name, &resumptions) }
        }
        writeTally()
        adoption.reply(.success(Adoption.Outcome(packets: adopted.count, deadLetters: adoption.letters.count)))
    }
}
