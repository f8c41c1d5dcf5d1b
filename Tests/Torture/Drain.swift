import Glibc
import IDF
import SQLite

/// Watches acknowledged events arrive in the last hop's table once the storm is over.
struct Drain {
    /// Acknowledged and not seen in the table yet.
    private(set) var missing: Set<UUID> = []
    private var lastRow: Int64 = 0
    private let path: String

    init(_ records: [Ledger.Record], root: String) {
        path = Hop.store(in: root)
        for record in records {
            if case .acknowledged = record.fate { missing.formUnion(record.events) }
        }
    }

    /// How long an event may be on its way without any other arriving.
    private static let patience = Duration.seconds(60)

    /// Waits until all that was acknowledged is there; that nothing comes any more is a finding.
    static func all(of ledger: Ledger, in root: String) async throws(TortureError) {
        var drain = Drain(ledger.records, root: root)
        var left = drain.missing.count
        var progress = ContinuousClock.now
        while !drain.missing.isEmpty {
            try drain.look()
            if drain.missing.count < left {
                left = drain.missing.count
                progress = .now
            }
            if ContinuousClock.now - progress > patience {
                return ledger.report(
                    "\(left) acknowledged events have not arrived, and none has for \(patience.inSeconds) s: what is stuck?")
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Rows of the table; without one, none.
    static func rows(_ path: String) -> Int64 {
        guard access(path, F_OK) == 0, let database = try? SQLiteDatabase(path: path, access: .readOnly) else { return 0 }
        return (try? database.integer("SELECT max(rowid) FROM events")) ?? 0
    }

    /// Reads the rows that have come since the last call.
    mutating func look() throws(TortureError) {
        guard access(path, F_OK) == 0 else { return }
        do throws(SQLiteError) {
            let database = try SQLiteDatabase(path: path, access: .readOnly)
            let statement = try database.prepare("SELECT rowid, id FROM events WHERE rowid > ?1 ORDER BY rowid")
            try statement.bind(1, lastRow)
            while try statement.step() {
                lastRow = statement.integer(0)
                if let id = statement.withBytes(1, { UUID($0) }) { missing.remove(id) }
            }
        } catch {
            throw TortureError("cannot read \(path): \(error)")
        }
    }
}
