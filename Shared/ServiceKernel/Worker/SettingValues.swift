// The members that a protocol asks for are documented there.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import IDF
public import YAML

func wanted(_ what: String, _ node: YAMLNode) -> SettingProblem {
    let found: String
    switch node.content {
    case .scalar(let text, _): found = text.isEmpty ? "nothing" : "\"\((node.masked ?? text).prefix(60))\""
    case .sequence: found = "a list"
    case .mapping: found = "a mapping"
    }
    return SettingProblem("found \(found), wanted \(what)", at: node)
}

extension String: SettingValue {
    public init(setting node: YAMLNode) throws(SettingProblem) {
        guard let text = node.string else { throw wanted("text", node) }
        self = text
    }
    public static var schema: JSONValue { .object(["type": .string("string")]) }
    public var sample: String { yamlScalar(self) }
}

extension Bool: SettingValue {
    public init(setting node: YAMLNode) throws(SettingProblem) {
        guard let value = node.bool else { throw wanted("true or false", node) }
        self = value
    }
    public static var schema: JSONValue { .object(["type": .string("boolean")]) }
    public var sample: String { description }
}

extension Int: SettingValue {
    public init(setting node: YAMLNode) throws(SettingProblem) {
        guard let value = node.int else { throw wanted("a whole number", node) }
        self = value
    }
    public static var schema: JSONValue { .object(["type": .string("integer")]) }
    public var sample: String { description }
}

extension Double: SettingValue {
    public init(setting node: YAMLNode) throws(SettingProblem) {
        guard let value = node.double, value.isFinite else { throw wanted("a number", node) }
        self = value
    }
    public static var schema: JSONValue { .object(["type": .string("number")]) }
    public var sample: String { description }
}

extension Optional: SettingValue where Wrapped: SettingValue {
    public init(setting node: YAMLNode) throws(SettingProblem) { self = node.isNull ? nil : try Wrapped(setting: node) }
    public static var schema: JSONValue { Wrapped.schema }
    public var sample: String { self?.sample ?? "null" }
    public static var isSecret: Bool { Wrapped.isSecret }
    public func refreshed() throws(SettingProblem) -> Wrapped?? { try self?.refreshed().map { .some($0) } }
    public var madeAt: Int64? { self?.madeAt }
}

extension Array: SettingValue where Element: SettingValue {
    public init(setting node: YAMLNode) throws(SettingProblem) {
        guard let items = node.array else { throw wanted("a list", node) }
        self = []
        for item in items { append(try Element(setting: item)) }
    }
    public static var schema: JSONValue { .object(["type": .string("array"), "items": Element.schema]) }
    public var sample: String { "[" + map(\.sample).joined(separator: ", ") + "]" }
    public static var isSecret: Bool { Element.isSecret }
}

extension Dictionary: SettingValue where Key == String, Value: SettingValue {
    public init(setting node: YAMLNode) throws(SettingProblem) {
        guard let pairs = node.pairs else { throw wanted("a mapping", node) }
        self = [:]
        for pair in pairs { self[pair.key.string ?? ""] = try Value(setting: pair.value) }
    }
    public static var schema: JSONValue { .object(["type": .string("object"), "additionalProperties": Value.schema]) }
    public static var isSecret: Bool { Value.isSecret }
    public var sample: String {
        "{" + sorted { $0.key < $1.key }.map { "\(yamlScalar($0.key)): \($0.value.sample)" }.joined(separator: ", ") + "}"
    }
}

/// One of a closed list of words. Conform a `String` enum to it and to `SettingValue`.
public protocol SettingChoice: SettingValue, CaseIterable, RawRepresentable where RawValue == String {}

extension SettingChoice {
    /// Reads one of the words.
    public init(setting node: YAMLNode) throws(SettingProblem) {
        let words = Self.allCases.map(\.rawValue)
        guard let text = node.string, let value = Self(rawValue: text) else {
            throw wanted("one of " + words.joined(separator: ", "), node)
        }
        self = value
    }
    /// The words.
    public static var schema: JSONValue { .object(["enum": .array(Self.allCases.map { .string($0.rawValue) })]) }
    /// The word.
    public var sample: String { rawValue }
}

/// A length of time, written as `90 s`, `5 min`, `24 h`, `7 d` or a bare number of seconds.
public struct Interval: SettingValue, Hashable, Comparable, CustomStringConvertible {
    /// Seconds, never negative.
    public let seconds: Double

    /// So many seconds.
    public init(seconds: Double) { self.seconds = seconds }
    /// So many hours.
    public static func hours(_ hours: Double) -> Interval { Interval(seconds: hours * 3600) }

    private static let units: [(String, Double)] = [
        ("ms", 0.001), ("min", 60), ("m", 60), ("s", 1), ("h", 3600), ("d", 86400), ("w", 604800),
    ]

    public init(setting node: YAMLNode) throws(SettingProblem) {
        guard let text = node.string, let value = Interval(text) else {
            throw wanted("a length of time like 90 s, 5 min, 24 h or 7 d", node)
        }
        self = value
    }

    /// Reads the written form.
    public init?(_ text: String) {
        let number = text.prefix { $0.isNumber || $0 == "." }
        let unit = text.dropFirst(number.count).filter { $0 != " " }
        // Nothing here lasts longer than a century; more would not be countable in nanoseconds.
        guard let amount = Double(number), number.utf8.count <= 20 else { return nil }
        guard let factor = unit.isEmpty ? 1 : Self.units.first(where: { $0.0 == unit })?.1 else { return nil }
        guard amount * factor <= 100 * 365 * 86400 else { return nil }
        self.init(seconds: amount * factor)
    }

    public static var schema: JSONValue {
        .object(["type": .array([.string("string"), .string("number")]), "pattern": .string("^[0-9.]+ ?(ms|s|min|m|h|d|w)?$")])
    }
    public var sample: String { description }
    /// The written form in the largest unit that is whole.
    public var description: String {
        for (unit, factor) in [("d", 86400.0), ("h", 3600), ("min", 60), ("s", 1)]
        where seconds >= factor && (seconds / factor).rounded() == seconds / factor {
            return "\(Int(seconds / factor)) \(unit)"
        }
        return "\(Int((seconds * 1000).rounded())) ms"
    }
    /// Order by length.
    public static func < (a: Interval, b: Interval) -> Bool { a.seconds < b.seconds }
    /// The same as a `Duration`.
    public var duration: Duration { .milliseconds(Int64(seconds * 1000)) }
}

/// A number of bytes, written as `512 KiB`, `64 MiB`, `2 GiB` or a bare number.
public struct ByteCount: SettingValue, Hashable, CustomStringConvertible {
    /// Bytes, never negative.
    public let bytes: Int

    /// So many bytes.
    public init(bytes: Int) { self.bytes = bytes }
    /// So many mebibytes.
    public static func mebibytes(_ count: Int) -> ByteCount { ByteCount(bytes: count << 20) }

    public init(setting node: YAMLNode) throws(SettingProblem) {
        let units = [
            "": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "kB": 1000, "MB": 1_000_000, "GB": 1_000_000_000,
        ]
        let text = node.string ?? ""
        let number = text.prefix { $0.isNumber }
        let unit = text.dropFirst(number.count).filter { $0 != " " }
        guard let amount = Int(number), let factor = units[unit] else {
            throw wanted("a number of bytes like 512 KiB, 64 MiB or 2 GiB", node)
        }
        // A pebibyte is more than there is anywhere, and small enough to reckon with.
        let (product, overflow) = amount.multipliedReportingOverflow(by: factor)
        guard !overflow, product <= 1 << 50 else { throw wanted("at most 1048576 GiB", node) }
        bytes = product
    }
    public static var schema: JSONValue {
        .object([
            "type": .array([.string("string"), .string("integer")]), "pattern": .string("^[0-9]+ ?(B|KiB|MiB|GiB|kB|MB|GB)?$"),
        ])
    }
    public var sample: String { description }
    /// The written form in the largest unit that is whole.
    public var description: String {
        for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] where bytes > 0 && bytes & (1 << shift - 1) == 0 {
            return "\(bytes >> shift) \(unit)"
        }
        return "\(bytes)"
    }
}

/// A text that is never shown: a password, a token, a key.
public struct Secret: SettingValue, Hashable, CustomStringConvertible {
    /// The text itself, for the one place that needs it.
    public let revealed: String

    public init(setting node: YAMLNode) throws(SettingProblem) { revealed = try String(setting: node) }
    public static var schema: JSONValue { .object(["type": .string("string"), "writeOnly": .boolean(true)]) }
    public static var isSecret: Bool { true }
    public var sample: String { "\"***\"" }
    /// Never the text.
    public var description: String { "***" }
}

extension FieldID: SettingValue {
    public init(setting node: YAMLNode) throws(SettingProblem) {
        guard let name = node.string else { throw wanted("the name of a field like source.ip", node) }
        guard let id = FieldID(name) ?? DHO.field(name) else {
            let near = didYouMean(name, in: Field.all.map(\.name))
            throw SettingProblem("no field \"\(name)\" in the data format", help: near, at: node)
        }
        self = id
    }
    public static var schema: JSONValue { .object(["type": .string("string"), "description": .string("name of a field")]) }
    public var sample: String { name }
}

/// A text as a YAML scalar, quoted where it must be.
func yamlScalar(_ text: String) -> String {
    let plain =
        !text.isEmpty
        && text.unicodeScalars.allSatisfy { scalar in
            scalar.value >= 0x80 && !scalar.isMisread || scalar.value >= 0x61 && scalar.value <= 0x7A
                || scalar.value >= 0x41 && scalar.value <= 0x5A || scalar.value >= 0x30 && scalar.value <= 0x39
                || "-_./+:@".unicodeScalars.contains(scalar)
        }
    let mistakable = ["true", "false", "null", "~", "yes", "no", "on", "off"].contains(text.lowercased()) || Double(text) != nil
    let structural = text.hasPrefix("-") || text.hasPrefix(":") || text.hasPrefix("@") || text.hasSuffix(":")
    return plain && !mistakable && !structural ? text : yamlQuoted(text)
}

/// An example of a setting as it stands in a file: lists and mappings are written as they are.
func yamlExample(_ text: String) -> String {
    ["[", "{"].contains { text.hasPrefix($0) } ? text : yamlScalar(text)
}

/// A text in double quotes, as YAML and JSON read it.
func yamlQuoted(_ text: String) -> String {
    let quoted = String(decoding: JSONValue.string(text).bytes, as: UTF8.self)
    guard quoted.unicodeScalars.contains(where: \.isMisread) else { return quoted }
    return quoted.unicodeScalars.reduce(into: "") { result, scalar in
        guard scalar.isMisread else { return result.unicodeScalars.append(scalar) }
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
    }
}

extension Unicode.Scalar {
    /// What YAML takes for a line break, leaves out or refuses, unless it is escaped.
    fileprivate var isMisread: Bool {
        switch value {
        case 0x7F...0xA0, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF: true
        default: false
        }
    }
}
