import IDF

extension Parser {
    /// A field and what is asked of it.
    mutating func comparison() throws(ConditionError) -> Expression {
        let place = token.range
        let subject = try subject()
        let isNegated = try take("not")
        if !isNegated, case .mark(let mark) = token.kind, let comparison = Comparison(rawValue: mark) {
            return .test(subject, try compared(subject, comparison))
        }
        guard case .word(let word) = token.kind else {
            if token.kind == .end || token.isMark(")"), !isNegated {
                let isBoolean = if case .field(let field) = subject { field.type == .boolean } else { false }
                throw lexer.error(
                    "\(lexer.slice(place).shortened) alone is no condition", place,
                    help: isBoolean ? "write \(subject) == true" : "compare it with something, or write exists \(subject)")
            }
            throw unexpected(isNegated ? "in, contains, starts with, ends with or matches" : "an operator")
        }
        let relation: Relation
        switch word {
        case "in":
            try advance()
            relation = .among(try members(for: subject))
        case "contains", "matches":
            relation = try textRelation(subject, word)
        case "starts", "ends":
            let start = token.range.lowerBound
            try advance()
            guard token.isWord("with") else { throw unexpected("with") }
            token = Token(kind: .word("\(word) with"), range: start..<token.range.upperBound)
            relation = try textRelation(subject, "\(word) with")
        default:
            throw unexpected(isNegated ? "in, contains, starts with, ends with or matches" : "an operator")
        }
        return isNegated ? .negated(.test(subject, relation)) : .test(subject, relation)
    }

    private mutating func compared(_ subject: Subject, _ comparison: Comparison) throws(ConditionError) -> Relation {
        let place = token.range
        try advance()
        if token.isMark("[") { throw error("\(comparison.rawValue) takes one value, found a list", help: "use in") }
        let start = token.range.lowerBound
        let (literal, range) = try literal(for: subject)
        let checked = try check(literal, for: subject, range)
        switch checked {
        case .range:
            throw lexer.error(
                "\(comparison.rawValue) takes one value, found a range", start..<range.upperBound, help: "use in [\(checked)]")
        case .network:
            if case .field(let field) = subject, field.type == .network { break }
            throw lexer.error("\(comparison.rawValue) takes one address, found a network", range, help: "use in \(checked)")
        default: break
        }
        if comparison.isOrder {
            switch checked {
            case .number, .time, .now: break
            default:
                throw lexer.error(
                    "\(comparison.rawValue) is for numbers and times, and \(subject) is \(Self.word(subject, checked))", place,
                    help: "use == or in")
            }
        }
        return .compare(comparison, checked)
    }

    private static func word(_ subject: Subject, _ literal: Literal) -> String {
        if case .field(let field) = subject { Kind(field.type).word } else { "compared with a \(literal.kind)" }
    }

    /// The values behind `in`: a list of one kind, or one network.
    private mutating func members(for subject: Subject) throws(ConditionError) -> [Literal] {
        let start = token.range.lowerBound
        guard try take("[") else {
            let (literal, range) = try literal(for: subject)
            let checked = try check(literal, for: subject, range)
            guard case .network = checked else {
                throw lexer.error("in takes a list or a network", range, help: "write in [\(checked)]")
            }
            return [checked]
        }
        var members: [Literal] = []
        repeat {
            if token.isMark("]") {
                throw members.isEmpty
                    ? error("the list is empty", help: "write its values, as [80, 443]")
                    : error("found ] behind the comma, wanted a value")
            }
            guard members.count < Bounds.list else { throw error("the list has more than \(Bounds.list) values") }
            let (literal, range) = try literal(for: subject)
            let checked = try check(literal, for: subject, range)
            if let kind = checked.memberKind, kind == members.first?.memberKind ?? kind {
                members.append(checked)
            } else {
                let message =
                    checked.memberKind == nil ? "a list has no \(checked.kind)s" : "the values of a list are of one kind"
                throw lexer.error(message, range, help: "compare with == and or")
            }
        } while try take(",")
        guard try take("]") else {
            if token.kind == .end { throw lexer.error("the list is not closed", start..<(start + 1), help: "write ]") }
            throw unexpected(", or ]")
        }
        return members
    }

    /// `contains`, `starts with`, `ends with`, `matches`: the operator is the token.
    private mutating func textRelation(_ subject: Subject, _ word: String) throws(ConditionError) -> Relation {
        if case .field(let field) = subject, Kind(field.type) != .text {
            let kind = Kind(field.type)
            let help = kind == .ip || kind == .network ? "use in with a network, as in 192.0.2.0/24" : "use == or in"
            throw error("\(word) is for texts, and \(field.name) is \(kind.word)", help: kind == .json ? "use exists" : help)
        }
        try advance()
        guard case .text(let text) = token.kind else {
            if case .word(let word) = token.kind {
                throw error("found \(token.found), wanted a text", help: "write \(Literal.quoted(word))")
            }
            throw unexpected("a text in quotes")
        }
        guard !text.isEmpty else { throw error("every value \(word) the empty text", help: "write exists \(subject)") }
        try countLiteral()
        let relation: Relation
        if let text = TextRelation(rawValue: word).map({ Relation.text($0, Self.folded(text, subject)) }) {
            relation = text
        } else {
            relation = .matches(try pattern(text))
        }
        try advance()
        return relation
    }

    /// A part of a value in the case in which the field's values are kept.
    private static func folded(_ text: String, _ subject: Subject) -> String {
        guard case .field(let field) = subject else { return text }
        return switch field.type {
        case .lowercase, .printableLowercase, .domain, .uuid, .transport, .classification, .taxonomy: text.lowercased()
        case .uppercase, .countryCode, .registry, .eventHash, .tlp: text.uppercased()
        default: text
        }
    }
}

extension Literal {
    /// What may stand together in a list; nil for what may stand in none.
    fileprivate var memberKind: Kind? {
        switch self {
        case .text: .text
        case .number, .range: .number
        case .address, .network: .ip
        case .boolean, .time, .now: nil
        }
    }
}
