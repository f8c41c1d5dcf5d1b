import IDF

/// What may be done to a text before it becomes a value: a closed list. A feed that needs more is a Swift parser.
public enum Conversion: Sendable, Equatable {
    /// Other spellings: `{online: "on"}`; what is not in the table stays as it is.
    case replace([String: String])
    /// Other spellings; what is not in the table is no value.
    case translate([String: String])
    /// The first part of the text that a regular expression finds; nothing when it finds none.
    case search(Pattern)
    /// A time written so (strptime).
    case time(String)
    /// Seconds since 1970.
    case unixSeconds
    /// Milliseconds since 1970.
    case unixMilliseconds
    /// 100 ns steps since 1601.
    case windowsNT
    /// A time that is at midnight UTC: the clock part is cut off.
    case midnight
    /// Puts a text in front unless a scheme (`x://`) is there.
    case scheme(String)
    /// Lower case.
    case lowercase
    /// Upper case.
    case uppercase
    /// Cuts a text off the beginning.
    case dropPrefix(String)
    /// Cuts a text off the end.
    case dropSuffix(String)
    /// The part before the first such text.
    case before(String)
    /// The part after the first such text.
    case after(String)
    /// A text in JSON: numbers, booleans, lists and objects keep their type in custom members.
    case json

    /// The names as they are written in mapping files.
    public static let names = [
        "replace", "time", "unix-seconds", "unix-milliseconds", "windows-nt", "midnight", "scheme", "lowercase", "uppercase",
        "drop-prefix",
        "drop-suffix", "before", "after", "json", "translate", "search",
    ]

    /// The text after the conversion, or nil if it cannot be converted.
    func apply(_ text: String) -> String? {
        switch self {
        case .replace(let table): return table[text] ?? text
        case .translate(let table): return table[text]
        case .search(let pattern): return pattern.first(in: text)
        case .time(let format): return bytes(text) { Timestamp.parse($0, format: format) }?.description
        case .unixSeconds: return bytes(text, Timestamp.unixSeconds)?.description
        case .unixMilliseconds: return bytes(text, Timestamp.epochMillis)?.description
        case .windowsNT: return bytes(text, Timestamp.windowsNT)?.description
        case .midnight:
            return bytes(text) { Timestamp($0) ?? Timestamp(fuzzy: $0) }.map { "\($0.description.prefix(10))T00:00:00Z" }
        case .scheme(let scheme): return text.contains("://") ? text : scheme + text
        case .lowercase: return text.lowercased()
        case .uppercase: return text.uppercased()
        case .dropPrefix(let prefix): return text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
        case .dropSuffix(let suffix): return text.hasSuffix(suffix) ? String(text.dropLast(suffix.count)) : text
        case .before(let mark): return text.firstRange(of: mark).map { String(text[..<$0.lowerBound]) } ?? text
        case .after(let mark): return text.firstRange(of: mark).map { String(text[$0.upperBound...]) } ?? text
        case .json: return (try? JSONValue(parsing: text.utf8)) == nil ? nil : text
        }
    }

    private func bytes<R>(_ text: String, _ body: (ByteView) -> R?) -> R? {
        var text = text
        return text.withUTF8 { body($0) }
    }
}

/// A regular expression, made once and used from any thread.
public struct Pattern: Equatable, @unchecked Sendable {
    /// As it was written.
    public let text: String
    // Made of text, it holds nothing but constant instructions.
    private let regex: Regex<AnyRegexOutput>

    /// Compiles the expression; throws what the standard library finds wrong.
    public init(_ text: String) throws {
        self.text = text
        regex = try Regex(text)
    }

    func first(in text: String) -> String { text.firstMatch(of: regex).map { String(text[$0.range]) } ?? "" }

    /// Whether both were written the same way.
    public static func == (a: Pattern, b: Pattern) -> Bool { a.text == b.text }
}
