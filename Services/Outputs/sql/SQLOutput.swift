import IDF
import SQLite
import ServiceKernel
import Synchronization

/// Stores events in a SQL database.
struct SQLOutput: Output {
    static let spec = Spec(
        "sql", "Stores events in a SQL database: the fields people search in columns of their own, the whole event beside them.")

    @Setting("SQLite database file; made if it is not there.", example: "/var/lib/intelmq/events.sqlite") var database: String
    @Setting("Table to store into.") var table = "events"

    private var store: EventStore?

    mutating func prepare(_ context: WorkerContext) throws(Rejection) {
        let name = table
        guard !name.isEmpty, name.utf8.allSatisfy({ $0 == 0x5F || $0 >= 0x61 && $0 <= 0x7A || $0 >= 0x30 && $0 <= 0x39 }) else {
            throw .malformed("the table name \"\(name)\" may hold only a-z, 0-9 and _")
        }
        try makeFolder(ofFile: database, isTrial: context.isTrial)
        if context.isTrial { return }
        store = try EventStore(path: database, table: name)
    }

    func write(_ events: [Event]) async throws(Rejection) -> [RejectedEvent] {
        guard let store else { throw .unavailable("the database is not open") }
        try await store.insert(events)
        return []
    }
}

/// One SQLite table of events. Packets that come together are one transaction, synced when it is committed.
final class EventStore: Sendable {
    /// Column, type in SQL, field. The types are PostgreSQL's; SQLite takes them as they are.
    /// AS numbers go up to 2³²-1, so a 4-byte signed integer would not do.
    static let columns: [(name: String, type: String, field: FieldID)] = [
        ("time", "timestamptz", Key.timestamp.id), ("created", "timestamptz", Key.created.id), ("feed", "text", Key.feedName.id),
        ("taxonomy", "text", Key.classificationTaxonomy.id), ("type", "text", Key.classificationType.id),
        ("identifier", "text", FieldID("intelmq.classification.identifier")!), ("severity", "text", FieldID("intelmq.severity")!),
        ("malware", "text", FieldID("threat.software.name")!), ("source_ip", "inet", Key.sourceIP.id),
        ("source_port", "integer", Key.sourcePort.id), ("source_asn", "bigint", Key.sourceASNumber.id),
        ("source_as_name", "text", Key.sourceASName.id), ("source_network", "cidr", Key.sourceNetwork.id),
        ("source_country", "text", FieldID("source.geo.country_iso_code")!), ("source_domain", "text", Key.sourceDomain.id),
        ("source_url", "text", FieldID("url.full")!), ("destination_ip", "inet", Key.destinationIP.id),
        ("destination_port", "integer", Key.destinationPort.id), ("destination_domain", "text", Key.destinationDomain.id),
    ]

    private let writer: GroupWriter<EventRows>

    init(path: String, table: String) throws(Rejection) {
        let connection: Mutex<Connection>
        do throws(SQLiteError) {
            let database = try SQLiteDatabase(path: path)
            // Rows are long: larger pages hold several, and a longer log is copied into the table less often.
            try database.execute("PRAGMA page_size = 32768; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
            try database.execute("PRAGMA busy_timeout = 5000; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -8192")
            for statement in Self.definition(table) { try database.execute(statement) }
            let names = Self.columns.map(\.name)
            let insert = try database.prepare(
                "INSERT INTO \(table) (id, \(names.joined(separator: ", ")), event) VALUES (?, \(names.map { _ in "?" }.joined(separator: ", ")), ?) ON CONFLICT (id) DO NOTHING"
            )
            connection = Mutex(Connection(database: database, insert: insert))
        } catch {
            throw .unavailable("cannot open the database \(path): \(error)")
        }
        writer = GroupWriter { packets throws(Rejection) in
            do throws(SQLiteError) {
                try connection.withLock { (connection) throws(SQLiteError) in
                    try connection.database.transaction { () throws(SQLiteError) in
                        for rows in packets { try Self.insert(rows, connection.insert) }
                    }
                }
            } catch {
                throw .unavailable("cannot store into \(path): \(error)")
            }
        }
    }

    /// The table and its indices: what analysts filter by.
    static func definition(_ table: String) -> [String] {
        let columns = columns.map { "\($0.name) \($0.type)" }.joined(separator: ",\n  ")
        return ["CREATE TABLE IF NOT EXISTS \(table) (\n  id uuid PRIMARY KEY,\n  \(columns),\n  event jsonb NOT NULL\n)"]
            + ["time", "source_ip", "source_asn"].map { "CREATE INDEX IF NOT EXISTS \(table)_\($0) ON \(table) (\($0))" }
    }

    func insert(_ events: [Event]) async throws(Rejection) {
        // Everything but the statements themselves is done here, on the packet's own task.
        try await writer.write(
            EventRows(events, columns: Self.columns.map { ($0.field, $0.type == "integer" || $0.type == "bigint") }))
    }

    private static func insert(_ rows: EventRows, _ statement: SQLiteStatement) throws(SQLiteError) {
        try rows.text.withUnsafeBufferPointer { (text) throws(SQLiteError) in
            for row in 0..<rows.count {
                for column in 0..<rows.width {
                    switch rows.cells[row * rows.width + column] {
                    case .none: try statement.bindNull(column + 1)
                    case .integer(let value): try statement.bind(column + 1, value)
                    case .text(let start, let end):
                        // The text outlives the step.
                        try statement.bindText(
                            column + 1, UnsafeBufferPointer(rebasing: text[Int(start)..<Int(end)]), copy: false)
                    }
                }
                // Also after an error: a statement that is not reset refuses everything from then on.
                defer { statement.reset() }
                _ = try statement.step()
            }
        }
    }
}

/// The connection and its one statement; the writer's thread is the only one to use them.
private struct Connection {
    let database: SQLiteDatabase
    let insert: SQLiteStatement
}

/// The values of a packet's events, row by row: id, columns, event.
private struct EventRows: Sendable {
    enum Cell: Sendable {
        case none
        case integer(Int64)
        case text(UInt32, UInt32)
    }
    let width: Int
    let count: Int
    private(set) var cells: [Cell] = []
    private(set) var text: [UInt8] = []

    init(_ events: [Event], columns: [(field: FieldID, isInteger: Bool)]) {
        width = columns.count + 2
        count = events.count
        cells.reserveCapacity(events.count * width)
        // What stands in columns stands in the event, too.
        text.reserveCapacity(events.indices.reduce(0) { $0 + events[$1].sizeLimit * 5 / 4 + 64 })
        for event in events {
            add { event.id.append(to: &$0) }
            for column in columns {
                if column.isInteger {
                    cells.append(event.firstInteger(column.field).map { .integer($0) } ?? .none)
                } else {
                    add { _ = event.appendFirst(column.field, to: &$0) }
                }
            }
            add { event.encodeAttributes(into: &$0) }
        }
    }

    /// Adds what the body appends; nothing is no value.
    private mutating func add(_ body: (inout [UInt8]) -> Void) {
        let start = text.count
        body(&text)
        cells.append(text.count > start ? .text(UInt32(start), UInt32(text.count)) : .none)
    }
}
