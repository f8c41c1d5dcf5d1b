import IDF
import ServiceKernel
import YAML

extension Conversion {
    /// The workflow, each node on a port of its own.
    func graph(title: String, firstPort: Int) -> JSONValue {
        var port = firstPort
        let paths = nodes.map { node -> JSONValue.Member in
            var members: [JSONValue.Member] = []
            if node.entry.family != .collector {
                members.append(.init("servers", .array([.object(["url": .string("http://127.0.0.1:\(port)")])])))
                port += 1
            }
            members.append(.init("post", operation(node)))
            return .init("/\(node.name)", .object(members))
        }
        return .object([
            "openapi": .string("3.1.0"),
            "info": .object(["title": .string(title), "version": .string("1.0.0")]),
            "paths": .object(paths),
        ])
    }

    private func operation(_ node: Node) -> JSONValue {
        var worker: [JSONValue.Member] = [.init("uses", .string(node.entry.name))] + node.parameters.members
        if !node.parameters.settings.isEmpty { worker.append(.init("settings", .object(node.parameters.settings))) }
        var members: [JSONValue.Member] = [.init("operationId", .string(node.name))]
        let summary = node.bot.description.split(whereSeparator: \.isNewline).joined(separator: " ")
        if !summary.isEmpty { members.append(.init("summary", .string(summary))) }
        members += [
            .init("responses", .object(["2XX": .object(["description": .string("The events are taken.")])])),
            .init("x-intelmq-worker", .object(worker)),
        ]
        if !node.edges.isEmpty { members.append(.init("x-intelmq-edges", .array(node.edges.map(\.json)))) }
        return .object(members)
    }
}

extension Conversion.Edge {
    fileprivate var json: JSONValue {
        var members: [JSONValue.Member] = [.init("to", .string(to))]
        if let on { members.append(.init("on", .string(on))) }
        if let share { members.append(.init("share", .string(share))) }
        return .object(members)
    }
}
