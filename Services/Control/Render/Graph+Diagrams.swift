import IDF
import ServiceKernel
import Workflow
import YAML

extension Graph.Node {
    /// When the node acknowledges: what the graph says, else what its worker does.
    package var ack: AckMode { worker["ack"]?.string.flatMap(AckMode.init) ?? entry.ack }
}

extension Graph {
    /// What an edge says besides where it ends, as `tlp-max: amber`: which events go over it.
    private static func label(_ edge: YAMLNode) -> [String] {
        ["when", "on", "share", "tlp-max"].compactMap { key in
            edge[key]?.string.map { key == "when" ? $0 : "\(key): \($0)" }
        }
    }

    /// The workflow as a Mermaid flowchart: a shape for each family, durable nodes with a thick border.
    package var mermaid: String {
        // Names like `end` mean something to Mermaid, so nodes are numbered.
        var numbers: [String: Int] = [:]
        var text = "---\ntitle: \(String(decoding: JSONValue.string(title).bytes, as: UTF8.self))\n---\nflowchart LR\n"
        for (number, node) in nodes.enumerated() {
            numbers[node.name] = number
            let (open, close) =
                switch node.entry.family {
                case .collector: ("([", "])")
                case .parser: ("[/", "/]")
                case .expert: ("[", "]")
                case .output: ("[(", ")]")
                }
            let style = node.ack == .durable ? ":::durable" : ""
            text += "    n\(number)\(open)\"\(node.name)<br/>\(node.entry.name)\"\(close)\(style)\n"
        }
        for node in nodes {
            for edge in node.edges {
                let label = Self.label(edge.node).map(Self.forMermaid).joined(separator: "<br/>")
                let arrow = label.isEmpty ? "-->" : "-->|\"\(label)\"|"
                text += "    n\(numbers[node.name] ?? 0) \(arrow) n\(numbers[edge.to] ?? 0)\n"
            }
        }
        return text + "    classDef durable stroke-width:3px\n"
    }

    /// What would end a label, or be read as HTML in it, as an entity code of Mermaid's.
    private static func forMermaid(_ text: String) -> String {
        text.map { character in
            switch character {
            case "\"": "#quot;"
            case "#": "#35;"
            case "&": "#amp;"
            case "<": "#lt;"
            case ">": "#gt;"
            case "\n", "\r", "\r\n": " "
            default: String(character)
            }
        }.joined()
    }

    /// The workflow for Graphviz; as ``mermaid``.
    package var dot: String {
        func quoted(_ lines: [String]) -> String {
            let lines = lines.map { $0.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: " ") }
            return "\"\(lines.joined(separator: "\\n"))\""
        }
        var text = "digraph \(quoted([title])) {\n    rankdir=LR\n    node [fontname=\"sans-serif\"]\n"
        text += "    edge [fontname=\"sans-serif\", fontsize=10]\n"
        for node in nodes {
            let shape =
                switch node.entry.family {
                case .collector: "oval"
                case .parser: "parallelogram"
                case .expert: "box"
                case .output: "cylinder"
                }
            let width = node.ack == .durable ? ", penwidth=3" : ""
            text += "    \(quoted([node.name])) [label=\(quoted([node.name, node.entry.name])), shape=\(shape)\(width)]\n"
        }
        for node in nodes {
            for edge in node.edges {
                let label = Self.label(edge.node)
                text += "    \(quoted([node.name])) -> \(quoted([edge.to]))"
                text += label.isEmpty ? "\n" : " [label=\(quoted(label))]\n"
            }
        }
        return text + "}\n"
    }

    /// `{"title", "nodes": [{"name", "worker", "family", "ack", "server", "edges": [{"to", "when", "on", "share", "tlp-max"}]}]}`.
    package var json: JSONValue {
        let nodes = nodes.map { node in
            let edges = node.edges.map { edge in
                JSONValue.object(
                    ["to", "when", "on", "share", "tlp-max"].compactMap { key in
                        edge.node[key]?.string.map { JSONValue.Member(key, .string($0)) }
                    })
            }
            return JSONValue.object([
                "name": .string(node.name), "worker": .string(node.entry.name), "family": .string(node.entry.family.rawValue),
                "ack": .string(node.ack.rawValue), "server": .string(node.server), "edges": .array(edges),
            ])
        }
        return .object(["title": .string(title), "nodes": .array(nodes)])
    }

    /// The document in one form: values as they are, quotes and line breaks by rule, no comments.
    package var canonical: String { document.root.document }
}
