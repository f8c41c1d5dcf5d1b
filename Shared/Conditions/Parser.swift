import IDF

/// Reads a condition by recursive descent, from `or`, which binds least, to the single comparison.
struct Parser {
    var lexer: Lexer
    var token: Token
    private var depth = 0
    private var literals = 0
    private var patterns = 0

    static func parse(_ text: String) throws(ConditionError) -> Expression {
        guard text.utf8.count <= Bounds.length else {
            throw ConditionError(
                "the condition has \(text.utf8.count) bytes; at most \(Bounds.length) are allowed",
                Bounds.length..<text.utf8.count, in: text, help: "split it over several edges, or use a look-up")
        }
        var parser = try Parser(lexer: Lexer(text))
        if parser.token.kind == .end { throw parser.error("the condition is empty", help: "write one, as: exists source.ip") }
        let expression = try parser.disjunction()
        if parser.token.kind != .end { throw parser.unexpected("and, or, or the end") }
        return expression
    }

    private init(lexer: Lexer) throws(ConditionError) {
        self.lexer = lexer
        token = try self.lexer.next()
    }

    mutating func advance() throws(ConditionError) { token = try lexer.next() }

    /// Goes on if the token is that word or mark.
    mutating func take(_ text: String) throws(ConditionError) -> Bool {
        guard token.isWord(text) || token.isMark(text) else { return false }
        try advance()
        return true
    }

    func error(_ message: String, help: String? = nil) -> ConditionError { lexer.error(message, token.range, help: help) }

    func unexpected(_ wanted: String) -> ConditionError {
        var help: String?
        if case .mark(let text) = token.kind { help = Vocabulary.foreign[text] }
        if case .word(let text) = token.kind {
            let lower = text.lowercased()
            help =
                Vocabulary.foreign[lower]
                ?? (Vocabulary.keywords.contains(lower) ? lower : nearest(lower, in: Vocabulary.keywords))
        }
        return error("found \(token.found), wanted \(wanted)", help: help.map { "write \($0)" })
    }

    private mutating func disjunction() throws(ConditionError) -> Expression {
        var parts: [Expression] = []
        repeat {
            let part = try conjunction()
            if case .any(let inner) = part { parts += inner } else { parts.append(part) }
        } while try take("or")
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func conjunction() throws(ConditionError) -> Expression {
        var parts: [Expression] = []
        repeat {
            let part = try unit()
            if case .all(let inner) = part { parts += inner } else { parts.append(part) }
        } while try take("and")
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func unit() throws(ConditionError) -> Expression {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Bounds.depth else {
            throw error("parentheses and not are nested more than \(Bounds.depth) levels deep")
        }
        if token.isWord("not") {
            try advance()
            return .negated(try unit())
        }
        if token.isMark("(") {
            let open = token.range
            try advance()
            let inside = try disjunction()
            guard try take(")") else {
                if token.kind == .end { throw lexer.error("the parenthesis is not closed", open, help: "write )") }
                throw unexpected("and, or, or )")
            }
            return inside
        }
        if token.isWord("exists") {
            try advance()
            return .test(try subject(), .exists)
        }
        return try comparison()
    }

    /// A field, or a member of `custom`.
    mutating func subject() throws(ConditionError) -> Subject {
        guard case .word(let name) = token.kind else {
            if case .text = token.kind {
                throw error("found the text \(token.found), wanted a field", help: "the field stands first")
            }
            throw unexpected("a field")
        }
        if let field = FieldID(name) {
            try advance()
            return .field(field)
        }
        if name.hasPrefix("custom."), name.utf8.count > 7 {
            let path = try customPath(token.range)
            try advance()
            return .custom(path)
        }
        if Literal(word: name) != nil { throw error("found \(token.found), wanted a field", help: "the field stands first") }
        if Vocabulary.keywords.contains(name.lowercased()) || Vocabulary.foreign[name.lowercased()] != nil {
            throw unexpected("a field")
        }
        throw error("no field \(token.found) in the data format", help: Vocabulary.suggestion(for: name))
    }

    /// The names below `custom`, with or without quotes.
    private func customPath(_ range: Range<Int>) throws(ConditionError) -> [String] {
        var path: [String] = []
        var at = range.lowerBound + 6
        while at < range.upperBound {
            guard lexer.bytes[at] == UInt8(ascii: "."), path.count < Bounds.path else { break }
            let start = at + 1
            at = start
            if at < range.upperBound, lexer.bytes[at] == UInt8(ascii: "\"") {
                at += 1
                while lexer.bytes[at] != UInt8(ascii: "\"") { at += lexer.bytes[at] == 0x5C ? 2 : 1 }
                at += 1
                path.append(try lexer.content(of: start..<at).text)
            } else {
                while at < range.upperBound, lexer.bytes[at].isNameByte { at += 1 }
                guard at > start else { break }
                path.append(lexer.slice(start..<at))
            }
        }
        guard at == range.upperBound, lexer.bytes[at - 1] != UInt8(ascii: ".") else {
            let help =
                path.count == Bounds.path
                ? "at most \(Bounds.path) names may follow each other" : "other names stand in quotes, as custom.\"my name\""
            throw lexer.error("\(token.found) is no path below custom", at..<max(at, range.upperBound), help: help)
        }
        return path
    }

    mutating func countLiteral() throws(ConditionError) {
        literals += 1
        guard literals <= Bounds.literals else { throw error("the condition has more than \(Bounds.literals) literals") }
    }

    mutating func pattern(_ text: String) throws(ConditionError) -> Pattern {
        patterns += 1
        guard patterns <= Bounds.patterns else {
            throw error("the condition has more than \(Bounds.patterns) regular expressions", help: "join them with |")
        }
        do throws(Pattern.Failure) {
            return try Pattern(text)
        } catch {
            let start = try lexer.content(of: token.range, limit: error.offset).end
            // At its end a pattern lacks something.
            throw lexer.error("bad regular expression: \(error.message)", start..<min(start + 1, token.range.upperBound))
        }
    }
}
