import HTTP
import IDF
import ServiceKernel
import Workflow
import YAML

/// A generation of the workflow that is in force: what requests are answered by. It is exchanged as a whole.
struct Edition: Sendable {
    let number: Int
    let graph: Graph
    /// The composed OpenAPI document.
    let document: [UInt8]
    /// What `POST /v1/enrich` may ask for.
    let chains: Chains
    private let nodes: [String: Graph.Node]
    private let routes: [String: [Route]]

    init(_ graph: Graph, number: Int) throws(ConfigurationError) {
        self.number = number
        chains = try Chains(graph)
        self.graph = graph
        document = ComposedDocument(graph, number: number).json.bytes + [0x0A]
        nodes = Dictionary(graph.nodes.map { ($0.name, $0) }) { first, _ in first }
        routes = nodes.mapValues { Route.ofNode($0.entry) }
    }

    /// A node by its name; a refusal that names those there are.
    func node(_ name: String) throws(Problem) -> Graph.Node {
        if let node = nodes[name] { return node }
        let near = didYouMean(name, in: graph.nodes.map(\.name)).map { "; \($0)" } ?? ""
        let names = graph.nodes.map(\.name).joined(separator: ", ")
        throw Problem(404, "no-node", "no node \"\(name.prefix(80))\"\(near) (there are \(names))")
    }

    /// The calls of a node's worker.
    func routes(of node: Graph.Node) -> [Route] { routes[node.name] ?? [] }

    /// The entrance that a request is for: the one it names, or the only one that takes such a body.
    func source(_ named: String?, for route: Route.Name) throws(Problem) -> Graph.Node {
        let all = graph.entrances.filter { node in routes(of: node).contains { $0.name == route } }
        let names = all.map(\.name).joined(separator: ", ")
        if let named {
            let node = try node(named)
            guard all.contains(where: { $0.name == named }) else {
                throw Problem(
                    422, "no-source",
                    "\(node.name) is no entrance of the workflow that takes this (there are: \(names)); post to /\(node.name)/v1/… to go past the entrances"
                )
            }
            return node
        }
        guard all.count < 2 else {
            throw Problem(
                422, "many-sources", "the workflow has several entrances that take this: say which with ?node= (\(names))")
        }
        guard let only = all.first else {
            throw Problem(
                422, "no-source",
                "no entrance of the workflow takes this: each node that could gets its data from others; post to /NODE/v1/… to go past them"
            )
        }
        return only
    }
}
