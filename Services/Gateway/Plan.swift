import IDF
import ServiceKernel
import Workflow
import YAML

/// What a change of the graph does to each node.
struct Plan: Sendable {
    enum Action: String, Sendable {
        /// It is new.
        case start
        /// It ends and starts again; what it has acknowledged waits on its disk, and its senders wait.
        case restart
        /// It reads its configuration anew while it works.
        case reload
        /// It delivers what it holds, and then ends.
        case stop
        /// Nothing happens to it.
        case goOn = "go-on"
    }

    struct Step: Sendable {
        let node: String
        let action: Action
        let because: [String]
        /// The new configuration file; empty for nodes that end.
        let text: String
    }

    /// In the order in which it is done: what packets are sent to comes before what sends them.
    let steps: [Step]

    /// Compares what runs with a graph.
    init(_ graph: Graph, fleet: LocalFleet, roster: Roster) {
        var steps: [Step] = []
        for node in graph.leavesFirst {
            let fresh = NodeFile(graph.file(of: node, state: "\(fleet.directory)/state"))
            guard let old = NodeFile(path: fleet.configuration(node.name)) else {
                steps.append(Step(node: node.name, action: .start, because: ["it is new"], text: fresh.text))
                continue
            }
            let text = fresh.keepingEdges(of: old, entry: node.entry)
            let changed = NodeFile(text)
            guard changed.document.root.flow != old.document.root.flow else {
                steps.append(Step(node: node.name, action: .goOn, because: [], text: text))
                continue
            }
            let (before, after) = (old.configuration(roster), changed.configuration(roster))
            let names = before.flatMap { before in after.map { before.needingRestart(comparedTo: $0) } }
            let isReload = names?.isEmpty == true
            let because = isReload ? ["its settings are others"] : names ?? ["its configuration is another one"]
            steps.append(Step(node: node.name, action: isReload ? .reload : .restart, because: because, text: text))
        }
        let names = Set(graph.nodes.map(\.name))
        for node in fleet.nodes where !names.contains(node) {
            steps.append(Step(node: node, action: .stop, because: ["it is not in the graph"], text: ""))
        }
        self.steps = steps
    }

    var json: JSONValue {
        .array(
            steps.map { step in
                .object([
                    "node": .string(step.node), "action": .string(step.action.rawValue),
                    "because": .array(step.because.map { .string($0) }),
                ])
            })
    }
}

/// The configuration file of a node, as `up` and the gateway write it.
struct NodeFile {
    let text: String
    let document: YAMLDocument

    /// A text that the fleet has made.
    init(_ text: String) {
        self.text = text
        document = (try? YAMLDocument.parse(Array(text.utf8), file: "")) ?? Self.empty
    }

    /// The file as it is; nil where there is none.
    init?(path: String) {
        guard let bytes = readFile(path) else { return nil }
        self.init(String(decoding: bytes, as: UTF8.self))
    }

    private static let empty: YAMLDocument = {
        guard let empty = try? YAMLDocument.parse([], file: "") else { fatalError("an empty text is YAML") }
        return empty
    }()

    /// What it says; nil when it is not right (any more).
    func configuration(_ roster: Roster) -> ServiceConfiguration? { try? ConfigurationReader.read(document, roster: roster) }

    /// Edges by their names.
    var edges: [(name: String, node: YAMLNode, isEnding: Bool)] {
        (document.root["edges"]?.array ?? []).map { ($0["name"]?.string ?? "", $0, $0["ending"]?.bool == true) }
    }

    /// The text with the edges of an older file that are not in this one, as edges that end: what waits for them is delivered.
    /// Relays keep nothing, so nothing waits there.
    func keepingEdges(of old: NodeFile, entry: RosterEntry) -> String {
        let own = Set(edges.map(\.name))
        let gone = old.edges.filter { !own.contains($0.name) && ($0.isEnding || old.isDurable(entry)) }
        return with(edges: edges.map(\.node), ending: gone.map(\.node))
    }

    /// Whether packets rest on the node's disk.
    func isDurable(_ entry: RosterEntry) -> Bool {
        let ack = document.root["ack"]?.string ?? entry.ack.rawValue
        let state = document.root["state"]?.string ?? ""
        return ack == AckMode.durable.rawValue || !fileNames(in: state).filter { $0 == "spool.sqlite" }.isEmpty
    }

    /// The text with other edges.
    func with(edges: [YAMLNode], ending: [YAMLNode]) -> String {
        guard !ending.isEmpty || edges.count != self.edges.count else { return text }
        let all =
            edges.map(\.flow)
            + ending.map { edge in
                let rest = (edge.pairs ?? []).filter { $0.key.string != "ending" }
                return "{" + rest.map { "\($0.key.flow): \($0.value.flow), " }.joined() + "ending: true}"
            }
        let lines = (document.root.pairs ?? []).filter { $0.key.string != "edges" }.map { "\($0.key.flow): \($0.value.flow)\n" }
        let head = text.split(separator: "\n").first.map { $0.hasPrefix("#") ? "\($0)\n" : "" } ?? ""
        return head + lines.joined() + (all.isEmpty ? "" : "edges:\n" + all.map { "  - \($0)\n" }.joined())
    }
}
