internal import CSimdJSON

/// Any JSON value as Swift values: for configuration, custom members and small documents, never for whole packets.
/// Members keep their order; numbers keep their text, so that nothing is lost between reading and writing.
public enum JSONValue: Sendable, Hashable {
    case null
    case boolean(Bool)
    /// A number by its JSON text.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// One member of an object.
    public struct Member: Sendable, Hashable {
        /// The member's name.
        public var name: String
        /// The member's value.
        public var value: JSONValue
        /// Makes a member.
        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// Reads one JSON text.
    public init(parsing text: some Collection<UInt8>, depth: Int = 64) throws(JSONError) {
        let source = SourceBytes(Array(text))
        self = try JSONTokeniser.borrow { tokeniser throws(JSONError) in
            let tokens = try tokeniser.tokens(of: source.view, depth: depth)
            return Self.build(tokens, 0, source.view)
        }
    }

    /// Reads one JSON text where it stands, without a copy of it.
    public init(parsing text: ByteView, depth: Int = 64) throws(JSONError) {
        self = try JSONTokeniser.borrow { tokeniser throws(JSONError) in
            Self.build(try tokeniser.tokens(of: text, depth: depth), 0, text)
        }
    }

    /// Reads one JSON text that the tokeniser has already seen once and found right.
    init?(raw: ByteView) {
        guard let value = try? JSONValue(parsing: raw) else { return nil }
        self = value
    }

    static func build(_ tokens: UnsafeBufferPointer<idf_token>, _ index: Int, _ text: ByteView) -> JSONValue {
        let token = tokens[index]
        switch JSONKind(rawValue: token.kind) {
        case .object:
            var members: [Member] = []
            var at = index + 1
            while at < Int(token.next) {
                members.append(Member(inner(tokens[at], text), build(tokens, at + 1, text)))
                at = Int(tokens[at + 1].next)
            }
            return .object(members)
        case .array:
            var items: [JSONValue] = []
            var at = index + 1
            while at < Int(token.next) {
                items.append(build(tokens, at, text))
                at = Int(tokens[at].next)
            }
            return .array(items)
        case .string, .key: return .string(inner(token, text))
        case .number: return .number(String(decoding: text[Int(token.start)..<Int(token.end)], as: UTF8.self))
        case .true: return .boolean(true)
        case .false: return .boolean(false)
        case .null, nil: return .null
        }
    }

    /// The characters of a string or member name.
    static func inner(_ token: idf_token, _ text: ByteView) -> String {
        let inside = ByteView(rebasing: text[(Int(token.start) + 1)..<(Int(token.end) - 1)])
        guard token.flags != 0 else { return String(decoding: inside, as: UTF8.self) }
        var plain: [UInt8] = []
        appendUnescaped(inside, to: &plain)
        return String(decoding: plain, as: UTF8.self)
    }

    /// The member of that name, byte for byte, if this is an object that has one.
    public subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        let count = name.utf8.count
        for member in members where member.name.utf8.count == count && member.name == name { return member.value }
        return nil
    }

    /// The text, if this is a string.
    public var string: String? { if case .string(let text) = self { text } else { nil } }
    /// The integer, if this is a number without fraction that fits.
    public var integer: Int? { if case .number(let text) = self { Int(text) } else { nil } }
    /// The number, if this is one.
    public var double: Double? { if case .number(let text) = self { Double(text) } else { nil } }
    /// The truth value, if this is one.
    public var bool: Bool? { if case .boolean(let value) = self { value } else { nil } }
    /// The items, if this is a list.
    public var items: [JSONValue]? { if case .array(let items) = self { items } else { nil } }
    /// The members, if this is an object.
    public var members: [Member]? { if case .object(let members) = self { members } else { nil } }

    /// An integer as JSON.
    public static func integer(_ value: some BinaryInteger) -> JSONValue { .number(String(value)) }
    /// An object from name and value pairs.
    public static func object(_ pairs: KeyValuePairs<String, JSONValue>) -> JSONValue { .object(pairs.map { Member($0, $1) }) }

    /// Appends the value as compact JSON.
    public func append(to out: inout [UInt8]) {
        switch self {
        case .null: out.append(contentsOf: "null".utf8)
        case .boolean(let value): out.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let text): out.append(contentsOf: text.utf8)
        case .string(let text): JSONText.appendQuoted(text, to: &out)
        case .array(let items):
            out.append(0x5B)
            for (index, item) in items.enumerated() {
                if index > 0 { out.append(0x2C) }
                item.append(to: &out)
            }
            out.append(0x5D)
        case .object(let members):
            out.append(0x7B)
            for (index, member) in members.enumerated() {
                if index > 0 { out.append(0x2C) }
                JSONText.appendQuoted(member.name, to: &out)
                out.append(0x3A)
                member.value.append(to: &out)
            }
            out.append(0x7D)
        }
    }

    /// Whether lists and objects are nested in more levels than that.
    func isNested(deeperThan levels: Int) -> Bool {
        switch self {
        case .array(let items): levels == 0 || items.contains { $0.isNested(deeperThan: levels - 1) }
        case .object(let members): levels == 0 || members.contains { $0.value.isNested(deeperThan: levels - 1) }
        default: false
        }
    }

    /// The value as compact JSON.
    public var bytes: [UInt8] {
        var out: [UInt8] = []
        append(to: &out)
        return out
    }

    /// The same value with the members of every object sorted by name: for comparing and hashing.
    public var sorted: JSONValue {
        switch self {
        case .array(let items): .array(items.map(\.sorted))
        case .object(let members):
            .object(
                members.map { Member($0.name, $0.value.sorted) }.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) })
        default: self
        }
    }

    /// The value over several lines, indented by two blanks: for files that people read.
    public func pretty(indent: Int = 0) -> String {
        let blank = String(repeating: "  ", count: indent + 1)
        let close = String(repeating: "  ", count: indent)
        switch self {
        case .array(let items) where !items.isEmpty:
            if items.allSatisfy({ $0.items == nil && $0.members == nil }) {
                let line = "[" + items.map { String(decoding: $0.bytes, as: UTF8.self) }.joined(separator: ", ") + "]"
                if line.utf8.count < 100 { return line }
            }
            return "[\n" + items.map { blank + $0.pretty(indent: indent + 1) }.joined(separator: ",\n") + "\n\(close)]"
        case .object(let members) where !members.isEmpty:
            return "{\n"
                + members.map {
                    "\(blank)\(String(decoding: JSONValue.string($0.name).bytes, as: UTF8.self)): \($0.value.pretty(indent: indent + 1))"
                }.joined(separator: ",\n") + "\n\(close)}"
        default: return String(decoding: bytes, as: UTF8.self)
        }
    }
}
