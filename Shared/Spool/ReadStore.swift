import SQLite

/// The reader's connection to the spool's file. Used by the reader's thread alone.
final class ReadStore {
    /// What one look into the file brought.
    struct Run: Sendable {
        var packets: [SpooledPacket] = []
        var damaged: [SpooledPacket] = []
        /// Everything from the start to here was looked at: what is neither in `packets` nor in `damaged` is not there.
        var through: Int64
    }

    private let database: SQLiteDatabase
    private let bodies: SQLiteStatement
    private let live: SQLiteStatement

    init(path: String) throws(SQLiteError) {
        database = try SQLiteDatabase(path: path, access: .readWrite)
        try database.execute("PRAGMA query_only = ON; PRAGMA cache_size = -512")
        bodies = try database.prepare(
            "SELECT sequence, id, events, checksum, bytes FROM body WHERE sequence BETWEEN ?1 AND ?2 ORDER BY sequence")
        live = try database.prepare("SELECT sequence FROM packet WHERE live = 1 AND sequence BETWEEN ?1 AND ?2")
    }

    /// The packets after `position` up to `end` that are not in `done`; stops when it has some megabytes.
    ///
    /// Throws when one is not found that must be there: a damaged page may hide packets without any other sign, and what is taken
    /// for delivered is never looked for again.
    func run(after position: Int64, end: Int64, except done: SequenceSet) throws(SQLiteError) -> Run {
        var run = Run(through: end)
        defer { bodies.reset() }
        try bodies.bind(1, position + 1)
        try bodies.bind(2, end)
        var size = 0
        while try bodies.step() {
            let sequence = bodies.integer(0)
            if done.contains(sequence) { continue }
            let bytes = bodies.bytes(4)
            let packet = SpooledPacket(
                sequence: sequence,
                packet: SpoolPacket(id: bodies.text(1) ?? "", events: bodies.events(2), bytes: bytes))
            if checksum(bytes) == bodies.integer(3) { run.packets.append(packet) } else { run.damaged.append(packet) }
            size += bytes.count
            if size >= 4 << 20 || run.packets.count + run.damaged.count >= 256 {
                run.through = sequence
                break
            }
        }
        try expectAll(after: position, in: run, except: done)
        return run
    }

    private func expectAll(after position: Int64, in run: Run, except done: SequenceSet) throws(SQLiteError) {
        let found = Set((run.packets + run.damaged).map(\.sequence))
        defer { live.reset() }
        try live.bind(1, position + 1)
        try live.bind(2, run.through)
        while try live.step() {
            let sequence = live.integer(0)
            guard found.contains(sequence) || done.contains(sequence) else {
                throw SQLiteError(code: 11, message: "packet \(sequence) is not where it was written", sql: "SELECT … FROM body")
            }
        }
    }

    /// Dead letters after one, oldest first; after nil from the start.
    func letters(limit: Int, after: Int64?) throws(SQLiteError) -> [StoredDeadLetter] {
        try letters("WHERE id > ?1 ORDER BY id LIMIT ?2", [after ?? 0, Int64(max(0, limit))])
    }

    /// The dead letter of a number.
    func letter(_ id: Int64) throws(SQLiteError) -> StoredDeadLetter? {
        try letters("WHERE id = ?1", [id]).first
    }

    private func letters(_ which: String, _ values: [Int64]) throws(SQLiteError) -> [StoredDeadLetter] {
        let statement = try database.prepare("SELECT \(DeadLetter.columns) FROM dead_letter \(which)")
        for (at, value) in values.enumerated() { try statement.bind(at + 1, value) }
        var letters: [StoredDeadLetter] = []
        while try statement.step() {
            letters.append(StoredDeadLetter(id: statement.integer(0), letter: DeadLetter(statement)))
        }
        return letters
    }
}

extension SQLiteStatement {
    /// A number of events; a damaged one is brought into a range that can be added up.
    func events(_ column: Int) -> Int { Int(min(max(0, integer(column)), 1 << 31)) }
    /// A place in the spool, likewise.
    func sequence(_ column: Int) -> Int64 { min(max(0, integer(column)), SequenceSet.greatest) }
}

extension DeadLetter {
    static let columns =
        "id, event_id, packet_id, worker, edge, code, detail, tries, first_time, last_time, original, media_type"

    /// A dead letter from `columns`.
    init(_ row: SQLiteStatement) {
        self.init(
            eventID: row.text(1) ?? "", packetID: row.text(2) ?? "", worker: row.text(3) ?? "", edge: row.text(4),
            code: row.text(5) ?? "", detail: row.text(6) ?? "", tries: Int(row.integer(7)), firstTime: row.integer(8),
            lastTime: row.integer(9), original: row.bytes(10), mediaType: row.text(11) ?? "")
    }
}
