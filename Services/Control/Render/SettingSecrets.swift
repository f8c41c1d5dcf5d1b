import ServiceKernel
import Workflow
import YAML

extension Graph {
    /// Secrets that the settings of a node take from files, as the graph names them.
    func secretPaths(of node: Node) -> [String] { TemplateSecrets.files(of: configuration(of: node, state: nil)) }

    /// All of them, each with a name of its own, and the nodes that read it.
    /// - Parameter taken: names that mean something else.
    func secrets(besides taken: [String]) -> [(path: String, name: String, nodes: [String])] {
        let pairs = nodes.flatMap { node in secretPaths(of: node).map { (node: node.name, path: $0) } }
        return Self.named(pairs, besides: taken).map { path, name in
            (path, name, pairs.filter { $0.path == path }.map(\.node))
        }
    }

    /// Paths, each with a name of its own that engines take: its end as far as possible.
    static func named(_ paths: [(node: String, path: String)], besides taken: [String] = []) -> [(path: String, name: String)] {
        var named: [(path: String, name: String)] = []
        for (node, path) in paths where !named.contains(where: { $0.path == path }) {
            let end = path.split(separator: "/").last ?? ""
            let name = String(end.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0)) ? $0 : "-" })
            // A number would be one in YAML.
            let isTaken = name.isEmpty || Double(name) != nil || taken.contains(name) || named.contains { $0.name == name }
            named.append((path, isTaken ? "\(node)-\(named.count)-\(name)" : name))
        }
        return named
    }

    /// A value of a node's settings or variables that finds its secrets in a container.
    func moveSecrets(_ value: YAMLNode, in layout: ContainerLayout) -> YAMLNode {
        if let pairs = value.pairs {
            return .mapping(pairs.map { ($0.key.string ?? "", moveSecrets($0.value, in: layout)) }, at: value)
        }
        if let items = value.array { return .list(items.map { moveSecrets($0, in: layout) }, at: value) }
        guard let text = value.string, text.contains("{{") else { return value }
        let secrets = secrets(besides: layout.tokens)
        func written(_ path: String) -> String { path.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") }
        var moved = text
        // In two steps: where one secret goes another may have been.
        for (index, secret) in secrets.enumerated() {
            for quote in ["\"", "'"] {
                moved = moved.replacing(quote + written(secret.path) + quote, with: "\"\u{0}\(index)\u{0}\"")
            }
        }
        for (index, secret) in secrets.enumerated() {
            moved = moved.replacing("\u{0}\(index)\u{0}", with: "\(layout.settingSecrets)/\(secret.name)")
        }
        return moved == text ? value : .text(moved, at: value)
    }
}
