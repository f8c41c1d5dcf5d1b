import IDF

extension Expression: CustomStringConvertible {
    var description: String { print(binding: 0) }

    /// - Parameter binding: how tightly the place binds: 0 the whole, 1 a part of `or`, 2 of `and`, 3 behind `not`.
    private func print(binding: Int) -> String {
        switch self {
        case .any(let parts): join(parts, " or ", 1, in: binding)
        case .all(let parts): join(parts, " and ", 2, in: binding)
        case .not(.test(let subject, let relation)) where relation.takesNot: "\(subject) not \(relation)"
        case .not(let part): "not " + part.print(binding: 3)
        case .test(let subject, .exists): "exists \(subject)"
        case .test(let subject, let relation): "\(subject) \(relation)"
        }
    }

    private func join(_ parts: [Expression], _ word: String, _ own: Int, in binding: Int) -> String {
        let text = parts.map { $0.print(binding: own) }.joined(separator: word)
        return binding > own ? "(\(text))" : text
    }
}

extension Subject: CustomStringConvertible {
    var description: String {
        switch self {
        case .field(let field): field.name
        case .custom(let path): "custom." + path.map(Self.print).joined(separator: ".")
        }
    }

    private static func print(_ name: String) -> String {
        name.utf8.allSatisfy(\.isNameByte) && !name.isEmpty ? name : Literal.quoted(name)
    }
}

extension Relation: CustomStringConvertible {
    /// Whether `not` may stand between the field and what is asked.
    fileprivate var takesNot: Bool {
        switch self {
        case .exists, .compare: false
        case .among, .text, .matches: true
        }
    }

    var description: String {
        switch self {
        case .exists: "exists"
        case .compare(let comparison, let literal): "\(comparison.rawValue) \(literal)"
        case .among(let literals):
            if literals.count == 1, case .network = literals[0] {
                "in \(literals[0])"
            } else {
                "in [\(literals.map(\.description).joined(separator: ", "))]"
            }
        case .text(let relation, let text): "\(relation.rawValue) \(Literal.text(text))"
        case .matches(let pattern): "matches \(Literal.text(pattern.text))"
        }
    }
}

extension Literal: CustomStringConvertible {
    var description: String {
        switch self {
        case .text(let text):
            // Backslashes are for regular expressions, which nobody can read doubled.
            text.utf8.contains(0x5C) && !text.contains("'") && text.unicodeScalars.allSatisfy(Self.isPlain)
                ? "'\(text)'" : Self.quoted(text)
        case .number(let number): number.description
        case .range(let low, let high): "\(low)..\(high)"
        case .boolean(let value): value ? "true" : "false"
        case .address(let address): address.description
        case .network(let network): network.description
        case .time(let time): time
        case .now(let seconds): Self.relative(seconds)
        }
    }

    /// The text in double quotes; what cannot be seen, or steers a terminal, as an escape.
    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where isPlain(scalar): out.unicodeScalars.append(scalar)
            default:
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            }
        }
        return out + "\""
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }

    /// `now - 2d`, in the greatest unit that divides.
    private static func relative(_ seconds: Int64) -> String {
        guard seconds != 0 else { return "now" }
        let unit = Literal.units.last { seconds % $0.seconds == 0 } ?? Literal.units[0]
        return "now \(seconds < 0 ? "-" : "+") \(seconds.magnitude / unit.seconds.magnitude)\(unit.name)"
    }
}
