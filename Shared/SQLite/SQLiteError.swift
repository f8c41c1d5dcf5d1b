import CSQLite

/// What SQLite answered instead of doing the work. The result codes are those of <https://sqlite.org/rescode.html>.
public struct SQLiteError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The primary result code, e.g. 13 for `SQLITE_FULL`.
    public let code: Int32
    /// The extended result code, e.g. 1555 for `SQLITE_CONSTRAINT_PRIMARYKEY`; equal to `code` when there is no finer one.
    public let extendedCode: Int32
    /// SQLite's own words.
    public let message: String
    /// The statement that failed, or what was being done ("open PATH").
    public let sql: String

    /// An error as SQLite reports it; `code` may be an extended one.
    public init(code: Int32, message: String, sql: String) {
        self.code = code & 0xff
        self.extendedCode = code
        self.message = message
        self.sql = sql
    }

    /// The disk or the database's page limit is full. Free some space and try again.
    public var isFull: Bool { code == SQLITE_FULL || extendedCode == csqlite_ioerr_shmsize }
    /// Another connection holds a lock. Try again later.
    public var isBusy: Bool { code == SQLITE_BUSY || code == SQLITE_LOCKED }
    /// The file is damaged or is no database.
    public var isCorrupt: Bool { code == SQLITE_CORRUPT || code == SQLITE_NOTADB }
    /// A UNIQUE, NOT NULL, CHECK or FOREIGN KEY constraint refused the row.
    public var isConstraint: Bool { code == SQLITE_CONSTRAINT }

    /// One line for people: words, codes, statement.
    public var description: String { "SQLite: \(message) (code \(code), extended \(extendedCode)) in: \(sql)" }
}
