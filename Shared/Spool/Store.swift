import SQLite

/// The spool's file: tables and the statements of the writer. Used by the writer's thread alone.
final class Store {
    /// "IMQS", in the file's header.
    static let applicationID: Int64 = 0x494D_5153
    /// The format of the tables. A newer one is refused, an older one is brought up to date here.
    /// Packets are long: larger pages mean fewer of them to chain, write and free.
    static let pageSize = 32_768
    static let version: Int64 = 1
    /// How many packet ids are remembered.
    static let rememberedIDs: Int64 = 100_000

    /// `packet` is small and remembers ids beyond the packet's stay; `body` can be salvaged without it.
    static let schema = """
        CREATE TABLE packet (sequence INTEGER PRIMARY KEY, id TEXT NOT NULL, events INTEGER NOT NULL, size INTEGER NOT NULL,
          created INTEGER NOT NULL, live INTEGER NOT NULL);
        CREATE TABLE body (sequence INTEGER PRIMARY KEY, id TEXT NOT NULL, events INTEGER NOT NULL, created INTEGER NOT NULL,
          checksum INTEGER NOT NULL, bytes BLOB NOT NULL);
        CREATE TABLE edge (name TEXT PRIMARY KEY, cursor INTEGER NOT NULL, until INTEGER, ahead BLOB NOT NULL,
          acknowledged INTEGER NOT NULL, dead_lettered INTEGER NOT NULL, dropped INTEGER NOT NULL, accepted INTEGER NOT NULL,
          lost INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE dead_letter (id INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL, packet_id TEXT NOT NULL,
          worker TEXT NOT NULL, edge TEXT, code TEXT NOT NULL, detail TEXT NOT NULL, tries INTEGER NOT NULL,
          first_time INTEGER NOT NULL, last_time INTEGER NOT NULL, original BLOB NOT NULL, media_type TEXT NOT NULL);
        """

    let database: SQLiteDatabase
    private let insertPacket: SQLiteStatement
    private let insertBody: SQLiteStatement
    private let deleteBody: SQLiteStatement
    private let endPacket: SQLiteStatement
    private let forgetPacket: SQLiteStatement
    private let writeEdge: SQLiteStatement
    private let addAccepted: SQLiteStatement
    private let insertLetter: SQLiteStatement

    /// Opens the file and prepares it for a writer; makes the tables in an empty file.
    init(path: String) throws(SQLiteError) {
        database = try Store.connect(path)
        try database.execute("PRAGMA cache_size = -16384; PRAGMA foreign_keys = OFF; PRAGMA secure_delete = OFF")
        if try database.integer("PRAGMA user_version") == 0 { try Store.create(in: database) }
        guard try database.integer("PRAGMA application_id") == Store.applicationID else {
            throw SQLiteError(code: 26, message: "the file is not a spool", sql: "PRAGMA application_id")
        }
        try database.disableAutomaticCheckpoint()
        try database.keepLogFile()
        insertPacket = try database.prepare("INSERT INTO packet VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        insertBody = try database.prepare("INSERT INTO body VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        deleteBody = try database.prepare("DELETE FROM body WHERE sequence = ?1")
        endPacket = try database.prepare("UPDATE packet SET live = 0 WHERE sequence = ?1")
        forgetPacket = try database.prepare("DELETE FROM packet WHERE live = 0 AND sequence BETWEEN ?1 AND ?2")
        writeEdge = try database.prepare("INSERT OR REPLACE INTO edge VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")
        addAccepted = try database.prepare("UPDATE edge SET accepted = accepted + ?1 WHERE until IS NULL")
        insertLetter = try database.prepare(
            "INSERT INTO dead_letter VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")
    }

    private static func connect(_ path: String) throws(SQLiteError) -> SQLiteDatabase {
        let database = try SQLiteDatabase(path: path)
        // Both only take effect before the first table.
        try database.execute("PRAGMA page_size = \(Store.pageSize); PRAGMA auto_vacuum = INCREMENTAL")
        try database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        return database
    }

    /// Makes the tables; the version is written last, with them.
    static func create(in database: SQLiteDatabase) throws(SQLiteError) {
        try database.transaction { () throws(SQLiteError) in
            try database.execute(Store.schema)
            try database.execute("PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version)")
        }
    }

    // What a transaction is made of.

    func insert(
        _ packet: SpoolPacket, sequence: Int64, created: Int64, checksum: Int64, live: Bool
    ) throws(SQLiteError) {
        try Store.bind(packet, sequence: sequence, created: created, live: live, to: insertPacket)
        try insertPacket.run()
        if live { try Store.insert(packet, sequence: sequence, created: created, checksum: checksum, by: insertBody) }
    }

    /// A packet no edge needs any more; its id is remembered while it is among the newest.
    func end(_ sequence: Int64, last: Int64) throws(SQLiteError) {
        try deleteBody.bind(1, sequence)
        try deleteBody.run()
        try endPacket.bind(1, sequence)
        try endPacket.run()
        if sequence <= last - Store.rememberedIDs { try forget(sequence...sequence) }
    }

    /// Forgets the ids of packets that are gone.
    func forget(_ range: ClosedRange<Int64>) throws(SQLiteError) {
        try forgetPacket.bind(1, range.lowerBound)
        try forgetPacket.bind(2, range.upperBound)
        try forgetPacket.run()
    }

    func write(_ edge: EdgeRow) throws(SQLiteError) {
        try Store.bind(edge, to: writeEdge)
        try writeEdge.run()
    }

    /// Counts events that came for every edge of the graph; in the transaction that brings them.
    func addAccepted(_ events: Int64) throws(SQLiteError) {
        try addAccepted.bind(1, events)
        try addAccepted.run()
    }

    func remove(edge name: String) throws(SQLiteError) {
        let statement = try database.prepare("DELETE FROM edge WHERE name = ?1")
        try statement.bind(1, name)
        try statement.run()
    }

    func insert(_ letter: DeadLetter) throws(SQLiteError) {
        try Store.bind(letter, to: insertLetter)
        try insertLetter.run()
    }

    /// Replaces a dead letter; false when there is none with this number.
    func replace(_ id: Int64, with letter: DeadLetter) throws(SQLiteError) -> Bool {
        let statement = try database.prepare(
            """
            UPDATE dead_letter SET event_id = ?1, packet_id = ?2, worker = ?3, edge = ?4, code = ?5, detail = ?6, tries = ?7,
            first_time = ?8, last_time = ?9, original = ?10, media_type = ?11 WHERE id = ?12
            """)
        try Store.bind(letter, to: statement)
        try statement.bind(12, id)
        try statement.run()
        return database.changes > 0
    }

    /// Deletes a dead letter; false when there is none with this number.
    func delete(letter id: Int64) throws(SQLiteError) -> Bool {
        let statement = try database.prepare("DELETE FROM dead_letter WHERE id = ?1")
        try statement.bind(1, id)
        try statement.run()
        return database.changes > 0
    }
}
