import ServiceKernel
import YAML

extension LocalFleet {
    /// What waits in the folder of a workflow for edges and nodes that its graph had once and does not have any more. Nodes that were
    /// started for another workflow are left alone.
    package func stranded(by graph: Graph) -> [Finding] {
        nodes.flatMap { name -> [Finding] in
            let file = configuration(name)
            guard let text = readFile(file, limit: 1 << 20), text.starts(with: graph.head(of: name).utf8) else { return [] }
            let node = graph.nodes.first { $0.name == name }
            return SpoolContents.stranded(in: state(of: name), besides: node?.edges.map(\.to) ?? []).map { one in
                let help =
                    node.map { one.help(worker: $0.entry.name, file: file, to: "to: \(one.edge)") }
                    ?? "put the node back until nothing waits there any more (intelmqctl audit --directory \(directory)); to throw them away: rm -r \(directory)/state/\(name) \(file)"
                let place = node?.nameplate ?? graph.document.root["paths"] ?? graph.document.root
                let what =
                    node == nil ? ", and the graph does not have this node any more" : ", which the graph does not have any more"
                return graph.finding(
                    .connectiontest, "\(one.events) events wait in the spool of \(name) for the edge to \(one.edge)\(what)",
                    at: place, help, level: .warning)
            }
        }
    }
}
