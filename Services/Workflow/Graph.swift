import IDF
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
    }

    package let title: String
    package let nodes: [Node]
    package let document: YAMLDocument

    /// Names that stand for calls of the gateway, or for itself.
    private static let reserved = ["v1", "livez", "readyz", "startupz", "metrics", "schemas", "gateway"]
    /// What the graph says of each node's configuration.
    private static let owned = ["worker", "name", "listen", "state", "edges", "control"]

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
        var messages: [Diagnostic] = []
        let document = document
        func note(_ message: String, _ node: YAMLNode, _ help: String? = nil) {
            messages.append(document.diagnostic(message, at: node, help: help))
        }
        let root = document.root
        if root["openapi"]?.string?.hasPrefix("3.1") != true {
            note("a workflow is an OpenAPI 3.1 document", root["openapi"] ?? root, "begin with: openapi: 3.1.0")
        }
        var nodes: [Node] = []
        for (path, item) in root["paths"]?.pairs ?? [] {
            guard let operation = item["post"] else {
                note(
                    "the path \(path.string ?? "") has no post operation", path,
                    "a node is: post: {operationId: NAME, x-intelmq-worker: {uses: WORKER}}")
                continue
            }
            guard let name = operation["operationId"]?.string, let worker = operation["x-intelmq-worker"],
                let uses = worker["uses"]
            else {
                note("a node needs an operationId and x-intelmq-worker: {uses: …}", operation)
                continue
            }
            guard let entry = roster.worker(named: uses.string ?? "") else {
                note(
                    "unknown worker \"\(uses.string ?? "")\"", uses,
                    roster.nearest(uses.string ?? "").map { "did you mean \"\($0)\"?" })
                continue
            }
            guard ConfigurationReader.isName(name) else {
                note("a node is named with a-z, 0-9 and -, found \"\(name)\"", operation["operationId"] ?? operation)
                continue
            }
            if Self.reserved.contains(name) {
                note(
                    "the name \"\(name)\" is the gateway's own", operation["operationId"] ?? operation,
                    "give the node another name")
            }
            for (key, _) in operation.pairs ?? [] where key.string?.hasPrefix("x-intelmq-") == true {
                let known = ["x-intelmq-worker", "x-intelmq-edges"]
                guard !known.contains(key.string ?? "") else { continue }
                let near = nearest(key.string ?? "", in: known).map { "did you mean \"\($0)\"?" }
                note(
                    "unknown member \"\(key.string ?? "")\" of a node", key, near ?? "known are: \(known.joined(separator: ", "))"
                )
            }
            for (key, _) in worker.pairs ?? [] where Self.owned.contains(key.string ?? "") {
                note(
                    "\"\(key.string ?? "")\" of a node comes from the graph", key,
                    "leave it away: name, address, edges and folder are the graph's")
            }
            if let list = operation["x-intelmq-edges"], list.array == nil {
                note("edges are a list", list, "as: x-intelmq-edges: [{to: NODE}]")
            }
            for edge in operation["x-intelmq-edges"]?.array ?? [] where edge["to"]?.string == nil {
                note("an edge says where it goes", edge, "as: {to: NODE}")
            }
            if nodes.contains(where: { $0.name == name }) { note("two nodes are named \"\(name)\"", operation["operationId"]!) }
            let edges = (operation["x-intelmq-edges"]?.array ?? []).map { (to: $0["to"]?.string ?? "", node: $0) }
            let server = item["servers"]?.array?.first?["url"]?.string ?? root["servers"]?.array?.first?["url"]?.string ?? ""
            nodes.append(
                Node(
                    name: name, entry: entry, server: server, settings: worker["settings"], worker: worker, edges: edges,
                    place: operation))
        }
        if nodes.isEmpty, messages.isEmpty { note("the workflow has no nodes", root["paths"] ?? root) }
        for node in nodes {
            for edge in node.edges where !edge.to.isEmpty && !nodes.contains(where: { $0.name == edge.to }) {
                let near = nearest(edge.to, in: nodes.map(\.name)).map { "did you mean \"\($0)\"?" }
                note("the edge from \(node.name) ends nowhere: no node \"\(edge.to)\"", edge.node["to"] ?? edge.node, near)
            }
        }
        if let cycle = Self.cycle(nodes) {
            note("a cycle: \(cycle.joined(separator: " → "))", nodes[0].place, "events would run round for ever")
        }
        guard messages.isEmpty else { throw ConfigurationError(messages) }
        title = root["info"]?["title"]?.string ?? path
        self.nodes = nodes
    }

    private static func cycle(_ nodes: [Node]) -> [String]? {
        var done: Set<String> = []
        func walk(_ name: String, _ trail: [String]) -> [String]? {
            if let start = trail.firstIndex(of: name) { return Array(trail[start...]) + [name] }
            guard !done.contains(name), let node = nodes.first(where: { $0.name == name }) else { return nil }
            for edge in node.edges { if let found = walk(edge.to, trail + [name]) { return found } }
            done.insert(name)
            return nil
        }
        for node in nodes { if let found = walk(node.name, []) { return found } }
        return nil
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
        let place = node.place["operationId"] ?? node.place
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
    private func vars(of node: Node) -> YAMLNode? {
        guard let common = document.root["x-intelmq-vars"], let own = node.worker["vars"], let pairs = own.pairs else {
            return node.worker["vars"] ?? document.root["x-intelmq-vars"]
        }
        let rest = (common.pairs ?? []).filter { own[$0.key.string ?? ""] == nil }
        return .mapping((pairs + rest).map { ($0.key.string ?? "", $0.value) }, at: own)
    }

    /// The same as a file.
    package func file(of node: Node, state: String?) -> String {
        "# \(node.name) of \"\(title)\", made from \(document.file)\n" + configuration(of: node, state: state).root.document
    }
}
