import IDF
import ServiceKernel
import Workflow

/// The workflow as one OpenAPI document: the gateway's own calls, those of every node's statusd, and those of every node, with
/// links for the edges.
struct ComposedDocument {
    private let graph: Graph
    private let number: Int

    init(_ graph: Graph, number: Int) {
        self.graph = graph
        self.number = number
    }

    /// The calls of a gateway, whatever its workflow: `openapi/gateway.json`.
    static let own = document("intelmq-gateway", "http://127.0.0.1:8700", OpenAPI.paths(of: Route.gateway))

    private static func document(_ title: String, _ server: String, _ paths: [JSONValue.Member]) -> JSONValue {
        OpenAPI.document(
            title, "Serves a workflow as one.", server: server, paths: paths,
            schemas: [
                "Packet": .object(["$ref": .string("schemas/idf-3.1.schema.json")]), "Problems": OpenAPI.problems,
                "Document": OpenAPI.anything, "Acknowledgement": OpenAPI.acknowledgement, "Lookup": OpenAPI.lookup,
            ])
    }

    /// The document.
    var json: JSONValue {
        var paths = OpenAPI.paths(of: Route.gateway)
        let names = graph.nodes.map { JSONValue.string($0.name) }
        let node = JSONValue.object([
            "name": .string("node"), "in": .string("path"), "required": .boolean(true), "description": .string("A node."),
            "schema": .object(["type": .string("string"), "enum": .array(names)]),
        ])
        for path in OpenAPI.paths(of: Route.ofStatusd) {
            paths.append(item(path, below: "/v1/nodes/{node}", "statusd", "nodes", [node]))
        }
        for node in graph.nodes {
            for path in Renderer.openAPI(of: node.entry)["paths"]?.members ?? [] {
                paths.append(item(path, below: "/\(node.name)", node.name, node.name, []))
            }
        }
        var members =
            Self.document(graph.title, "/", linked(paths)).members?.filter { $0.name != "info" } ?? []
        members.insert(
            .init(
                "info",
                .object([
                    "title": .string(graph.title), "summary": .string("The workflow as its gateway serves it."),
                    "version": .string("\(number)"),
                ])), at: 1)
        return .object(members)
    }

    /// A path with its operations, below another one.
    private func item(
        _ path: JSONValue.Member, below prefix: String, _ name: String, _ tag: String, _ parameters: [JSONValue]
    ) -> JSONValue.Member {
        let operations = (path.value.members ?? []).map { operation -> JSONValue.Member in
            var members = operation.value.members ?? []
            for index in members.indices {
                switch members[index].name {
                case "operationId": members[index].value = .string("\(name).\(members[index].value.string ?? "")")
                case "responses":
                    let more = [Route.away, Route.strange, Route.noNode].map { answer in
                        JSONValue.Member("\(answer.status)", Self.problem(answer.meaning))
                    }
                    let own = members[index].value.members ?? []
                    members[index].value = .object(own + more.filter { one in !own.contains { $0.name == one.name } })
                case "parameters": members[index].value = .array(parameters + (members[index].value.items ?? []))
                default: break
                }
            }
            if !parameters.isEmpty, !members.contains(where: { $0.name == "parameters" }) {
                members.append(.init("parameters", .array(parameters)))
            }
            members.append(.init("tags", .array([.string(tag)])))
            return .init(operation.name, .object(members))
        }
        return .init(prefix + path.name, .object(operations))
    }

    private static func problem(_ meaning: String) -> JSONValue {
        .object([
            "description": .string(meaning),
            "content": .object([
                Route.failure: .object(["schema": .object(["$ref": .string("#/components/schemas/Problems")])])
            ]),
        ])
    }

    /// Every edge as a link from what a node answers to what its next node is asked.
    private func linked(_ paths: [JSONValue.Member]) -> [JSONValue.Member] {
        paths.map { path in
            guard let node = graph.nodes.first(where: { path.name == "/\($0.name)/v1/packets" }), !node.edges.isEmpty else {
                return path
            }
            let links = JSONValue.object(
                node.edges.map { edge in
                    let when = edge.node["when"]?.string.map { "Events that fulfil \($0) go there." } ?? "Events go there."
                    return .init(
                        edge.to,
                        .object(["operationId": .string("\(edge.to).packets"), "description": .string(when)]))
                })
            return .init(
                path.name,
                path.value.changing(["post", "responses"]) { responses in
                    .object(
                        (responses.members ?? []).map {
                            $0.name.hasPrefix("2")
                                ? .init($0.name, .object(($0.value.members ?? []) + [.init("links", links)])) : $0
                        })
                })
        }
    }
}

extension JSONValue {
    /// The same with the value at a path of members changed.
    fileprivate func changing(_ path: ArraySlice<String>, _ change: (JSONValue) -> JSONValue) -> JSONValue {
        guard let name = path.first else { return change(self) }
        return .object(
            (members ?? []).map { $0.name == name ? .init(name, $0.value.changing(path.dropFirst(), change)) : $0 })
    }
}
