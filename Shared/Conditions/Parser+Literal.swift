import IDF

extension Parser {
    /// The literal that stands here, as it is written, and where.
    mutating func literal(for subject: Subject) throws(ConditionError) -> (Literal, Range<Int>) {
        try countLiteral()
        let place = token.range
        switch token.kind {
        case .text(let text):
            try advance()
            return (.text(text), place)
        case .word("now"):
            try advance()
            return try moment(from: place)
        case .word(let word):
            if let literal = Literal(word: word) {
                try advance()
                return (literal, place)
            }
            throw error(Self.complaint(word), help: Self.help(word, subject))
        default: throw unexpected("a value")
        }
    }

    private static func complaint(_ word: String) -> String {
        if word.utf8.contains(UInt8(ascii: "/")), word.utf8.allSatisfy(\.isAddressByte) {
            return "\(word.shortened) is no network"
        }
        if word.utf8.first?.isDigit == true { return "\(word.shortened) is no number, address, network or time" }
        return FieldID(word) == nil
            ? "found the word \(word.shortened), wanted a value" : "\(word) is a field; a field is compared with a value"
    }

    private static func help(_ word: String, _ subject: Subject) -> String? {
        let kind: Kind = if case .field(let field) = subject { Kind(field.type) } else { .text }
        if kind == .number, word.lowercased().hasPrefix("as"), Number(word.dropFirst(2)) != nil {
            return "write \(word.dropFirst(2))"
        }
        if kind == .time, word.utf8.first?.isDigit == true { return "as 2026-11-20T12:00:00Z, or now - 2d" }
        return kind == .text && FieldID(word) == nil ? "texts stand in quotes: \(Literal.quoted(word))" : nil
    }

    /// What stands behind `now`: nothing, or a sign and a duration.
    private mutating func moment(from place: Range<Int>) throws(ConditionError) -> (Literal, Range<Int>) {
        var sign: Int64 = 1
        var duration: Substring
        if token.isMark("-") || token.isMark("+") {
            sign = token.isMark("-") ? -1 : 1
            try advance()
            guard case .word(let word) = token.kind else { throw unexpected("a duration, as 2d") }
            duration = word[...]
        } else if case .word(let word) = token.kind, word.hasPrefix("-") || word.hasPrefix("+") {
            sign = word.hasPrefix("-") ? -1 : 1
            duration = word.dropFirst()
        } else {
            return (.now(0), place)
        }
        let range = place.lowerBound..<token.range.upperBound
        let unit = Literal.units.first { duration.hasSuffix($0.name) }
        // A hundred years: far below what nanoseconds can count.
        guard let unit, duration.utf8.first?.isDigit == true, let count = Int64(duration.dropLast()),
            count <= 3_200_000_000 / unit.seconds
        else {
            throw error(
                "\(token.found) is no duration of at most a hundred years", help: "a whole number and s, m, h, d or w, as 2d")
        }
        try advance()
        return (.now(sign * count * unit.seconds), range)
    }

    /// The literal as values of the field have it.
    func check(_ literal: Literal, for subject: Subject, _ range: Range<Int>) throws(ConditionError) -> Literal {
        guard case .field(let field) = subject else { return literal }
        let kind = Kind(field.type)
        switch (kind, literal) {
        case (.text, .text(let text)): return .text(try value(text, of: field, range))
        case (.number, .number(let number)):
            try bound(number, field, range)
            return literal
        case (.number, .range(let low, let high)):
            try bound(low, field, range)
            try bound(high, field, range)
            guard !(high < low) else { throw lexer.error("the range \(literal) is empty", range, help: "write \(high)..\(low)") }
            return literal
        case (.boolean, .boolean), (.time, .time), (.time, .now), (.ip, .address), (.ip, .network), (.network, .network):
            return literal
        case (.network, .address(let address)):
            return IPNetwork(address: address, prefixLength: UInt8(address.bitWidth)).map { .network($0) } ?? literal
        case (.ip, .text(let text)), (.network, .text(let text)):
            switch Literal(word: text) {
            case .some(.address(let address)): return try check(.address(address), for: subject, range)
            case .some(.network(let network)): return .network(network)
            default: throw mismatch(literal, field, kind, range)
            }
        case (.time, .text(let text)):
            if let time = Literal.time(text) { return time }
            throw mismatch(literal, field, kind, range)
        case (.json, _):
            throw lexer.error("\(field.name) is any JSON; it has no comparison", range, help: "use exists \(field.name)")
        default: throw mismatch(literal, field, kind, range)
        }
    }

    /// The text in canonical form, if the field can have it.
    private func value(_ text: String, of field: FieldID, _ range: Range<Int>) throws(ConditionError) -> String {
        let canonical = field.type.canonical(text)
        if let values = Vocabulary.values(of: field) {
            if let canonical, values.contains(canonical) { return canonical }
            let help = nearest(text, in: values).map { "did you mean \(Literal.quoted($0))? " } ?? ""
            throw lexer.error(
                "\(field.name) is never \(Literal.quoted(text.shortened))", range,
                help: "\(help)there are: \(values.joined(separator: ", "))")
        }
        if let canonical { return canonical }
        throw lexer.error("\(field.name) is never \(Literal.quoted(text.shortened))", range, help: "it is \(field.type.wanted)")
    }

    private func bound(_ number: Number, _ field: FieldID, _ range: Range<Int>) throws(ConditionError) {
        guard field.type.canonical(number.description) == nil else { return }
        throw lexer.error("\(field.name) is never \(number)", range, help: "it is \(field.type.wanted)")
    }

    private func mismatch(_ literal: Literal, _ field: FieldID, _ kind: Kind, _ range: Range<Int>) -> ConditionError {
        let help: String =
            switch (kind, literal) {
            case (.text, .text): field.type.wanted
            case (.text, _): "write it in quotes: \(Literal.quoted(lexer.slice(range)))"
            case (.number, .text(let text)) where Number(text) != nil: "write \(text) without quotes"
            case (.boolean, .text("true")), (.boolean, .text("false")): "write it without quotes"
            default: "it is \(field.type.wanted)"
            }
        return lexer.error(
            "\(field.name) is \(kind.word), found the \(literal.kind) \(lexer.slice(range).shortened)", range, help: help)
    }
}

extension UInt8 {
    fileprivate var isAddressByte: Bool {
        isDigit || (self | 0x20) &- 0x61 < 6 || self == UInt8(ascii: ".") || self == UInt8(ascii: ":")
            || self == UInt8(ascii: "/")
    }
}
