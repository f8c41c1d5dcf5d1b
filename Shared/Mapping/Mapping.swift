public import IDF

/// How the rows of a feed become events: columns, conversions, constants. Pure data, read from YAML or made by a parser's settings.
public struct Mapping: Sendable {
    /// How the report is written.
    public enum Format: Sendable, Equatable {
        /// Comma-separated values (or another delimiter).
        case csv(delimiter: UInt8, quote: UInt8?, header: Header)
        /// A JSON array of objects, one object, or one object a line. With `items`, the rows are at that path of the
        /// document; `*` is every member of an object as `{key, value}`.
        case json(items: [String])
        /// One JSON object a line.
        case ndjson
        /// One value or several, separated by a text; nil: the whole line is one value. So many lines are skipped before.
        case lines(separator: String?, skip: Int)
        /// XML: each element of that name is a row, its children are the columns.
        case xml(items: String)
        /// Names and values, as `ip=192.0.2.1 port=80`, one row a line.
        case pairs(separator: String, equals: String, stripsQuotes: Bool)
    }

    /// What the first rows of a CSV report are.
    public enum Header: Sendable, Equatable {
        /// There is none; columns are taken by place.
        case none
        /// The first row names the columns; columns are found by name.
        case names
        /// The last comment before the first row names the columns.
        case comment
        /// So many rows are skipped; columns are taken by place.
        case skip(Int)
    }

    /// What becomes of a text that a table does not have.
    public enum Otherwise: Sendable {
        /// Nothing is set.
        case nothing
        /// These fields are set.
        case fields([Constant])
        /// The row is left out.
        case skip
        /// The row is refused.
        case refuse
    }

    /// A value of a field.
    public typealias Constant = (target: Target, value: JSONValue)

    /// Which text sets which fields.
    public struct Table: Sendable {
        /// By text; nil: the row is left out.
        public var rows: [String: [Constant]?]
        /// What becomes of any other text.
        public var otherwise: Otherwise

        /// Describes a table.
        public init(rows: [String: [Constant]?], otherwise: Otherwise = .nothing) {
            self.rows = rows
            self.otherwise = otherwise
        }
    }

    /// Values that stand before the rows and hold for all of them.
    public struct Preamble: Sendable {
        /// What stands before the value in its line; nil where the line is told by its number.
        public var mark: String?
        /// The line, from 1.
        public var line: Int?
        /// Where the value goes.
        public var column: Column
    }

    /// A list in a row, each item of which becomes an event of its own.
    public struct Each: Sendable {
        /// Name, place or path of the list.
        public var column: Column
        /// Separates the items of a text.
        public var separator: String?
        /// Whether a row without items is left out instead of being one event.
        public var skipsEmpty = false
        /// Whether an event keeps its item as it came instead of the whole row.
        public var keepsItem = false
    }

    /// A field, or a custom member.
    public enum Target: Sendable, Equatable {
        case field(FieldID)
        case custom([String])

        /// Reads a name: of a field, of the old format, or below `custom.` or `extra.`.
        public init?(_ name: String) {
            if name.hasPrefix("custom.") || name.hasPrefix("extra.") {
                let path = name.split(separator: ".").dropFirst().map(String.init)
                guard !path.isEmpty else { return nil }
                self = .custom(path)
            } else if let field = FieldID(name) ?? DHO.field(name) {
                self = .field(field)
            } else {
                return nil
            }
        }

        /// The name.
        public var name: String {
            switch self {
            case .field(let id): id.name
            case .custom(let path): (["custom"] + path).joined(separator: ".")
            }
        }
    }

    /// How the report is written.
    public var format: Format
    /// Prefixes of lines that are comments.
    public var comments: [String]
    /// Values that stand before the rows.
    public var preamble: [Preamble] = []
    /// The columns in order.
    public var columns: [Column]
    /// A list whose items become events of their own.
    public var each: Each?
    /// Values that every event gets unless the row gave one.
    public var constants: [Constant]
    /// Texts that mean "no value", besides the empty one.
    public var ignored: Set<String>
    /// Texts made of several columns: `{0}` is the first cell, `{name}` that of a named column.
    public var composed: [Composed] = []
    /// Only rows that contain (or do not contain) a text are read.
    public var filter: (text: String, keeps: Bool)?
    /// Whether blanks before a quoted cell are dropped, as in `"a", "b"`.
    public var skipsInitialSpace = false
    /// Whether a time with month and day but no year is read, too: the latest one before `event.created`.
    public var completesYears = false
    let accuracy = Key<Double>("threat.feed.accuracy")

    /// Describes a mapping.
    public init(
        format: Format, comments: [String] = ["#"], columns: [Column], constants: [Constant] = [],
        ignored: Set<String> = ["-", "N/A"]
    ) {
        self.format = format
        self.comments = comments
        self.columns = columns
        self.constants = constants
        self.ignored = ignored
    }

    /// The fields that events of this mapping may have.
    public var writes: [FieldID] {
        var found: Set<FieldID> = []
        func take(_ target: Target) { if case .field(let id) = target { found.insert(id) } }
        for column in columns + preamble.map(\.column) {
            column.targets.forEach(take)
            for row in column.table?.rows.values.compactMap({ $0 }) ?? [] { row.forEach { take($0.target) } }
            if case .fields(let fields)? = column.table?.otherwise { fields.forEach { take($0.target) } }
        }
        constants.forEach { take($0.target) }
        composed.forEach { take($0.target) }
        return found.sorted()
    }
}
