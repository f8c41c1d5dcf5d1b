import IDF

/// What may be done to a text before it becomes a value: a closed list. A feed that needs more is a Swift parser.
public enum Conversion: Sendable, Equatable {
    /// Other spellings: `{online: "on"}`; what is not in the table stays as it is.
    case replace([String: String])
    /// Other spellings; what is not in the table is no value.
    case translate([String: String])
    /// The first part of the text that a regular expression finds; nothing when it finds none.
    case search(Pattern)
    /// The text without what a regular expression finds.
    case remove(Pattern)
    /// A time written in one of these ways (strptime), the first that fits.
    case time([String])
    /// Seconds since 1970.
    case unixSeconds
    /// Milliseconds since 1970; nothing for numbers of too few digits, as zero.
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
    /// The part before the last such text.
    case beforeLast(String)
    /// The part after the last such text.
    case afterLast(String)
    /// The part after such a text; no value where it is not there.
    case behind(String)
    /// Only texts that begin so; nothing of others.
    case starting(String)
    /// Puts a text in front.
    case prepend(String)
    /// Puts a text behind.
    case append(String)
    /// Only texts of so many bytes; others are no value of this candidate.
    case length(Int)
    /// The host of a URL, of `host:port` or of `[address]:port`.
    case host
    /// The port of a URL or of `host:port`; nothing where none is written.
    case port
    /// The scheme of a URL in lower case; nothing where there is none.
    case urlScheme
    /// The path of a URL; nothing where there is none.
    case urlPath
    /// An IPv4 address without zeros in front of its numbers.
    case unpad
    /// A defanged text as it was: `hxxp`, `[.]`, `(.)`, `[:]`, `[@]`.
    case refang
    /// A text in JSON: numbers, booleans, lists and objects keep their type in custom members.
    case json

    /// The names as they are written in mapping files.
    public static let names = [
        "replace", "translate", "search", "remove", "time", "unix-seconds", "unix-milliseconds", "windows-nt", "midnight",
        "scheme",
        "lowercase", "uppercase", "drop-prefix", "drop-suffix", "before", "after", "before-last", "after-last", "behind",
        "starting",
        "prepend", "append", "length", "host", "port", "url-scheme", "url-path", "unpad", "refang", "json",
    ]

    /// The text after the conversion, or nil if it cannot be converted.
    func apply(_ text: String) -> String? {
        if cuts { return text.bytes { cut($0).map { String(decoding: $0, as: UTF8.self) } } }
        return switch self {
        case .replace(let table): table[text] ?? text
        case .translate(let table): table[text]
        case .search(let pattern): pattern.first(in: text)
        case .remove(let pattern): pattern.removed(from: text)
        case .time(let formats):
            formats.lazy.compactMap { format in text.bytes { CivilTime.parse($0, format: format) } }.first?.description
        case .unixSeconds: text.bytes(CivilTime.unixSeconds)?.description
        case .unixMilliseconds:
            // Zero and the like say that there is no time, which is no reason to lose the row.
            text.bytes(CivilTime.epochMillis)?.description ?? (isWholeNumber(text) ? "" : nil)
        case .windowsNT: text.bytes(CivilTime.windowsNT)?.description
        case .midnight:
            text.bytes { CivilTime(fuzzy: $0)?.inUTC }.map { "\($0.description.prefix(10))T00:00:00Z" }
        case .scheme(let scheme): text.contains("://") ? text : scheme + text
        case .lowercase: text.lowercased()
        case .uppercase: text.uppercased()
        case .prepend(let start): start + text
        case .append(let end): text + end
        case .urlScheme: text.firstRange(of: "://").map { text[..<$0.lowerBound].lowercased() } ?? ""
        case .unpad: text.split(separator: ".", omittingEmptySubsequences: false).map(unpadded).joined(separator: ".")
        case .refang: text.refanged
        case .json: isWholeNumber(text) || (try? JSONValue(parsing: text.utf8)) != nil ? text : nil
        default: text
        }
    }

    private func unpadded(_ number: Substring) -> Substring {
        let rest = number.drop { $0 == "0" }
        return rest.isEmpty ? number.suffix(1) : rest
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

    func removed(from text: String) -> String { text.replacing(regex, with: "") }

    /// Whether both were written the same way.
    public static func == (a: Pattern, b: Pattern) -> Bool { a.text == b.text }
}
