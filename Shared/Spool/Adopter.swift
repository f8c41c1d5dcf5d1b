import Glibc
import SQLite
import Synchronization

/// Takes over the spool of a process that is no more. Works in a thread of its own; reads the other spool and hands what it holds to
/// the writer of this one.
struct Adopter: Sendable {
    let core: SpoolCore
    let other: SpoolFiles

    /// What one transaction takes over at most, and how many.
    var bytesAtATime: Int64 = 4 << 20
    var itemsAtATime = 256

    /// Does all of it. Stopped in the middle, it can be done again: the other spool is untouched until all is synced here.
    func run() -> Result<Adoption.Outcome, SpoolError> {
        do throws(SpoolError) {
            guard other.exists(other.main) || other.exists(other.repaired) else { return .success(Adoption.Outcome()) }
            guard let lock = try other.lockNow() else { return .success(Adoption.Outcome()) }
            defer { close(lock) }
            let outcome = try takeOver()
            other.removeAll()
            return .success(outcome)
        } catch {
            return .failure(error)
        }
    }

    private func takeOver() throws(SpoolError) -> Adoption.Outcome {
        var notes: [String] = []
        let opened = try Spool.open(other, nil, &notes)
        for note in notes { core.state.withLock { $0.note(note) } }
        do throws(SQLiteError) {
            var outcome = Adoption.Outcome()
            try packets(opened.store.database, opened.contents.rows, &outcome)
            try letters(opened.store.database, &outcome)
            return outcome
        } catch {
            throw .disk("cannot adopt the spool \(other.main): \(error.message); it is untouched, try again")
        }
    }

    private func packets(
        _ database: SQLiteDatabase, _ rows: [EdgeRow], _ outcome: inout Adoption.Outcome
    ) throws(SQLiteError) {
        let statement = try database.prepare(
            """
            SELECT sequence, body.id, packet.events, body.created, body.checksum, bytes FROM body JOIN packet USING (sequence)
            WHERE live = 1 ORDER BY sequence
            """)
        var items: [Adoption.Item] = []
        var damaged: [DeadLetter] = []
        var bytes: Int64 = 0
        func flush(_ outcome: inout Adoption.Outcome) throws(SQLiteError) {
            try hand(items, damaged, bytes, &outcome)
            items = []
            damaged = []
            bytes = 0
        }
        while try statement.step() {
            let sequence = statement.integer(0)
            let content = statement.bytes(5)
            let packet = SpoolPacket(id: statement.text(1) ?? "", events: statement.events(2), bytes: content)
            let sum = checksum(content)
            let needed = rows.isEmpty ? nil : Set(rows.filter { !$0.covers(sequence) }.map(\.name))
            if sum == statement.integer(4) {
                items.append(
                    Adoption.Item(
                        packet: packet, key: RecentIDs.Key(packet.id), checksum: sum, created: statement.integer(3),
                        neededBy: needed))
            } else {
                damaged.append(.damaged(packet, edge: nil))
            }
            bytes += Int64(content.count)
            if bytes >= bytesAtATime || items.count >= itemsAtATime { try flush(&outcome) }
        }
        try flush(&outcome)
    }

    /// Dead letters have no name: those that are here already, from an adoption that was stopped, are known by all they hold.
    private func letters(_ database: SQLiteDatabase, _ outcome: inout Adoption.Outcome) throws(SQLiteError) {
        var letters: [DeadLetter] = []
        var bytes: Int64 = 0
        guard try database.integer("SELECT 1 FROM dead_letter LIMIT 1") != nil else { return }
        var known: [Int64: Int] = [:]
        let own = try SQLiteDatabase(path: core.files.main, access: .readWrite)
        try own.execute("PRAGMA query_only = ON")
        let sql = "SELECT \(DeadLetter.columns) FROM dead_letter ORDER BY id"
        let there = try own.prepare(sql)
        while try there.step() { known[DeadLetter(there).fingerprint, default: 0] += 1 }
        let rows = try database.prepare(sql)
        while try rows.step() {
            let letter = DeadLetter(rows)
            if let count = known[letter.fingerprint], count > 0 {
                known[letter.fingerprint] = count - 1
                continue
            }
            letters.append(letter)
            bytes += Int64(letter.original.count + 512)
            guard bytes >= bytesAtATime || letters.count >= itemsAtATime else { continue }
            try hand([], letters, bytes, &outcome)
            letters = []
            bytes = 0
        }
        try hand([], letters, bytes, &outcome)
    }

    /// Has the writer keep some, and waits until they are synced.
    private func hand(
        _ items: [Adoption.Item], _ letters: [DeadLetter], _ bytes: Int64, _ outcome: inout Adoption.Outcome
    ) throws(SQLiteError) {
        if items.isEmpty, letters.isEmpty { return }
        let done = Wakeup()
        let answer = AdoptionAnswer()
        core.submit(
            Job.adopt(
                Adoption(items: items, letters: letters, bytes: bytes) { result in
                    answer.result.withLock { $0 = result }
                    done.post()
                }))
        done.wait(until: nil)
        do throws(SpoolError) {
            let got = try answer.result.withLock { $0 }.get()
            outcome.packets += got.packets
            outcome.deadLetters += got.deadLetters
        } catch {
            throw SQLiteError(code: 10, message: error.description, sql: "")
        }
    }
}

private final class AdoptionAnswer: Sendable {
    let result = Mutex<Result<Adoption.Outcome, SpoolError>>(.failure(.closed))
}

extension DeadLetter {
    /// A number for all it holds.
    fileprivate var fingerprint: Int64 {
        var bytes: [UInt8] = []
        let head = [eventID, packetID, worker, edge ?? "", code, detail, mediaType, "\(tries) \(firstTime) \(lastTime)"]
        for text in head {
            bytes.append(contentsOf: text.utf8)
            bytes.append(0)
        }
        return checksum(bytes + original)
    }
}
