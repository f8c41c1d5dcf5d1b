import Conditions
import IDF
import ServiceKernel
import YAML

extension Graph {
    /// What is known of the events on one way through the graph.
    fileprivate struct Flow {
        var path: [String] = []
        var written: Set<FieldID> = []
        /// Whether fields may be there that no specification names.
        var mayHoldAny = false
        /// The label that the way's collector gives its reports.
        var label: (name: String, tlp: EdgeFilter.TLP)?
    }

    /// A graph of many diamonds has more ways than anybody can look at.
    private static let wayLimit = 10_000

    /// Fields that a way to a node lacks, and ceilings of the Traffic Light Protocol that nothing gets under.
    func fieldFindings(_ roster: Roster) -> [Finding] {
        var findings: [String: Finding] = [:]
        var order: [String] = []
        var ceilings: [String: (breaches: [Finding], passes: Bool)] = [:]
        var ways = 0
        func note(_ finding: Finding) {
            let key = finding.diagnostic.description
            guard findings[key] == nil else { return }
            findings[key] = finding
            order.append(key)
        }
        func walk(_ node: Node, _ before: Flow) {
            ways += 1
            guard ways < Self.wayLimit else { return }
            if let missing = missing(at: node, before) { note(missing) }
            let flow = before.passing(node)
            for edge in node.edges {
                guard let target = nodes.first(where: { $0.name == edge.to }) else { continue }
                for idle in idleFields(of: edge.node, flow, to: target) { note(idle) }
                let breach = breach(at: edge.node, flow, to: target)
                let key = "\(node.name) \(target.name)"
                ceilings[key, default: ([], false)].passes = ceilings[key]?.passes == true || breach == nil
                if let breach { ceilings[key, default: ([], false)].breaches.append(breach) }
                walk(target, flow)
            }
        }
        for source in sources { walk(source, Flow(from: source)) }
        for (_, edge) in ceilings.sorted(by: { $0.key < $1.key }) {
            for var breach in edge.breaches {
                // Where others get through, a ceiling does what it is for.
                if edge.passes { breach.diagnostic.level = .warning }
                note(breach)
            }
        }
        return order.compactMap { findings[$0] }
    }

    private func missing(at node: Node, _ flow: Flow) -> Finding? {
        let reads = node.entry.spec.reads
        // What comes from outside may say anything.
        guard !flow.path.isEmpty, !reads.isEmpty, !flow.mayHoldAny, flow.written.isDisjoint(with: reads) else { return nil }
        let names = reads.map(\.name).joined(separator: ", ")
        let way = (flow.path + [node.name]).joined(separator: " → ")
        return finding(
            .fieldcheck, "\(node.name) reads \(names), which nothing on the way \(way) writes",
            at: node.worker["uses"] ?? node.place,
            "put a worker before it that does: grep the field in docs/workers.md", path: flow.path + [node.name])
    }

    private func idleFields(of edge: YAMLNode, _ flow: Flow, to target: Node) -> [Finding] {
        guard !flow.mayHoldAny, let node = edge["when"], let condition = try? Condition(node.string ?? "") else { return [] }
        return condition.fields.filter { $0 != Event.customRoot && !flow.written.contains($0) }.map { field in
            finding(
                .fieldcheck,
                "the condition asks for \(field.name), which nothing on the way \(flow.path.joined(separator: " → ")) writes",
                at: node, level: .warning, path: flow.path + [target.name])
        }
    }

    private func breach(at edge: YAMLNode, _ flow: Flow, to target: Node) -> Finding? {
        guard let label = flow.label, let node = edge["tlp-max"], let ceiling = node.string.flatMap({ EdgeFilter.TLP($0) }),
            label.tlp > ceiling
        else { return nil }
        return finding(
            .fieldcheck,
            "what \(label.name) brings is TLP:\(label.tlp.rawValue.uppercased()), and the edge to \(target.name) lets at most TLP:\(ceiling.rawValue.uppercased()) through: none of it arrives",
            at: node, "raise tlp-max if they may have it, or leave the edge away", path: flow.path + [target.name])
    }
}

extension Graph.Flow {
    /// What comes into a node that no edge ends at: from the network, if it is no collector.
    fileprivate init(from source: Graph.Node) {
        mayHoldAny = ![.collector, .parser].contains(source.entry.family)
        // Whoever posts a report says of which feed it is.
        if source.entry.family == .parser {
            written = Set(
                Field.all.map(\.name).filter { $0.hasPrefix("threat.feed.") || $0 == "threat.indicator.provider" }.compactMap {
                    FieldID($0)
                })
        }
    }

    fileprivate func passing(_ node: Graph.Node) -> Graph.Flow {
        var flow = self
        flow.path.append(node.name)
        flow.written.formUnion(node.entry.spec.writes)
        if node.entry.family == .parser { flow.written.insert(Key<Timestamp>.created.id) }
        if node.entry.spec.writesAny { flow.mayHoldAny = true }
        if let label = node.settings?["feed"]?["tlp"]?.string.flatMap({ EdgeFilter.TLP($0) }) { flow.label = (node.name, label) }
        return flow
    }
}
