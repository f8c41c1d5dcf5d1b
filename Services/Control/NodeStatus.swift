import HTTP
import IDF
import ServiceKernel

/// How a node is, as its statusd says.
struct NodeStatus {
    let node: String
    let state: String
    let value: JSONValue

    init(_ node: String, _ answer: HTTPClientResponse?, isDisabled: Bool) {
        self.node = node
        let value = answer.flatMap { try? JSONValue(parsing: $0.body) }
        state = isDisabled ? "disabled" : value?["state"]?.string ?? "no statusd"
        self.value = value ?? .object(["name": .string(node), "state": .string(state)])
    }

    /// Whether nothing has to be done: it runs, or is not meant to.
    var isRight: Bool { state == "running" || state == "disabled" }

    /// A number of its spool; 0 for a node that keeps nothing.
    func spool(_ name: String) -> Int { value["spool"]?[name]?.integer ?? 0 }

    static let head =
        "node".padded(to: 24) + "state".padded(to: 13) + "in/s (1 min)".padded(to: 14) + "out/s".padded(to: 12)
        + "in spool".padded(to: 12) + "dead letters".padded(to: 14) + "errors".padded(to: 10) + "edges down"

    /// A line for people below ``head``.
    var line: String {
        func rate(_ name: String) -> String { "\(value["per-second"]?[name]?["1m"]?.double ?? 0)" }
        let down = (value["edges"]?.items ?? []).filter { $0["is-down"]?.bool == true }.compactMap { $0["name"]?.string }
        let letters = spool("dead-letters")
        let errors = value["totals"]?["errors"]?.integer ?? 0
        let colour: Terminal.Colour? =
            switch state {
            case "running": .green
            case "crash-loop", "unreachable", "no statusd": .red
            default: .yellow
            }
        return node.padded(to: 24) + Terminal.paint(state.padded(to: 13), colour) + rate("received").padded(to: 14)
            + rate("sent").padded(to: 12) + "\(spool("packets"))".padded(to: 12)
            + Terminal.paint("\(letters)".padded(to: 14), letters > 0 ? .yellow : nil)
            + Terminal.paint("\(errors)".padded(to: 10), errors > 0 ? .yellow : nil)
            + Terminal.paint(down.joined(separator: ", "), .red)
    }

    /// What its processes have said last, if they ended by themselves.
    var ends: [String] {
        guard state != "running", state != "paused" else { return [] }
        return (value["processes"]?.items ?? []).compactMap { $0["last-end"]?.string }
    }
}

extension FleetNodes {
    /// How the nodes are, in the order of their names.
    func status() async throws -> [NodeStatus] {
        try await ask(.get, "/v1/status").map { NodeStatus($0.node, $0.answer, isDisabled: fleet.isDisabled($0.node)) }
    }
}

extension JSONValue {
    /// The value on one line.
    var line: String { String(decoding: bytes, as: UTF8.self) }
}
