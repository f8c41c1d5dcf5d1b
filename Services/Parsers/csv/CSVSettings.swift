import IDF
import Mapping
import ServiceKernel
import YAML

/// The columns of a report, in order or by the names that its first row gives them.
struct CSVColumns: SettingValue {
    /// One column and the fields its value may go to; none: the column is left out.
    struct Column: Sendable {
        let name: String
        let fields: [String]
    }

    let list: [Column]
    /// Whether columns are found by the names in the first row.
    let isNamed: Bool

    init(setting node: YAMLNode) throws(SettingProblem) {
        var list: [Column] = []
        isNamed = node.pairs != nil
        if let pairs = node.pairs {
            for (key, value) in pairs {
                list.append(Column(name: key.string ?? "", fields: try Self.fields(value)))
            }
        } else if let items = node.array {
            for item in items { list.append(Column(name: "", fields: try Self.fields(item))) }
        } else if let text = node.string, !text.isEmpty {
            for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                list.append(Column(name: "", fields: try Self.fields(String(part), node)))
            }
        }
        guard !list.isEmpty else {
            throw SettingProblem(
                "wanted a list of fields in the order of the columns, or a mapping of column names to fields", at: node)
        }
        self.list = list
    }

    private static func fields(_ node: YAMLNode) throws(SettingProblem) -> [String] {
        guard node.array == nil, node.pairs == nil else {
            throw SettingProblem("wanted the name of a field, alternatives joined with |", at: node)
        }
        return try fields(node.string ?? "", node)
    }

    private static func fields(_ text: String, _ node: YAMLNode) throws(SettingProblem) -> [String] {
        let text = text.filter { $0 != " " }
        if text.isEmpty || text == "__IGNORE__" { return [] }
        let names = text.split(separator: "|").map(String.init)
        for name in names where name != "__IGNORE__" && Mapping.Target(name) == nil {
            throw CSVParser.unknown(name, node)
        }
        return names.filter { $0 != "__IGNORE__" }
    }

    static var schema: JSONValue {
        .object([
            "type": .array([.string("array"), .string("string"), .string("object")]),
            "description": .string(
                "fields in the order of the columns; alternatives joined with |; empty or __IGNORE__ leaves a column out"),
        ])
    }
    var sample: String {
        let texts = list.map { ($0.name, $0.fields.isEmpty ? "\"\"" : $0.fields.joined(separator: "|").sample) }
        return isNamed
            ? "{" + texts.map { "\($0.sample): \($1)" }.joined(separator: ", ") + "}"
            : "[" + texts.map(\.1).joined(separator: ", ") + "]"
    }
}

/// How many rows at the begin are no data: `true` is one.
struct SkippedRows: SettingValue {
    let count: Int

    init(_ count: Int) { self.count = count }

    init(setting node: YAMLNode) throws(SettingProblem) {
        if let value = node.bool {
            count = value ? 1 : 0
        } else if let value = node.int, value >= 0 {
            count = value
        } else {
            throw SettingProblem("wanted true, false or a number of rows", at: node)
        }
    }
    static var schema: JSONValue { .object(["type": .array([.string("boolean"), .string("integer")]), "minimum": .integer(0)]) }
    var sample: String { count < 2 ? (count == 1).description : count.description }
}

/// One byte that separates cells.
struct Delimiter: SettingValue {
    let byte: UInt8

    init(_ byte: UInt8) { self.byte = byte }

    init(setting node: YAMLNode) throws(SettingProblem) {
        guard let text = node.string, text.utf8.count == 1, let byte = text.utf8.first, byte != 0x0A, byte != 0x0D, byte != 0x22
        else {
            throw SettingProblem("wanted one ASCII character like \",\", \";\", \"|\" or \"\\t\"", at: node)
        }
        self.byte = byte
    }
    static var schema: JSONValue { .object(["type": .string("string"), "minLength": .integer(1), "maxLength": .integer(1)]) }
    var sample: String { String(decoding: JSONValue.string(String(UnicodeScalar(byte))).bytes, as: UTF8.self) }
}

/// How times are written.
struct TimeFormat: SettingValue {
    let text: String
    let conversions: [Conversion]
    /// Whether times may be written in any usual way.
    var isFree: Bool { conversions.isEmpty }

    init(setting node: YAMLNode) throws(SettingProblem) {
        text = try String(setting: node)
        let format = text.split(separator: "|", maxSplits: 1).dropFirst().first.map(String.init)
        switch (text.prefix { $0 != "|" }.replacing("_", with: "-"), format) {
        case ("", _), ("fuzzy", nil), ("from-isoformat", nil): conversions = []
        case ("utc-isoformat", nil): conversions = [.time(["%Y-%m-%dT%H:%M:%S+00:00", "%Y-%m-%dT%H:%M:%S.%f+00:00"])]
        case ("timestamp", nil), ("from-timestamp", nil), ("unix-seconds", nil): conversions = [.unixSeconds]
        case ("epoch-millis", nil), ("unix-milliseconds", nil): conversions = [.unixMilliseconds]
        case ("windows-nt", nil), ("from-windows-nt", nil): conversions = [.windowsNT]
        case ("midnight", nil), ("from-midnight", nil): conversions = [.midnight]
        case ("from-format", let format?): conversions = [.time([format])]
        case ("from-format-midnight", let format?): conversions = [.time([format]), .midnight]
        case (_, nil) where text.contains("%"): conversions = [.time([text])]
        default:
            throw SettingProblem(
                "found \"\(text)\", wanted a format like \"%d.%m.%Y %H:%M\", or one of unix-seconds, unix-milliseconds, windows-nt, midnight, fuzzy",
                at: node)
        }
    }
    static var schema: JSONValue { .object(["type": .string("string")]) }
    var sample: String { text.sample }
}

/// Whether the rows with the filter's text are read, or the others.
enum FilterType: String, SettingChoice {
    case whitelist, blacklist
}

/// A regular expression.
struct SearchPattern: SettingValue {
    let pattern: Pattern

    init(setting node: YAMLNode) throws(SettingProblem) {
        let text = try String(setting: node)
        do { pattern = try Pattern(text) } catch {
            throw SettingProblem("\"\(text)\" is no regular expression: \(error)", at: node)
        }
    }
    static var schema: JSONValue { .object(["type": .string("string"), "format": .string("regex")]) }
    var sample: String { pattern.text.sample }
}
