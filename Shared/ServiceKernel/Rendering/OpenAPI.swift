package import IDF

/// OpenAPI 3.1 documents, from the tables of routes and the workers' specifications.
package enum OpenAPI {
    static func document(of worker: RosterEntry) -> JSONValue {
        var paths = paths(of: Route.all(for: worker), worker)
        if let route = Route.all(for: worker).first(where: { $0.name == .lookup }) {
            paths.append(.init(route.path + "/{field}", .object(["get": operation(route, worker, field: true)])))
        }
        return .object([
            "openapi": .string("3.1.0"),
            "info": .object([
                "title": .string(worker.name), "summary": .string(worker.spec.summary), "version": .string(Version.current),
                "license": .object(["name": .string("Apache-2.0"), "identifier": .string("Apache-2.0")]),
            ]),
            "servers": .array([.object(["url": .string("http://127.0.0.1:8080")])]),
            "paths": .object(paths),
            "components": .object([
                "schemas": .object([
                    "Packet": .object(["$ref": .string("schemas/idf-3.1.schema.json")]), "Problems": problems,
                    "Acknowledgement": acknowledgement, "Lookup": lookup,
                ]), "securitySchemes": security,
            ]),
            "x-intelmq-worker": .object([
                "name": .string(worker.name), "reads": .array(worker.spec.reads.map { .string($0.name) }),
                "writes": .array(worker.spec.writes.map { .string($0.name) }),
                "ack": .string(worker.ack.rawValue),
            ]),
        ])
    }

    /// The document of statusd, which is the same beside every worker.
    package static let ofStatusDaemon = document(
        "intelmq-statusd", "Runs, watches and operates one worker.", server: "http://127.0.0.1:9080",
        paths: paths(of: Route.operating + ofProcesses + Route.supervision),
        schemas: ["Problems": problems, "Document": anything])

    /// A document of calls that no worker answers.
    package static func document(
        _ title: String, _ summary: String, server: String, paths: [JSONValue.Member], schemas: KeyValuePairs<String, JSONValue>
    ) -> JSONValue {
        .object([
            "openapi": .string("3.1.0"),
            "info": .object([
                "title": .string(title), "summary": .string(summary), "version": .string(Version.current),
                "license": .object(["name": .string("Apache-2.0"), "identifier": .string("Apache-2.0")]),
            ]),
            "servers": .array([.object(["url": .string(server)])]), "paths": .object(paths),
            "components": .object(["schemas": .object(schemas), "securitySchemes": security]),
        ])
    }

    /// The calls that are passed on to the worker's processes.
    private static let ofProcesses = Route.control.map { route in
        var route = route
        if route.name != .status { route.query.append(("process", "Only this one of several processes, counted from 0.")) }
        return route
    }

    /// Tokens are asked for only where a service has some.
    private static let security = JSONValue.object([
        "token": .object([
            "type": .string("http"), "scheme": .string("bearer"),
            "description": .string("A token of the service's configuration; its roles are read, operate, data."),
        ])
    ])

    /// Routes by path, in their order.
    package static func paths(of routes: [Route], _ worker: RosterEntry? = nil) -> [JSONValue.Member] {
        var paths: [JSONValue.Member] = []
        for route in routes {
            let member = JSONValue.Member(route.method.rawValue.lowercased(), operation(route, worker))
            if let place = paths.firstIndex(where: { $0.name == route.path }) {
                paths[place].value = .object((paths[place].value.members ?? []) + [member])
            } else {
                paths.append(.init(route.path, .object([member])))
            }
        }
        return paths
    }

    private static func operation(_ route: Route, _ worker: RosterEntry?, field: Bool = false) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("operationId", .string(route.name.rawValue + (field ? "Field" : ""))), .init("summary", .string(route.summary)),
        ]
        var parameters: [JSONValue] = []
        if route.name == .lookup {
            let wanted = worker?.spec.lookup.map(\.field.type.wanted) ?? "a value"
            parameters.append(parameter("value", "path", "The value: \(wanted)."))
            if field { parameters.append(parameter("field", "path", "Name of a field, as source.as.number.")) }
        }
        if route.name == .reports {
            parameters.append(parameter("feed.name", "query", "Name of the feed."))
            parameters.append(parameter("file_name", "query", "Name of the file the report came from."))
            parameters.append(
                parameter(
                    Route.idempotencyKey, "header",
                    "What the sender calls the report, at best a UUID: the same bytes with the same key, sent again, have one effect."
                ))
        }
        if route.path.contains("{id}") { parameters.append(parameter("id", "path", "Number of the dead letter.")) }
        if route.path.contains("{generation}") { parameters.append(parameter("generation", "path", "Number of the generation.")) }
        parameters += route.query.map { parameter($0.name, "query", $0.meaning) }
        if let role = route.role {
            members.append(
                .init("security", .array([.object(["token": .array([])]), .object([:] as KeyValuePairs<String, JSONValue>)])))
            members.append(.init("x-intelmq-role", .string(role.rawValue)))
        }
        if !parameters.isEmpty { members.append(.init("parameters", .array(parameters))) }
        if !route.accepts.isEmpty {
            let schema: JSONValue =
                route.name == .packets
                ? .object(["$ref": .string("#/components/schemas/Packet")]) : .object([:] as KeyValuePairs<String, JSONValue>)
            members.append(
                .init(
                    "requestBody",
                    .object([
                        "required": .boolean(true),
                        "content": .object(route.accepts.map { .init($0, .object(["schema": schema])) }),
                    ])))
        }
        let closed: [(status: Int, meaning: String, media: String)] =
            route.role == nil
            ? []
            : [
                (401, "The service has tokens and none of them was shown.", Route.failure),
                (403, "The token's roles are not enough.", Route.failure),
            ]
        let responses = (route.answers + closed).map { answer in
            JSONValue.Member(
                String(answer.status),
                .object([
                    "description": .string(answer.meaning),
                    "content": .object([
                        field && answer.status == 200 ? "text/plain" : answer.media: content(route, answer.status, field)
                    ]),
                ]))
        }
        members.append(.init("responses", .object(responses)))
        return .object(members)
    }

    private static func content(_ route: Route, _ status: Int, _ field: Bool) -> JSONValue {
        func reference(_ name: String) -> JSONValue {
            .object(["schema": .object(["$ref": .string("#/components/schemas/\(name)")])])
        }
        switch (route.name, status) {
        case (.packets, 200...299), (.reports, 200...299): return reference("Acknowledgement")
        case (.lookup, 200) where !field: return reference("Lookup")
        case (.livez, _), (.readyz, _), (.startupz, _), (.metrics, 200), (.logs, 200), (.tap, 200), (.lookup, 200),
            (.lookup, 304),
            (.lookupMany, 200):
            return .object(["schema": text])
        case (_, 400...): return reference("Problems")
        case (.openapi, _), (.schema, _): return .object(["schema": anything])
        case _ where route.path.hasPrefix("/v1/"): return reference("Document")
        default: return .object(["schema": .object(["type": .string("string")])])
        }
    }

    private static func parameter(_ name: String, _ place: String, _ text: String) -> JSONValue {
        .object([
            "name": .string(name), "in": .string(place), "required": .boolean(place == "path"), "description": .string(text),
            "schema": .object(["type": .string("string")]),
        ])
    }

    private static func object(_ properties: KeyValuePairs<String, JSONValue>, required: [String]) -> JSONValue {
        .object(["type": .string("object"), "properties": .object(properties), "required": .array(required.map { .string($0) })])
    }

    private static let text = JSONValue.object(["type": .string("string")])
    private static let count = JSONValue.object(["type": .string("integer"), "minimum": .number("0")])
    package static let anything = JSONValue.object(["type": .string("object")])

    package static let problems = object(
        [
            "jsonapi": anything,
            "errors": .object([
                "type": .string("array"), "minItems": .number("1"),
                "items": object(
                    ["status": text, "code": text, "title": text, "detail": text, "source": anything, "meta": anything],
                    required: ["status", "code", "title", "detail"]),
            ]),
        ], required: ["errors"])

    package static let acknowledgement = object(
        [
            "jsonapi": anything,
            "meta": object(
                ["accepted": count, "failed": .object(["type": .string("array")]), "failed-count": count], required: ["accepted"]),
        ],
        required: ["meta"])

    package static let lookup = object(
        ["data": object(["type": text, "id": text, "attributes": anything], required: ["type", "id", "attributes"])],
        required: ["data"])
}
