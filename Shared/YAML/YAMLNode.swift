/// A place in a YAML text.
public struct YAMLMark: Sendable, Hashable {
    /// Line, counted from 1.
    public let line: Int
    /// Column in Unicode scalars, counted from 1.
    public let column: Int

    /// Makes a mark; both numbers count from 1.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

/// One value of a YAML document with the place it was read from.
///
/// Aliases share the node of their anchor, so one node may hang in several places.
public final class YAMLNode: Sendable {
    /// What a node holds.
    public enum Content: Sendable {
        /// A single value. `plain` is true when it stands unquoted, so that `5` is a number and `"5"` is text.
        case scalar(text: String, plain: Bool)
        /// A list.
        case sequence([YAMLNode])
        /// Pairs in the order of the text; keys are scalars and differ from each other.
        case mapping([(key: YAMLNode, value: YAMLNode)])
    }

    /// The value.
    public let content: Content
    /// Where the value begins.
    public let mark: YAMLMark
    /// Just behind the value's last character; for block collections the begin of what follows them.
    public let endMark: YAMLMark
    /// What may be shown of a text that holds a secret; nil for all others.
    public let masked: String?
    /// Positions of keys, only for mappings too long to be searched one by one.
    private let index: [String: Int]?

    init(_ content: Content, from mark: YAMLMark, to endMark: YAMLMark, masked: String? = nil) {
        self.content = content
        self.mark = mark
        self.endMark = endMark
        self.masked = masked
        if case .mapping(let pairs) = content, pairs.count > 8 {
            index = .init(pairs.enumerated().map { ($1.key.text ?? "", $0) }) { first, _ in first }
        } else {
            index = nil
        }
    }

    /// The value of a key; nil when there is no such key or this is no mapping.
    public subscript(_ key: String) -> YAMLNode? {
        guard case .mapping(let pairs) = content else { return nil }
        if let index { return index[key].map { pairs[$0].value } }
        return pairs.first { $0.key.text == key }?.value
    }

    /// The items of a sequence; nil for anything else.
    public var array: [YAMLNode]? {
        if case .sequence(let items) = content { items } else { nil }
    }

    /// The pairs of a mapping in the order of the text; nil for anything else.
    public var pairs: [(key: YAMLNode, value: YAMLNode)]? {
        if case .mapping(let pairs) = content { pairs } else { nil }
    }
}

// Scalars are read by the core schema of YAML 1.2 (section 10.3), so `yes`, `on` and `1:30` are text.
extension YAMLNode {
    /// The text of a scalar as written, without its quotes; nil for collections.
    var text: String? {
        if case .scalar(let text, _) = content { text } else { nil }
    }

    private var plainText: String? {
        if case .scalar(let text, plain: true) = content { text } else { nil }
    }

    /// The text of any scalar but null: `5` and `true` are texts too; nil for null and collections.
    public var string: String? {
        isNull ? nil : text
    }

    /// True for an empty value, `~`, `null`, `Null` and `NULL`, unquoted.
    public var isNull: Bool {
        switch plainText {
        case "", "~", "null", "Null", "NULL": true
        default: false
        }
    }

    /// `true` or `false` (also `True`, `TRUE`, `False`, `FALSE`), unquoted; nil for anything else.
    public var bool: Bool? {
        switch plainText {
        case "true", "True", "TRUE": true
        case "false", "False", "FALSE": false
        default: nil
        }
    }

    /// An unquoted whole number: decimal, `0o17` or `0x1F`; nil for anything else and beyond 64 bits.
    public var int: Int? {
        guard let plainText else { return nil }
        let digits = plainText.dropFirst(2)
        if plainText.hasPrefix("0x") || plainText.hasPrefix("0o") {
            guard let first = digits.first, first != "+", first != "-" else { return nil }
            return Int(digits, radix: plainText.hasPrefix("0x") ? 16 : 8)
        }
        return Int(plainText)
    }

    /// An unquoted number, whole or not, also `.inf`, `-.inf` and `.nan`; nil for anything else.
    public var double: Double? {
        guard let plainText else { return nil }
        switch plainText {
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .infinity
        case "-.inf", "-.Inf", "-.INF": return -.infinity
        case ".nan", ".NaN", ".NAN": return .nan
        default: break
        }
        if let int { return Double(int) }
        // Double() also knows "inf", "nan" and hexadecimal floats, which YAML does not.
        let allowed = plainText.utf8.allSatisfy { (48...57).contains($0) || "+-.eE".utf8.contains($0) }
        guard allowed, plainText.utf8.contains(where: { (48...57).contains($0) }) else { return nil }
        guard let number = Double(plainText), number.isFinite else { return nil }
        return number
    }
}
