import SQLite

/// Which dead letters: all conditions that are given must be met.
public struct DeadLetterFilter: Sendable, Equatable {
    /// The edge it was for; an empty one means those for no edge (processing failed).
    public var edge: String?
    /// The reason code.
    public var code: String?
    /// The worker that gave up.
    public var worker: String?
    /// The event's id.
    public var eventID: String?
    /// `meta.id` of the packet it came in.
    public var packetID: String?
    /// Found in `detail` or `original`; upper and lower case of ASCII letters are the same.
    public var text: String?
    /// Failed last at this time or later, Unix time in milliseconds.
    public var since: Int64?
    /// Failed last before this time, Unix time in milliseconds.
    public var until: Int64?

    /// Conditions; without any, all dead letters.
    public init(
        edge: String? = nil, code: String? = nil, worker: String? = nil, eventID: String? = nil, packetID: String? = nil,
        text: String? = nil, since: Int64? = nil, until: Int64? = nil
    ) {
        self.edge = edge
        self.code = code
        self.worker = worker
        self.eventID = eventID
        self.packetID = packetID
        self.text = text
        self.since = since
        self.until = until
    }
}

extension DeadLetterFilter {
    private enum Value {
        case text(String)
        case bytes([UInt8])
        case number(Int64)
    }

    /// The conditions in SQL, each with the values it needs, which only ever go in as parameters.
    private var conditions: [(sql: String, values: [Value])] {
        var result: [(String, [Value])] = []
        if let edge { result.append(edge.isEmpty ? ("edge IS NULL", []) : ("edge = ?", [.text(edge)])) }
        for (column, text) in [("code", code), ("worker", worker), ("event_id", eventID), ("packet_id", packetID)] {
            if let text { result.append(("\(column) = ?", [.text(text)])) }
        }
        if let since { result.append(("last_time >= ?", [.number(since)])) }
        if let until { result.append(("last_time < ?", [.number(until)])) }
        if let text, !text.isEmpty {
            let part = Value.bytes(text.utf8.map { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") ? $0 | 0x20 : $0 })
            // Compared as bytes: an original need not be valid text.
            let found = ["detail", "original"].map { "instr(CAST(lower(CAST(\($0) AS TEXT)) AS BLOB), ?) > 0" }
            result.append(("(\(found[0]) OR \(found[1]))", [part, part]))
        }
        return result
    }

    /// What follows WHERE, beginning with those after one number; give the values with `bind`.
    var sql: String { (["id > ?"] + conditions.map(\.sql)).joined(separator: " AND ") }

    /// Gives the statement its values; answers the next free position.
    func bind(after: Int64?, to statement: SQLiteStatement) throws(SQLiteError) -> Int {
        try statement.bind(1, after ?? 0)
        var position = 2
        for value in conditions.flatMap(\.values) {
            switch value {
            case .text(let text): try statement.bind(position, text)
            case .number(let number): try statement.bind(position, number)
            case .bytes(let bytes):
                try bytes.withUnsafeBufferPointer { (bytes) throws(SQLiteError) in try statement.bindBlob(position, bytes) }
            }
            position += 1
        }
        return position
    }
}
