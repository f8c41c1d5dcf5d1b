/// Reads the grammar of patterns by recursive descent. FOLLOWEDBY binds weakest, then OR, then AND.
struct STIXPatternParser {
    private var lexer: STIXLexer
    private var token: STIXToken
    private var depth = 0

    init(_ bytes: [UInt8]) {
        lexer = STIXLexer(bytes)
        token = STIXToken(kind: .end, range: 0..<0, start: 0)
    }

    mutating func pattern() throws(STIXPatternError) -> STIXPattern.Observation {
        try advance()
        let root = try sequence()
        guard token.kind == .end else { throw unexpected("AND, OR, FOLLOWEDBY, a qualifier or the end of the pattern") }
        return root
    }

    // MARK: observations

    private mutating func sequence() throws(STIXPatternError) -> STIXPattern.Observation {
        var parts = [try either()]
        while try take("FOLLOWEDBY") { parts.append(try either()) }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func either() throws(STIXPatternError) -> STIXPattern.Observation {
        var parts = [try both()]
        while try take("OR") { parts.append(try both()) }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func both() throws(STIXPatternError) -> STIXPattern.Observation {
        var parts = [try observation()]
        while try take("AND") { parts.append(try observation()) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func observation() throws(STIXPatternError) -> STIXPattern.Observation {
        let inner: STIXPattern.Observation
        if try take("[") {
            inner = .one(try comparison())
            try need("]")
        } else {
            guard isWord("(") else { throw unexpected("a comparison in square brackets, as [url:value = 'http://a.example/']") }
            try enter()
            inner = try sequence()
            try leave()
        }
        let qualifiers = try self.qualifiers()
        return qualifiers.isEmpty ? inner : .qualified(inner, qualifiers)
    }

    private mutating func qualifiers() throws(STIXPatternError) -> [STIXPattern.Qualifier] {
        var found: [STIXPattern.Qualifier] = []
        while token.kind == .keyword {
            let start = token.start
            let one: STIXPattern.Qualifier
            if try take("REPEATS") {
                guard token.kind == .integer, let times = Int(number), times >= 0 else { throw unexpected("a number of times") }
                try advance()
                try need("TIMES")
                one = .repeats(times)
            } else if try take("WITHIN") {
                guard token.kind == .integer || token.kind == .float, let seconds = Double(number), seconds.sign == .plus else {
                    throw unexpected("a number of seconds")
                }
                try advance()
                try need("SECONDS")
                one = .within(seconds: seconds)
            } else if try take("START") {
                let from = try time()
                try need("STOP")
                one = .between(start: from, stop: try time())
            } else {
                break
            }
            guard !found.contains(where: { $0.keyword == one.keyword }) else {
                throw STIXPatternError(reason: .duplicate(qualifier: one.keyword), offset: start)
            }
            found.append(one)
        }
        return found
    }

    private mutating func time() throws(STIXPatternError) -> String {
        guard token.kind == .time else { throw unexpected("a time as t'2026-11-20T12:00:00Z'") }
        let text = lexer.text(token.range)
        try advance()
        return text
    }

    // MARK: comparisons

    private mutating func comparison() throws(STIXPatternError) -> STIXPattern.Comparison {
        var parts = [try conjunction()]
        while try take("OR") { parts.append(try conjunction()) }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func conjunction() throws(STIXPatternError) -> STIXPattern.Comparison {
        var parts = [try term()]
        while try take("AND") { parts.append(try term()) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func term() throws(STIXPatternError) -> STIXPattern.Comparison {
        if isWord("(") {
            try enter()
            let inner = try comparison()
            try leave()
            return inner
        }
        let isNegated = try take("NOT")
        if try take("EXISTS") {
            return .test(STIXPattern.Test(path: try path(), comparator: .exists, isNegated: isNegated, values: []))
        }
        guard !isNegated else { throw unexpected("EXISTS; elsewhere NOT stands behind the path") }
        return .test(try test())
    }

    private mutating func test() throws(STIXPatternError) -> STIXPattern.Test {
        let path = try self.path()
        let isNegated = try take("NOT")
        let word = lexer.text(token.range)
        guard token.kind == .mark || token.kind == .keyword,
            let comparator = STIXPattern.Comparator(rawValue: word == "==" ? "=" : word == "<>" ? "!=" : word),
            comparator != .exists
        else { throw unexpected("a comparison operator: = != < <= > >= IN LIKE MATCHES ISSUBSET ISSUPERSET") }
        try advance()
        var test = STIXPattern.Test(path: path, comparator: comparator, isNegated: isNegated, values: [])
        switch comparator {
        case .oneOf:
            try need("(")
            if try take(")") { return test }
            repeat { test.values.append(try value(of: path)) } while try take(",")
            try need(")")
        case .equal, .notEqual: test.values = [try value(of: path)]
        case .like, .matches, .isSubset, .isSuperset, .exists:
            guard token.kind == .string else { throw unexpected("a text in single quotes") }
            test.values = [try value()]
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            if token.kind == .keyword { throw unexpected("a value that has an order") }
            test.values = [try value()]
        }
        return test
    }

    private mutating func path() throws(STIXPatternError) -> STIXPattern.Path {
        guard token.kind == .name || token.kind == .hyphenName else {
            throw unexpected("an object path, as file:hashes.'SHA-256'")
        }
        var path = STIXPattern.Path(type: lexer.text(token.range), steps: [])
        try advance()
        try need(":")
        path.steps.append(try property())
        while true {
            if try take(".") {
                path.steps.append(try property())
            } else if try take("[") {
                if try take("*") {
                    path.steps.append(.anyItem)
                } else {
                    guard token.kind == .integer, let place = Int(number), place >= 0, number.first != "-" else {
                        throw unexpected("a place in the list from 0, or *")
                    }
                    try advance()
                    path.steps.append(.item(place))
                }
                try need("]")
            } else {
                return path
            }
        }
    }

    private mutating func property() throws(STIXPatternError) -> STIXPattern.Path.Step {
        guard token.kind == .name || token.kind == .string else {
            throw unexpected("the name of a property; names with hyphens and keywords stand in single quotes")
        }
        let name = text
        try advance()
        return .property(name)
    }

    /// A value; where the path ends at a hash it must be one.
    private mutating func value(of path: STIXPattern.Path) throws(STIXPatternError) -> STIXPattern.Value {
        let start = token.start
        let value = try self.value()
        if path.steps.count > 1, case .property("hashes") = path.steps[path.steps.count - 2],
            case .property(let algorithm)? = path.steps.last, !STIXLiterals.isHash(value.plain, algorithm: algorithm)
        {
            throw STIXPatternError(
                reason: .notAHash(found: "\"\(value.plain.prefix(60))\"", algorithm: algorithm), offset: start)
        }
        return value
    }

    private mutating func value() throws(STIXPatternError) -> STIXPattern.Value {
        let value: STIXPattern.Value
        switch token.kind {
        case .string: value = .text(text)
        case .integer: value = .integer(number)
        case .float: value = .float(number)
        case .time: value = .time(text)
        case .hex: value = .hex(text)
        case .base64: value = .base64(text)
        case .keyword where isWord("true") || isWord("false"): value = .boolean(isWord("true"))
        default: throw unexpected("a value: a text in single quotes, a number, true, false, t'…', h'…' or b'…'")
        }
        try advance()
        return value
    }

    // MARK: tokens

    private mutating func advance() throws(STIXPatternError) { token = try lexer.next() }

    private func isWord(_ word: StaticString) -> Bool {
        guard token.kind == .mark || token.kind == .keyword, token.range.count == word.utf8CodeUnitCount else { return false }
        return lexer.bytes[token.range].elementsEqual(UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }

    private mutating func take(_ word: StaticString) throws(STIXPatternError) -> Bool {
        guard isWord(word) else { return false }
        try advance()
        return true
    }

    private mutating func need(_ word: StaticString) throws(STIXPatternError) {
        guard try take(word) else { throw unexpected("\"\(word)\"") }
    }

    /// Goes into a parenthesis.
    private mutating func enter() throws(STIXPatternError) {
        guard depth < STIXPattern.depthLimit else { throw STIXPatternError(reason: .tooDeep, offset: token.start) }
        depth += 1
        try need("(")
    }

    private mutating func leave() throws(STIXPatternError) {
        depth -= 1
        try need(")")
    }

    /// The token's text, escapes resolved.
    private var text: String {
        guard token.hasEscapes else { return lexer.text(token.range) }
        var plain: [UInt8] = []
        var isEscaped = false
        for byte in lexer.bytes[token.range] {
            if byte == UInt8(ascii: "\\"), !isEscaped {
                isEscaped = true
            } else {
                plain.append(byte)
                isEscaped = false
            }
        }
        return String(decoding: plain, as: UTF8.self)
    }

    /// The token's number without a plus sign.
    private var number: String {
        let text = lexer.text(token.range)
        return text.hasPrefix("+") ? String(text.dropFirst()) : text
    }

    private func unexpected(_ wanted: String) -> STIXPatternError {
        let found = token.kind == .end ? "the end" : "\"\(lexer.text(token.range).prefix(60))\""
        return STIXPatternError(reason: .unexpected(found: found, wanted: wanted), offset: token.start)
    }
}
