public import IDF

/// How the rows of a feed become events: columns, conversions, constants. Pure data, read from YAML or made by a parser's settings.
public struct Mapping: Sendable {
    /// How the report is written.
    public enum Format: Sendable, Equatable {
        /// Comma-separated values (or another delimiter).
        case csv(delimiter: UInt8, quote: UInt8?, header: Header)
        /// One JSON array of objects, or one object.
        case json
        /// One JSON object a line.
        case ndjson
        /// One value or several, separated by a text; nil: the whole line is one value.
        case lines(separator: String?)
    }

    /// What the first rows of a CSV report are.
    public enum Header: Sendable, Equatable {
        /// There is none; columns are taken by place.
        case none
        /// The first row names the columns; columns are found by name.
        case names
        /// So many rows are skipped; columns are taken by place.
        case skip(Int)
    }

    /// Where one value of a row goes.
    public struct Column: Sendable {
        /// Name of the column (in JSON a dotted path, or several joined with `|`, the first that has a value); empty: taken by place.
        public var name: String
        /// Candidates in order; the first that takes the value wins. Empty: the column is left out.
        public var targets: [Target]
        /// What is done to the text before.
        public var conversions: [Conversion]
        /// What is done to the text for one candidate only, in the order of `targets`; empty: nothing.
        public var targetConversions: [[Conversion]] = []
        /// Whether a row without a usable value is refused.
        public var isRequired: Bool
        /// Whether a row is refused whose cell has a text that no candidate takes; otherwise the text is left out.
        public var refusesMisfits: Bool

        /// Describes a column.
        public init(name: String = "", targets: [Target], conversions: [Conversion] = [], isRequired: Bool = false) {
            self.name = name
            self.targets = targets
            self.conversions = conversions
            self.isRequired = isRequired
            // Of several candidates none need fit.
            refusesMisfits = isRequired || targets.count == 1
        }
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
    /// The columns in order.
    public var columns: [Column]
    /// Values that every event gets unless the row gave one.
    public var constants: [(target: Target, value: JSONValue)]
    /// Texts that mean "no value", besides the empty one.
    public var ignored: Set<String>
    /// Texts made of several columns: `{0}` is the first cell.
    public var composed: [(target: Target, template: String)] = []
    /// Only rows that contain (or do not contain) a text are read.
    public var filter: (text: String, keeps: Bool)?

    /// Describes a mapping.
    public init(
        format: Format, comments: [String] = ["#"], columns: [Column], constants: [(target: Target, value: JSONValue)] = [],
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
        var found: [FieldID] = []
        for target in columns.flatMap(\.targets) + constants.map(\.target) + composed.map(\.target) {
            if case .field(let id) = target, !found.contains(id) { found.append(id) }
        }
        return found.sorted()
    }
}
