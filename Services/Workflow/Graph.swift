import ServiceKernel
import YAML

/// A workflow: an OpenAPI 3.1 document whose operations are nodes and whose `x-intelmq-edges` are arrows.
package struct Graph {
    package struct Node {
        package let name: String
        package let entry: RosterEntry
        package let server: String
        package let settings: YAMLNode?
        package let worker: YAMLNode
        package let edges: [(to: String, node: YAMLNode)]
        package let place: YAMLNode
        /// Where its name stands.
        package var nameplate: YAMLNode { place["operationId"] ?? place }
    }

    package let title: String
    package let nodes: [Node]
    package let document: YAMLDocument

    /// The address of the workflow as a whole, where its gateway listens.
    package var gatewayServer: String? { document.root["servers"]?.array?.first?["url"]?.string }

    /// Nodes that no edge ends at.
    package var sources: [Node] {
        let targets = Set(nodes.flatMap { $0.edges.map(\.to) })
        return nodes.filter { !targets.contains($0.name) }
    }

    /// The nodes that take data from outside: those that no edge ends at, and those that only collectors feed.
    package var entrances: [Node] {
        nodes.filter { node in
            node.entry.family != .collector
                && nodes.allSatisfy { other in
                    other.entry.family == .collector || !other.edges.contains { $0.to == node.name }
                }
        }
    }

    /// Reads and checks a graph; everything that is wrong is named with its place.
    package init(path: String, roster: Roster) throws(ConfigurationError) {
        do { document = try YAMLDocument.read(path: path) } catch { throw ConfigurationError([error.diagnostic]) }
        (title, nodes) = try Self.read(document, roster)
    }

    /// The same of a text that may become the file.
    init(_ text: [UInt8], file: String, roster: Roster) throws(ConfigurationError) {
        do { document = try YAMLDocument.parse(text, file: file) } catch { throw ConfigurationError([error.diagnostic]) }
        (title, nodes) = try Self.read(document, roster)
    }

    private static func read(_ document: YAMLDocument, _ roster: Roster) throws(ConfigurationError) -> (String, [Node]) {
        var reader = GraphReader(document, roster: roster)
        return (document.root["info"]?["title"]?.string ?? document.file, try reader.nodes())
    }

    /// The nodes, every one after those its edges end at.
    package var leavesFirst: [Node] {
        var order: [Node] = []
        func visit(_ node: Node) {
            guard !order.contains(where: { $0.name == node.name }) else { return }
            for edge in node.edges { if let target = nodes.first(where: { $0.name == edge.to }) { visit(target) } }
            order.append(node)
        }
        for node in nodes { visit(node) }
        return order
    }

    /// The configuration of one node, run as its own service. Its values have their places in the graph's file.
    /// - Parameter state: folder below which each node keeps its state; nil: none.
    package func configuration(of node: Node, state: String?) -> YAMLDocument {
        let place = node.nameplate
        var pairs: [(name: String, value: YAMLNode)] = [
            ("worker", .text(node.entry.name, at: node.worker["uses"] ?? place)), ("name", place),
        ]
        let server = node.server.split(separator: "/").dropFirst().first.map(String.init) ?? ""
        if node.entry.family != .collector, !server.isEmpty { pairs.append(("listen", .text(server, at: place))) }
        if let state { pairs.append(("state", .text("\(state)/\(node.name)", at: place))) }
        if let vars = vars(of: node) { pairs.append(("vars", vars)) }
        for (key, value) in node.worker.pairs ?? [] where !["uses", "settings", "replicas", "vars"].contains(key.string ?? "") {
            pairs.append((key.string ?? "", value))
        }
        if !node.edges.isEmpty {
            let edges = node.edges.map { edge in
                let to = edge.node["to"] ?? edge.node
                let server = nodes.first { $0.name == edge.to }?.server ?? ""
                var members: [(name: String, value: YAMLNode)] = [("to", .text("\(server)/v1/packets", at: to)), ("name", to)]
                // What else the edge says is for the service: which events go over it, what to show there.
                members += (edge.node.pairs ?? []).filter { $0.key.string != "to" }.map { ($0.key.string ?? "", $0.value) }
                return YAMLNode.mapping(members, at: edge.node)
            }
            pairs.append(("edges", .list(edges, at: node.edges[0].node)))
        }
        if let settings = node.settings, settings.pairs?.isEmpty == false { pairs.append(("settings", settings)) }
        return document.replacing(root: .mapping(pairs, at: node.place))
    }

    /// Variables of the workflow, and those of the node, which come before them.
    package func vars(of node: Node) -> YAMLNode? {
        guard let common = document.root["x-intelmq-vars"], let own = node.worker["vars"], let pairs = own.pairs else {
            return node.worker["vars"] ?? document.root["x-intelmq-vars"]
        }
        let rest = (common.pairs ?? []).filter { own[$0.key.string ?? ""] == nil }
        return .mapping((pairs + rest).map { ($0.key.string ?? "", $0.value) }, at: own)
    }

    /// The same as a file.
    package func file(of node: Node, state: String?) -> String {
        "\(head(of: node.name)) made from \(document.file)\n" + configuration(of: node, state: state).root.document
    }

    /// How the file of a node begins.
    func head(of node: String) -> String { "# \(node) of \"\(title.filter { !$0.isNewline })\"," }
}
