import CSQLite

/// A compiled statement. Positions of values start at 1 and columns at 0, as in SQLite.
public final class SQLiteStatement {
    private let handle: OpaquePointer
    private let database: SQLiteDatabase
    /// The text it was compiled from.
    public let sql: String

    /// Compiles `sql`, which must hold exactly one statement.
    public init(database: SQLiteDatabase, sql: String) throws(SQLiteError) {
        var prepared: OpaquePointer?
        let code = sqlite3_prepare_v3(database.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        try database.check(code, sql)
        guard let prepared else { throw SQLiteError(code: SQLITE_MISUSE, message: "no statement in the text", sql: sql) }
        handle = prepared
        self.database = database
        self.sql = sql
    }

    deinit { sqlite3_finalize(handle) }

    /// Binds a whole number.
    public func bind(_ position: Int, _ value: Int64) throws(SQLiteError) {
        try database.check(sqlite3_bind_int64(handle, Int32(clamping: position), value), sql)
    }

    /// Binds a floating point number (SQLite stores NaN as NULL).
    public func bind(_ position: Int, _ value: Double) throws(SQLiteError) {
        try database.check(sqlite3_bind_double(handle, Int32(clamping: position), value), sql)
    }

    /// Binds a text.
    public func bind(_ position: Int, _ value: String) throws(SQLiteError) {
        var copy = value
        let code = copy.withUTF8 { bindText($0, position, copy: true) }
        try database.check(code, sql)
    }

    /// Binds NULL.
    public func bindNull(_ position: Int) throws(SQLiteError) {
        try database.check(sqlite3_bind_null(handle, Int32(clamping: position)), sql)
    }

    /// Binds UTF-8 bytes as a text, without making a `String`.
    ///
    /// - Parameter copy: false when the bytes stay where they are until the statement is reset or bound anew.
    public func bindText(_ position: Int, _ bytes: UnsafeBufferPointer<UInt8>, copy: Bool = true) throws(SQLiteError) {
        try database.check(bindText(bytes, position, copy: copy), sql)
    }

    /// Binds bytes as a blob.
    ///
    /// - Parameter copy: false when the bytes stay where they are until the statement is reset or bound anew.
    public func bindBlob(_ position: Int, _ bytes: UnsafeBufferPointer<UInt8>, copy: Bool = true) throws(SQLiteError) {
        let number = Int32(clamping: position)
        guard let base = bytes.baseAddress, !bytes.isEmpty else {
            return try database.check(sqlite3_bind_zeroblob(handle, number, 0), sql)
        }
        try database.check(csqlite_bind_blob(handle, number, base, UInt64(bytes.count), copy ? 1 : 0), sql)
    }

    private func bindText(_ bytes: UnsafeBufferPointer<UInt8>, _ position: Int, copy: Bool) -> Int32 {
        let number = Int32(clamping: position)
        // A null pointer would mean NULL, not an empty text.
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return csqlite_bind_text(handle, number, "", 0, 1) }
        return base.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
            csqlite_bind_text(handle, number, $0, UInt64(bytes.count), copy ? 1 : 0)
        }
    }

    /// Runs to the next row; false when there is none.
    public func step() throws(SQLiteError) -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        if code == SQLITE_DONE { return false }
        throw SQLiteError(code: code, message: String(cString: sqlite3_errmsg(sqlite3_db_handle(handle))), sql: sql)
    }

    /// Makes it ready to run again; bound values stay.
    public func reset() { sqlite3_reset(handle) }

    /// Sets every value to NULL.
    public func clearBindings() { sqlite3_clear_bindings(handle) }

    /// Runs a statement without rows of interest to its end and resets it, also after an error.
    public func run() throws(SQLiteError) {
        defer { reset() }
        while try step() {}
    }

    /// The number of columns.
    public var columnCount: Int { Int(sqlite3_column_count(handle)) }

    /// Whether the column of the current row is NULL.
    public func isNull(_ column: Int) -> Bool { sqlite3_column_type(handle, Int32(clamping: column)) == SQLITE_NULL }

    /// The column as a whole number; 0 for NULL.
    public func integer(_ column: Int) -> Int64 { sqlite3_column_int64(handle, Int32(clamping: column)) }

    /// The column as a floating point number; 0 for NULL.
    public func double(_ column: Int) -> Double { sqlite3_column_double(handle, Int32(clamping: column)) }

    /// The bytes of a text or blob column, valid inside `body` only; empty for NULL.
    public func withBytes<R, E: Error>(_ column: Int, _ body: (UnsafeBufferPointer<UInt8>) throws(E) -> R) throws(E) -> R {
        // The pointer comes first: asking for the length first may be undone by a conversion.
        let base = sqlite3_column_blob(handle, Int32(clamping: column))
        let count = Int(sqlite3_column_bytes(handle, Int32(clamping: column)))
        return try body(UnsafeBufferPointer(start: base?.assumingMemoryBound(to: UInt8.self), count: base == nil ? 0 : count))
    }

    /// A copy of the bytes of a text or blob column; empty for NULL.
    public func bytes(_ column: Int) -> [UInt8] { withBytes(column) { [UInt8]($0) } }

    /// The column as a text; nil for NULL. Bytes that are not UTF-8 become U+FFFD.
    public func text(_ column: Int) -> String? {
        isNull(column) ? nil : withBytes(column) { String(decoding: $0, as: UTF8.self) }
    }
}
