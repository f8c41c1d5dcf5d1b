/// Cuts a pattern into tokens.
struct STIXLexer {
    let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private static let keywords: Set<String> = [
        "AND", "OR", "NOT", "FOLLOWEDBY", "LIKE", "MATCHES", "ISSUPERSET", "ISSUBSET", "EXISTS", "LAST", "IN", "START", "STOP",
        "SECONDS", "TIMES", "WITHIN", "REPEATS", "true", "false",
    ]

    private func peek(_ offset: Int) -> UInt8 { offset < bytes.count ? bytes[offset] : 0 }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    mutating func next() throws(STIXPatternError) -> STIXToken {
        try skipBlanks()
        let start = at
        guard start < bytes.count else { return STIXToken(kind: .end, range: start..<start, start: start) }
        let first = bytes[start]
        switch first {
        case UInt8(ascii: "'"): return try quoted(.string, from: start)
        case UInt8(ascii: "t") where peek(start + 1) == UInt8(ascii: "'"): return try literal(.time)
        case UInt8(ascii: "h") where peek(start + 1) == UInt8(ascii: "'"): return try literal(.hex)
        case UInt8(ascii: "b") where peek(start + 1) == UInt8(ascii: "'"): return try literal(.base64)
        case let byte where byte.isNameStart: return name()
        case let byte where byte.isDigit: return number()
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
            let digit = first == UInt8(ascii: ".") || peek(start + 1) != UInt8(ascii: ".") ? start + 1 : start + 2
            if peek(digit).isDigit { return number() }
            at += 1
        case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "="), UInt8(ascii: "!"):
            at += 1
            let second = peek(at)
            if second == UInt8(ascii: "=") || first == UInt8(ascii: "<") && second == UInt8(ascii: ">") { at += 1 }
        case 0x80...:
            at += 1
            while peek(at) & 0xC0 == 0x80 { at += 1 }
        default: at += 1
        }
        return STIXToken(kind: .mark, range: start..<at, start: start)
    }

    private mutating func name() -> STIXToken {
        let start = at
        var hasHyphen = false
        while peek(at).isNameByte || peek(at) == UInt8(ascii: "-") {
            hasHyphen = hasHyphen || bytes[at] == UInt8(ascii: "-")
            at += 1
        }
        let isKeyword = !hasHyphen && at - start <= 10 && Self.keywords.contains(text(start..<at))
        return STIXToken(kind: isKeyword ? .keyword : hasHyphen ? .hyphenName : .name, range: start..<at, start: start)
    }

    /// A sign, digits without leading zeros, and perhaps a fraction.
    private mutating func number() -> STIXToken {
        let start = at
        if !bytes[at].isDigit, bytes[at] != UInt8(ascii: ".") { at += 1 }
        let digits = at
        while peek(at).isDigit { at += 1 }
        let whole = at
        guard peek(at) == UInt8(ascii: "."), peek(at + 1).isDigit else {
            // `01` is two numbers, which nothing takes.
            if bytes[digits] == UInt8(ascii: "0") { at = digits + 1 }
            return STIXToken(kind: .integer, range: start..<min(at, whole), start: start)
        }
        at += 1
        while peek(at).isDigit { at += 1 }
        return STIXToken(kind: .float, range: start..<at, start: start)
    }

    /// A text in quotes. Only the quote and the backslash are escaped.
    private mutating func quoted(_ kind: STIXToken.Kind, from start: Int) throws(STIXPatternError) -> STIXToken {
        at += 1
        let inside = at
        var hasEscapes = false
        while at < bytes.count, bytes[at] != UInt8(ascii: "'") {
            if bytes[at] == UInt8(ascii: "\\") {
                let escaped = peek(at + 1)
                guard escaped == UInt8(ascii: "'") || escaped == UInt8(ascii: "\\") else {
                    throw STIXPatternError(
                        reason: .invalid(found: "a single backslash", wanted: "\\\\ for a backslash or \\' for a quote"),
                        offset: at)
                }
                hasEscapes = true
                at += 1
            }
            at += 1
        }
        guard at < bytes.count else {
            throw STIXPatternError(reason: .invalid(found: "a text without its closing quote", wanted: "'…'"), offset: start)
        }
        at += 1
        return STIXToken(kind: kind, range: inside..<(at - 1), start: start, hasEscapes: hasEscapes)
    }

    /// A literal with a letter before its quotes.
    private mutating func literal(_ kind: STIXToken.Kind) throws(STIXPatternError) -> STIXToken {
        let start = at
        at += 1
        let token = try quoted(kind, from: start)
        let inside = bytes[token.range]
        let wanted: String
        switch kind {
        case .time where !STIXLiterals.isTime(inside): wanted = "a time as t'2026-11-20T12:00:00Z'"
        case .hex where !STIXLiterals.isHex(inside): wanted = "pairs of hexadecimal digits"
        case .base64 where !STIXLiterals.isBase64(inside): wanted = "base64 with its padding"
        default: return token
        }
        throw STIXPatternError(reason: .invalid(found: "\"\(text(start..<at).prefix(60))\"", wanted: wanted), offset: start)
    }

    /// White space of Unicode and comments.
    private mutating func skipBlanks() throws(STIXPatternError) {
        while at < bytes.count {
            let byte = bytes[at]
            if byte == 0x20 || (0x09...0x0D).contains(byte) {
                at += 1
            } else if byte == UInt8(ascii: "/"), peek(at + 1) == UInt8(ascii: "/") {
                while at < bytes.count, bytes[at] != 0x0A, bytes[at] != 0x0D { at += 1 }
            } else if byte == UInt8(ascii: "/"), peek(at + 1) == UInt8(ascii: "*") {
                let start = at
                at += 2
                while at < bytes.count, !(bytes[at] == UInt8(ascii: "*") && peek(at + 1) == UInt8(ascii: "/")) { at += 1 }
                guard at < bytes.count else {
                    throw STIXPatternError(reason: .invalid(found: "a comment without its end", wanted: "*/"), offset: start)
                }
                at += 2
            } else if byte >= 0xC2, case let width = wideBlank(), width > 0 {
                at += width
            } else {
                return
            }
        }
    }

    private func wideBlank() -> Int {
        let (second, third) = (peek(at + 1), peek(at + 2))
        switch bytes[at] {
        case 0xC2: return second == 0x85 || second == 0xA0 ? 2 : 0
        case 0xE1: return second == 0x9A && third == 0x80 ? 3 : 0
        case 0xE2 where second == 0x80: return (0x80...0x8A).contains(third) || [0xA8, 0xA9, 0xAF].contains(third) ? 3 : 0
        case 0xE2 where second == 0x81: return third == 0x9F ? 3 : 0
        case 0xE3: return second == 0x80 && third == 0x80 ? 3 : 0
        default: return 0
        }
    }
}

extension UInt8 {
    var isDigit: Bool { self &- 0x30 < 10 }
    var isNameStart: Bool { (self | 0x20) &- 0x61 < 26 || self == 0x5F }
    var isNameByte: Bool { isNameStart || isDigit }
    var isHexDigit: Bool { isDigit || (self | 0x20) &- 0x61 < 6 }
}
