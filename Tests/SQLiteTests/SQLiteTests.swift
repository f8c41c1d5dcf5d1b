import SQLite
import Testing

@Suite struct SQLiteTests {
    @Test func valuesComeBackAsTheyWent() throws {
        let database = try SQLiteDatabase(path: ":memory:")
        try database.execute("CREATE TABLE t (a, b, c, d, e, f)")
        let insert = try database.prepare("INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        let bytes: [UInt8] = [0, 255, 0]
        try bytes.withUnsafeBufferPointer { (view) throws(SQLiteError) in
            try insert.bind(1, Int64.min)
            try insert.bind(2, 1.5)
            try insert.bindText(3, view)
            try insert.bindBlob(4, view, copy: false)
            try insert.bindNull(5)
            try insert.bind(6, "ä")
            try insert.run()
        }
        let empty = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
        try insert.bindText(3, empty)
        try insert.bindBlob(4, empty)
        try insert.run()
        #expect(database.changes == 1 && database.lastInsertedRow == 2)
        let rows = try database.prepare("SELECT a, b, c, d, e, f, typeof(c), typeof(d) FROM t")
        #expect(try rows.step() && rows.columnCount == 8)
        #expect(rows.integer(0) == .min && rows.double(1) == 1.5 && rows.bytes(2) == bytes && rows.bytes(3) == bytes)
        #expect(rows.isNull(4) && rows.text(4) == nil && rows.text(5) == "ä")
        #expect(try rows.step())
        #expect(rows.text(2) == "" && rows.bytes(3).isEmpty && rows.text(6) == "text" && rows.text(7) == "blob")
        #expect(try !rows.step())
    }

    @Test func errorsSayWhat() throws {
        let database = try SQLiteDatabase(path: ":memory:")
        try database.execute("CREATE TABLE t (a PRIMARY KEY)")
        try database.execute("INSERT INTO t VALUES (1)")
        do throws(SQLiteError) {
            try database.execute("INSERT INTO t VALUES (1)")
            Issue.record("taken twice")
        } catch {
            #expect(error.isConstraint && error.code == 19 && error.extendedCode == 1_555)
            #expect(error.sql == "INSERT INTO t VALUES (1)" && error.description.contains("UNIQUE"))
        }
        #expect(throws: SQLiteError.self) { try database.prepare("SELEC") }
        #expect(throws: SQLiteError.self) { try database.prepare("  ") }
        #expect(throws: SQLiteError.self) { try SQLiteDatabase(path: "/none/none", access: .readOnly) }
        let statement = try database.prepare("SELECT ?1")
        #expect(throws: SQLiteError.self) { try statement.bind(2, 1.0) }
        #expect(throws: SQLiteError.self) { try statement.bind(.max, "x") }
        do throws(SQLiteError) {
            _ = try SQLiteDatabase(path: "/etc/passwd", access: .readOnly).integer("SELECT count(*) FROM sqlite_schema")
        } catch {
            #expect(error.isCorrupt)
        }
        try database.execute("PRAGMA max_page_count = 3")
        do throws(SQLiteError) {
            try database.execute("CREATE TABLE b AS SELECT zeroblob(100000)")
        } catch {
            #expect(error.isFull)
        }
    }

    @Test func transactionsAreAllOrNothing() throws {
        let database = try SQLiteDatabase(path: ":memory:")
        try database.execute("CREATE TABLE t (a UNIQUE)")
        let answer = try database.transaction { () throws(SQLiteError) in
            try database.execute("INSERT INTO t VALUES (1)")
            return 7
        }
        #expect(answer == 7 && !database.isInTransaction)
        #expect(throws: SQLiteError.self) {
            try database.transaction(.exclusive) { () throws(SQLiteError) in
                try database.execute("INSERT INTO t VALUES (2)")
                try database.execute("INSERT INTO t VALUES (1)")
            }
        }
        #expect(try database.integer("SELECT count(*) FROM t") == 1 && !database.isInTransaction)
        #expect(try database.integer("SELECT a FROM t WHERE a = 9") == nil)
    }
}
