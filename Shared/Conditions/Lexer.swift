/// Cuts a condition into tokens.
struct Lexer {
    let text: String
    let bytes: [UInt8]
    private(set) var at = 0

    init(_ text: String) {
        self.text = text
        bytes = Array(text.utf8)
    }

    func error(_ message: String, _ range: Range<Int>, help: String? = nil) -> ConditionError {
        ConditionError(message, range, in: text, help: help)
    }

    private func byte(_ offset: Int) -> UInt8 { offset < bytes.count ? bytes[offset] : 0 }

    mutating func next() throws(ConditionError) -> Token {
        while [0x20, 0x09, 0x0A, 0x0D].contains(byte(at)) { at += 1 }
        let start = at
        guard start < bytes.count else { return Token(kind: .end, range: start..<start) }
        switch bytes[start] {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return try quoted()
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ","):
            at += 1
            return Token(kind: .mark(slice(start..<at)), range: start..<at)
        case UInt8(ascii: "-"), UInt8(ascii: "+"):
            at += 1
            if byte(at).isDigit { return try word(from: start) }
            return Token(kind: .mark(slice(start..<at)), range: start..<at)
        case let first where first.isWordByte: return try word(from: start)
        default:
            while at < bytes.count, bytes[at].isOtherMark { at += 1 }
            return Token(kind: .mark(slice(start..<at)), range: start..<at)
        }
    }

    func slice(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// A field, keyword or literal without quotes. Only numbers, times and names below `custom` have signs within.
    private mutating func word(from start: Int) throws(ConditionError) -> Token {
        let isCustom = bytes[start...].starts(with: "custom.".utf8)
        let hasSigns = isCustom || bytes[start].isDigit || bytes[start] == UInt8(ascii: "-") || bytes[start] == UInt8(ascii: "+")
        while at < bytes.count {
            if bytes[at].isWordByte || hasSigns && (bytes[at] == UInt8(ascii: "-") || bytes[at] == UInt8(ascii: "+")) {
                at += 1
            } else if isCustom, bytes[at] == UInt8(ascii: "\""), bytes[at - 1] == UInt8(ascii: ".") {
                _ = try quoted()
            } else {
                break
            }
        }
        return Token(kind: .word(slice(start..<at)), range: start..<at)
    }

    private mutating func quoted() throws(ConditionError) -> Token {
        let start = at
        let quote = bytes[start]
        at += 1
        while at < bytes.count {
            if bytes[at] == quote {
                at += 1
                // A quote within single quotes is doubled, as YAML and SQL have it.
                guard quote == UInt8(ascii: "'"), byte(at) == quote else {
                    let text = try content(of: start..<at).text
                    return Token(kind: .text(text), range: start..<at)
                }
                at += 1
            } else {
                at += quote == UInt8(ascii: "\"") && bytes[at] == 0x5C ? 2 : 1
            }
        }
        throw error("the text has no closing quote", start..<bytes.count, help: "end it with \(slice(start..<(start + 1)))")
    }

    /// The content of a text in quotes; of the first `limit` bytes of the content, also where they end in the condition.
    func content(of range: Range<Int>, limit: Int = .max) throws(ConditionError) -> (text: String, end: Int) {
        var out: [UInt8] = []
        var at = range.lowerBound + 1
        let isRaw = bytes[range.lowerBound] == UInt8(ascii: "'")
        while at < range.upperBound - 1, out.count < limit {
            if isRaw {
                out.append(bytes[at])
                at += bytes[at] == UInt8(ascii: "'") ? 2 : 1
            } else if bytes[at] == 0x5C {
                out.append(contentsOf: String(try escape(&at)).utf8)
            } else {
                out.append(bytes[at])
                at += 1
            }
        }
        return (String(decoding: out, as: UTF8.self), at)
    }

    /// The character that the escape at that place stands for.
    private func escape(_ at: inout Int) throws(ConditionError) -> Unicode.Scalar {
        let start = at
        at += 2
        switch byte(start + 1) {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let high = unit(at)
            at = min(at + 4, bytes.count)
            if let high, let scalar = Unicode.Scalar(high) { return scalar }
            if let high, high < 0xDC00, byte(at) == 0x5C, byte(at + 1) == UInt8(ascii: "u"), let low = unit(at + 2),
                (0xDC00...0xDFFF).contains(low),
                let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
            {
                at += 6
                return scalar
            }
            throw error(
                "the escape is no character", start..<at, help: "as in JSON: four hexadecimal digits, or a pair of surrogates")
        default:
            let width = max(1, String(decoding: bytes[(start + 1)...].prefix(4), as: UTF8.self).first?.utf8.count ?? 1)
            let end = min(start + 1 + width, bytes.count)
            throw error(
                "no escape \(slice(start..<end))", start..<end,
                help: "write \\\(slice(start..<end)), or use single quotes, where a backslash is a backslash")
        }
    }

    /// Four hexadecimal digits.
    private func unit(_ start: Int) -> UInt32? {
        guard start + 4 <= bytes.count, bytes[start..<(start + 4)].allSatisfy({ $0.isDigit || ($0 | 0x20) &- 0x61 < 6 }) else {
            return nil
        }
        return UInt32(slice(start..<(start + 4)), radix: 16)
    }
}

extension UInt8 {
    var isDigit: Bool { self &- 0x30 < 10 }

    /// What may stand in fields, numbers, addresses, networks and times; letters beyond ASCII, so that messages show whole words.
    fileprivate var isWordByte: Bool {
        switch self {
        case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "@"), UInt8(ascii: "%"):
            true
        default: isDigit || (self | 0x20) &- 0x61 < 26 || self >= 0x80
        }
    }

    fileprivate var isOtherMark: Bool {
        switch self {
        case 0...0x20, UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "["),
            UInt8(ascii: "]"), UInt8(ascii: ","), UInt8(ascii: "-"), UInt8(ascii: "+"):
            false
        default: !isWordByte
        }
    }
}
