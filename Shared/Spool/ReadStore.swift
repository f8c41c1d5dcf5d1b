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

    /// - Parameter isOwner: whether this process has the spool open. Who only looks must not touch the log, not even by being the last
    ///   one to close it.
    init(path: String, isOwner: Bool = true) throws(SQLiteError) {
        database = try SQLiteDatabase(path: path, access: isOwner ? .readWrite : .readOnly)
        if !isOwner { try database.keepLogFile() }
        try database.execute("PRAGMA query_only = ON; PRAGMA cache_size = -512")
        bodies = try database.prepare(
            "SELECT sequence, id, events, checksum, bytes FROM body WHERE sequence BETWEEN ?1 AND ?2 ORDER BY sequence")
        live = try database.prepare("SELECT sequence, events FROM packet WHERE live = 1 AND sequence BETWEEN ?1 AND ?2")
    }

    /// The packets after `position` up to `end` that are not in `done`; stops when it has some megabytes.
    ///
    /// Throws when one is not found that must be there: a damaged page may hide packets without any other sign, and what is taken
    /// for delivered is never looked for again.
    func run(after position: Int64, end: Int64, except done: SequenceSet) throws(SQLiteError) -> Run {
        // Both looks at the file must see the same.
        try database.transaction(.deferred) { () throws(SQLiteError) in
            var run = try look(after: position, end: end, except: done)
            try compare(&run, after: position, except: done)
            return run
        }
    }

    private func look(after position: Int64, end: Int64, except done: SequenceSet) throws(SQLiteError) -> Run {
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
        return run
    }

    /// Compares with the list of packets: all must be there, and their events are counted as the list says, like the backlog.
    private func compare(_ run: inout Run, after position: Int64, except done: SequenceSet) throws(SQLiteError) {
        var counts: [Int64: Int] = [:]
        defer { live.reset() }
        try live.bind(1, position + 1)
        try live.bind(2, run.through)
        while try live.step() {
            counts[live.integer(0)] = live.events(1)
        }
        for at in run.packets.indices { try run.packets[at].count(by: &counts) }
        for at in run.damaged.indices { try run.damaged[at].count(by: &counts) }
        if let missing = counts.keys.first(where: { !done.contains($0) }) {
            throw SQLiteError(code: 11, message: "packet \(missing) is not where it was written", sql: "SELECT … FROM body")
        }
    }

    /// Dead letters after one, oldest first; after nil from the start.
    func letters(_ filter: DeadLetterFilter, limit: Int, after: Int64?) throws(SQLiteError) -> [StoredDeadLetter] {
        let statement = try database.prepare(
            "SELECT \(DeadLetter.columns) FROM dead_letter WHERE \(filter.sql) ORDER BY id LIMIT ?")
        try statement.bind(try filter.bind(after: after, to: statement), Int64(max(0, limit)))
        return try letters(statement)
    }

    /// How many dead letters there are.
    func countLetters(_ filter: DeadLetterFilter) throws(SQLiteError) -> Int {
        let statement = try database.prepare("SELECT count(*) FROM dead_letter WHERE \(filter.sql)")
        _ = try filter.bind(after: nil, to: statement)
        return try statement.step() ? Int(statement.integer(0)) : 0
    }

    /// The dead letter of a number.
    func letter(_ id: Int64) throws(SQLiteError) -> StoredDeadLetter? {
        let statement = try database.prepare("SELECT \(DeadLetter.columns) FROM dead_letter WHERE id = ?1")
        try statement.bind(1, id)
        return try letters(statement).first
    }

    private func letters(_ statement: SQLiteStatement) throws(SQLiteError) -> [StoredDeadLetter] {
        var letters: [StoredDeadLetter] = []
        while try statement.step() {
            letters.append(StoredDeadLetter(id: statement.integer(0), letter: DeadLetter(statement)))
        }
        return letters
    }
}

extension SpooledPacket {
    fileprivate mutating func count(by list: inout [Int64: Int]) throws(SQLiteError) {
        guard let events = list.removeValue(forKey: sequence) else {
            throw SQLiteError(code: 11, message: "packet \(sequence) is not in the list of packets", sql: "SELECT … FROM packet")
        }
        guard events != packet.events else { return }
        self = SpooledPacket(sequence: sequence, packet: SpoolPacket(id: packet.id, events: events, bytes: packet.bytes))
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
