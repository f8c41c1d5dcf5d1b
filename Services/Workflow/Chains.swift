import IDF
import ServiceKernel
import YAML

/// The chains of a workflow: experts by whose names one event is enriched at once. `x-intelmq-chains` at the root of the graph;
/// `all`, where it is not given, is every expert in the order of the graph.
package struct Chains: Sendable {
    /// In the order of the graph.
    package let all: [(name: String, nodes: [Graph.Node])]

    package init(_ graph: Graph) throws(ConfigurationError) {
        var messages: [Diagnostic] = []
        var chains: [(name: String, nodes: [Graph.Node])] = []
        let root = graph.document.root["x-intelmq-chains"]
        func note(_ message: String, _ node: YAMLNode, _ help: String?) {
            messages.append(graph.document.diagnostic(message, at: node, help: help))
        }
        if let root, root.pairs == nil {
            note("wanted chains by their names", root, "as: x-intelmq-chains: {quick: [asn-lookup]}")
        }
        let experts = graph.leavesFirst.reversed().filter { $0.entry.family == .expert }
        for (name, list) in root?.pairs ?? [] {
            guard let steps = list.array, !steps.isEmpty else {
                note("a chain is a list of experts", list, "as: x-intelmq-chains: {quick: [asn-lookup]}")
                continue
            }
            var nodes: [Graph.Node] = []
            for step in steps {
                if let node = experts.first(where: { $0.name == step.string }) {
                    nodes.append(node)
                } else if let other = graph.nodes.first(where: { $0.name == step.string }) {
                    note(
                        "\(other.name) is no expert but of the family \(other.entry.family.rawValue); a chain is made of experts",
                        step, nil)
                } else {
                    let near = didYouMean(step.string ?? "", in: experts.map(\.name))
                    note("no node \"\(step.string ?? "")\" for the chain", step, near)
                }
            }
            chains.append((name.string ?? "", nodes))
        }
        guard messages.isEmpty else { throw ConfigurationError(messages) }
        if !chains.contains(where: { $0.name == "all" }), !experts.isEmpty { chains.append(("all", Array(experts))) }
        all = chains
    }
}
