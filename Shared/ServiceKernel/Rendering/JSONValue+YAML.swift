public import IDF

extension JSONValue {
    /// The value as YAML that reads back as the same: blocks, short lists in one line, a line break at the end.
    public var yaml: String {
        switch self {
        case .object(let members) where !members.isEmpty: block(0)
        case .array(let items) where !items.isEmpty && !isShort: block(0)
        default: line + "\n"
        }
    }

    /// The lines of a collection, each indented.
    private func block(_ indent: Int) -> String {
        let space = String(repeating: " ", count: indent)
        if let members {
            return members.map { member in space + yamlScalar(member.name) + ":" + member.value.below(indent) }.joined()
        }
        return (items ?? []).map { item in
            guard item.isBlock else { return space + "- " + item.line + "\n" }
            // The first line of what follows stands behind the dash.
            return space + "- " + item.block(indent + 2).dropFirst(indent + 2)
        }.joined()
    }

    private func below(_ indent: Int) -> String { isBlock ? "\n" + block(indent + 2) : " " + line + "\n" }

    private var isBlock: Bool {
        switch self {
        case .object(let members): !members.isEmpty
        case .array(let items): !items.isEmpty && !isShort
        default: false
        }
    }

    /// A list of single values that fits into a line.
    private var isShort: Bool {
        (items ?? []).allSatisfy { $0.members == nil && $0.items == nil } && line.utf8.count <= 100
    }

    private var line: String {
        switch self {
        case .string(let text): yamlScalar(text)
        case .array(let items): "[" + items.map(\.line).joined(separator: ", ") + "]"
        case .object(let members): "{" + members.map { "\(yamlScalar($0.name)): \($0.value.line)" }.joined(separator: ", ") + "}"
        default: String(decoding: bytes, as: UTF8.self)
        }
    }
}
