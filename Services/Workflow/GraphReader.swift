import IDF
import ServiceKernel
import YAML

/// Makes nodes of a workflow's document and notes everything that is wrong with it, each with its place.
struct GraphReader {
    /// Names that stand for calls of the gateway, or for itself.
    private static let reserved = ["v1", "livez", "readyz", "startupz", "metrics", "schemas", "gateway"]
    /// What the graph says of each node's configuration.
    private static let owned = ["worker", "name", "listen", "state", "edges", "control"]
    /// What this program reads of an operation.
    private static let members = ["x-intelmq-worker", "x-intelmq-edges"]

    private let document: YAMLDocument
    private let roster: Roster
    private var messages: [Diagnostic] = []

    init(_ document: YAMLDocument, roster: Roster) { (self.document, self.roster) = (document, roster) }

    /// The nodes, in the order of the document.
    mutating func nodes() throws(ConfigurationError) -> [Graph.Node] {
        checkVersion()
        var nodes: [Graph.Node] = []
        for (path, item) in document.root["paths"]?.pairs ?? [] {
            guard let node = node(path, item) else { continue }
            if nodes.contains(where: { $0.name == node.name }) {
                note("two nodes are named \"\(node.name)\"", node.nameplate)
            }
            nodes.append(node)
        }
        if nodes.isEmpty, messages.isEmpty { note("the workflow has no nodes", document.root["paths"] ?? document.root) }
        checkTargets(nodes)
        checkCycles(nodes)
        guard messages.isEmpty else { throw ConfigurationError(messages) }
        return nodes
    }

    private mutating func note(_ message: String, _ node: YAMLNode, _ help: String? = nil) {
        messages.append(document.diagnostic(message, at: node, help: help))
    }

    private mutating func checkVersion() {
        guard document.root["openapi"]?.string?.hasPrefix("3.1") != true else { return }
        note("a workflow is an OpenAPI 3.1 document", document.root["openapi"] ?? document.root, "begin with: openapi: 3.1.0")
    }

    // MARK: one node

    private mutating func node(_ path: YAMLNode, _ item: YAMLNode) -> Graph.Node? {
        guard let operation = item["post"] else {
            note(
                "the path \(path.string ?? "") has no post operation", path,
                "a node is: post: {operationId: NAME, x-intelmq-worker: {uses: WORKER}}")
            return nil
        }
        guard let name = operation["operationId"]?.string, let worker = operation["x-intelmq-worker"], let uses = worker["uses"]
        else {
            note("a node needs an operationId and x-intelmq-worker: {uses: …}", operation)
            return nil
        }
        guard let entry = roster.worker(named: uses.string ?? "") else {
            note("unknown worker \"\(uses.string ?? "")\"", uses, didYouMean(uses.string ?? "", in: roster.names))
            return nil
        }
        guard ConfigurationReader.isName(name) else {
            note("a node is named with a-z, 0-9 and -, found \"\(name)\"", operation["operationId"] ?? operation)
            return nil
        }
        let edges = operation["x-intelmq-edges"]
        let servers = [item, document.root].compactMap { $0["servers"]?.array?.first?["url"]?.string }
        let node = Graph.Node(
            name: name, entry: entry, server: servers.first ?? "", settings: worker["settings"], worker: worker,
            edges: (edges?.array ?? []).map { ($0["to"]?.string ?? "", $0) }, place: operation)
        checkMembers(node)
        checkEdges(edges)
        return node
    }

    private mutating func checkMembers(_ node: Graph.Node) {
        if Self.reserved.contains(node.name) {
            note("the name \"\(node.name)\" is the gateway's own", node.nameplate, "give the node another name")
        }
        for name in (node.place.pairs ?? []).map(\.key) where name.string?.hasPrefix("x-intelmq-") == true {
            guard let text = name.string, !Self.members.contains(text) else { continue }
            note("unknown member \"\(text)\" of a node", name, advice(on: text, known: Self.members))
        }
        for (key, _) in node.worker.pairs ?? [] where Self.owned.contains(key.string ?? "") {
            note(
                "\"\(key.string ?? "")\" of a node comes from the graph", key,
                "leave it away: name, address, edges and folder are the graph's")
        }
    }

    private mutating func checkEdges(_ edges: YAMLNode?) {
        if let edges, edges.array == nil { note("edges are a list", edges, "as: x-intelmq-edges: [{to: NODE}]") }
        for edge in edges?.array ?? [] where edge["to"]?.string == nil {
            note("an edge says where it goes", edge, "as: {to: NODE}")
        }
    }

    // MARK: all nodes

    private mutating func checkTargets(_ nodes: [Graph.Node]) {
        // What is wrong with the node that an edge ends at is said there.
        let names = (document.root["paths"]?.pairs ?? []).compactMap { $0.value["post"]?["operationId"]?.string }
        for node in nodes {
            for edge in node.edges where !edge.to.isEmpty && !names.contains(edge.to) {
                let near = didYouMean(edge.to, in: names)
                note("the edge from \(node.name) ends nowhere: no node \"\(edge.to)\"", edge.node["to"] ?? edge.node, near)
            }
        }
    }

    private mutating func checkCycles(_ nodes: [Graph.Node]) {
        guard let cycle = Self.cycle(nodes) else { return }
        note("a cycle: \(cycle.joined(separator: " → "))", nodes[0].place, "events would run round for ever")
    }

    private static func cycle(_ nodes: [Graph.Node]) -> [String]? {
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
}
