public import YAML

extension YAMLNode {
    /// The value in flow style, on one line: how it is written into a made file.
    public var flow: String { flow { $0.plainOrQuoted } }

    /// The same with secrets masked.
    var maskedFlow: String {
        flow { $0.masked.map { yamlQuoted($0) } ?? $0.plainOrQuoted }
    }

    private func flow(_ scalar: (YAMLNode) -> String) -> String {
        switch content {
        case .scalar: scalar(self)
        case .sequence(let items): "[" + items.map { $0.flow(scalar) }.joined(separator: ", ") + "]"
        case .mapping(let pairs):
            "{" + pairs.map { "\($0.key.flow): \($0.value.flow(scalar))" }.joined(separator: ", ") + "}"
        }
    }

    private var plainOrQuoted: String {
        guard case .scalar(let text, let plain) = content else { return "" }
        return plain && !text.contains(where: { ",[]{}#".contains($0) })
            ? text : yamlQuoted(text)
    }
}
