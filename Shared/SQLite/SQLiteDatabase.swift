import CSQLite

/// One connection to a SQLite file. Not `Sendable`: use it from one thread at a time (it is opened without SQLite's own locks).
///
/// Closed when the last reference is gone; statements keep their connection alive.
public final class SQLiteDatabase {
    /// How the file is opened.
    public enum Access: Sendable {
        /// Read only; the file must exist.
        case readOnly
        /// Read and write; the file must exist.
        case readWrite
        /// Read and write; the file is made when it does not exist.
        case create
    }

    /// The journal of <https://sqlite.org/pragma.html#pragma_journal_mode>.
    public enum Journal: String, Sendable { case wal, delete, truncate, memory }

    /// When SQLite waits for the disk, <https://sqlite.org/pragma.html#pragma_synchronous>.
    public enum Synchronous: String, Sendable { case off, normal, full, extra }

    /// How a transaction takes its locks, <https://sqlite.org/lang_transaction.html>.
    public enum TransactionKind: String, Sendable { case deferred, immediate, exclusive }

    /// Nobody asks how much memory SQLite uses; to know it takes a lock with every allocation.
    private static let isSetUp = csqlite_disable_statistics()

    let handle: OpaquePointer
    /// The path as given.
    public let path: String

    /// Opens `path` (a file, or `:memory:`).
    ///
    /// - Parameters:
    ///   - journal: set when given; nil leaves what the file has.
    ///   - synchronous: set when given; SQLite's default is `full`.
    ///   - busyMilliseconds: how long to wait for another connection's lock.
    public init(
        path: String, access: Access = .create, journal: Journal? = nil, synchronous: Synchronous? = nil,
        busyMilliseconds: Int32 = 5_000
    ) throws(SQLiteError) {
        let flags: Int32 =
            switch access {
            case .readOnly: SQLITE_OPEN_READONLY
            case .readWrite: SQLITE_OPEN_READWRITE
            case .create: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            }
        var opened: OpaquePointer?
        _ = Self.isSetUp
        let code = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard code == SQLITE_OK, let opened else {
            let message = opened.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
            sqlite3_close_v2(opened)
            throw SQLiteError(code: code, message: message, sql: "open \(path)")
        }
        handle = opened
        self.path = path
        sqlite3_busy_timeout(opened, busyMilliseconds)
        if let journal { try execute("PRAGMA journal_mode = \(journal.rawValue)") }
        if let synchronous { try setSynchronous(synchronous) }
    }

    deinit { sqlite3_close_v2(handle) }

    /// Runs one or more statements that need no values; rows are thrown away.
    public func execute(_ sql: String) throws(SQLiteError) {
        try check(sqlite3_exec(handle, sql, nil, nil, nil), sql)
    }

    /// Compiles one statement to be bound and run, also many times.
    public func prepare(_ sql: String) throws(SQLiteError) -> SQLiteStatement {
        try SQLiteStatement(database: self, sql: sql)
    }

    /// The first column of the first row as a number; nil without a row or when it is NULL.
    public func integer(_ sql: String) throws(SQLiteError) -> Int64? {
        let statement = try prepare(sql)
        guard try statement.step(), !statement.isNull(0) else { return nil }
        return statement.integer(0)
    }

    /// Runs `body` in a transaction: committed when it returns, rolled back when it throws or the commit fails.
    public func transaction<R>(
        _ kind: TransactionKind = .immediate, _ body: () throws(SQLiteError) -> R
    ) throws(SQLiteError) -> R {
        try execute("BEGIN \(kind.rawValue)")
        do throws(SQLiteError) {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            rollback()
            throw error
        }
    }

    /// Ends an open transaction without its changes. Does nothing when there is none (SQLite ends some by itself after an error).
    public func rollback() {
        if isInTransaction { sqlite3_exec(handle, "ROLLBACK", nil, nil, nil) }
    }

    /// Whether a transaction is open.
    public var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }
    /// The rows changed by the last INSERT, UPDATE or DELETE.
    public var changes: Int { Int(sqlite3_changes64(handle)) }
    /// The rowid of the last INSERT of this connection.
    public var lastInsertedRow: Int64 { sqlite3_last_insert_rowid(handle) }

    /// Changes when commits wait for the disk; only outside a transaction.
    public func setSynchronous(_ value: Synchronous) throws(SQLiteError) {
        try execute("PRAGMA synchronous = \(value.rawValue)")
    }

    /// Keeps the write-ahead log's file when the last connection closes, so that its blocks stay reserved.
    public func keepLogFile() throws(SQLiteError) {
        try check(csqlite_persist_wal(handle, 1), "persist the write-ahead log")
    }

    /// Stops SQLite from copying the log into the file after commits of its own accord.
    public func disableAutomaticCheckpoint() throws(SQLiteError) {
        try check(sqlite3_wal_autocheckpoint(handle, 0), "disable checkpoints")
    }

    /// Copies the write-ahead log into the file.
    ///
    /// - Parameter restart: wait (up to the busy time) for readers, so that the next write begins the log anew.
    /// - Returns: pages in the log and pages copied; equal when all is in the file.
    @discardableResult
    public func checkpoint(restart: Bool = false) throws(SQLiteError) -> (log: Int, copied: Int) {
        var log: Int32 = 0
        var copied: Int32 = 0
        let mode = restart ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE
        try check(sqlite3_wal_checkpoint_v2(handle, nil, mode, &log, &copied), "checkpoint")
        return (Int(log), Int(copied))
    }

    func check(_ code: Int32, _ sql: String) throws(SQLiteError) {
        guard code != SQLITE_OK else { return }
        throw SQLiteError(code: code, message: String(cString: sqlite3_errmsg(handle)), sql: sql)
    }
}
