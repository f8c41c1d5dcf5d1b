public import YAML

extension YAMLNode {
    /// The value in flow style, on one line.
    public var flow: String { flow(isMasked: false) }

    /// The same with `***` for secrets from files.
    var maskedFlow: String { flow(isMasked: true) }

    private func flow(isMasked: Bool) -> String {
        switch content {
        case .scalar(let text, let plain):
            if isMasked, let masked { return yamlQuoted(masked) }
            return Self.mayStandPlain(text, plain) ? (text.isEmpty ? "null" : text) : yamlQuoted(text)
        case .sequence(let items): return "[" + items.map { $0.flow(isMasked: isMasked) }.joined(separator: ", ") + "]"
        case .mapping(let pairs):
            let members = pairs.map { "\($0.key.flow): \($0.value.flow(isMasked: isMasked))" }
            return "{" + members.joined(separator: ", ") + "}"
        }
    }

    /// Quotes are left away where they change nothing: `127.0.0.1:80` and `asn-lookup` are text anyway.
    private static func mayStandPlain(_ text: String, _ plain: Bool) -> Bool {
        if plain { return !text.contains(where: { ",[]{}#\n".contains($0) }) }
        guard let first = text.utf8.first, first == 0x2F || first >= 0x61 && first <= 0x7A || first >= 0x41 && first <= 0x5A
        else {
            return false
        }
        // Words that some readers take for something else; and a space may not end a text.
        guard !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased()), text.last != " " else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            byte >= 0x61 && byte <= 0x7A || byte >= 0x41 && byte <= 0x5A || byte >= 0x30 && byte <= 0x39
                || " -_./".utf8.contains(byte)
        }
    }

    /// The value as a document of its own: mappings in block style, and what fits into a line in flow style. The same value always
    /// gives the same text.
    public var document: String {
        var text = ""
        write(into: &text, indentation: 0)
        return text
    }

    private static let width = 100

    private func write(into text: inout String, indentation: Int) {
        let space = String(repeating: " ", count: indentation)
        switch content {
        case .mapping(let pairs) where !pairs.isEmpty:
            for (key, value) in pairs {
                text += "\(space)\(key.flow):"
                value.put(into: &text, behind: indentation + key.flow.count + 1, indentation: indentation + 2)
            }
        case .sequence(let items) where !items.isEmpty:
            for item in items {
                text += "\(space)-"
                item.put(into: &text, behind: indentation + 1, indentation: indentation + 2)
            }
        default: text += "\(space)\(flow)\n"
        }
    }

    private func put(into text: inout String, behind column: Int, indentation: Int) {
        let line = flow
        let isShort = column + 1 + line.count <= Self.width || pairs?.isEmpty == true || array?.isEmpty == true
        if case .scalar = content {
            text += " \(line)\n"
        } else if isShort {
            text += " \(line)\n"
        } else {
            text += "\n"
            write(into: &text, indentation: indentation)
        }
    }
}
