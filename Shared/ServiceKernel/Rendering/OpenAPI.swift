import IDF

/// A worker's OpenAPI 3.1 document, from its routes and its specification.
enum OpenAPI {
    static func document(of worker: RosterEntry) -> JSONValue {
        var paths: [JSONValue.Member] = []
        for route in Route.all(for: worker) {
            paths.append(.init(route.path, .object([route.method.rawValue.lowercased(): operation(route, worker)])))
            if route.name == .lookup {
                paths.append(.init(route.path + "/{field}", .object(["get": operation(route, worker, field: true)])))
            }
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
                ])
            ]),
            "x-intelmq-worker": .object([
                "name": .string(worker.name), "reads": .array(worker.spec.reads.map { .string($0.name) }),
                "writes": .array(worker.spec.writes.map { .string($0.name) }),
                "ack": .string(worker.ack.rawValue),
            ]),
        ])
    }

    private static func operation(_ route: Route, _ worker: RosterEntry, field: Bool = false) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("operationId", .string(route.name.rawValue + (field ? "Field" : ""))), .init("summary", .string(route.summary)),
        ]
        var parameters: [JSONValue] = []
        if route.name == .lookup {
            let wanted = worker.spec.lookup.map(\.field.type.wanted) ?? "a value"
            parameters.append(parameter("value", "path", "The value: \(wanted)."))
            if field { parameters.append(parameter("field", "path", "Name of a field, as source.as.number.")) }
        }
        if route.name == .reports {
            parameters.append(parameter("feed.name", "query", "Name of the feed."))
            parameters.append(parameter("file_name", "query", "Name of the file the report came from."))
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
        let responses = route.answers.map { answer in
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
        case (.packets, _), (.reports, _), (.lookupMany, 400...), (.lookup, 400...): return reference("Problems")
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
    private static let anything = JSONValue.object(["type": .string("object")])

    private static let problems = object(
        [
            "jsonapi": anything,
            "errors": .object([
                "type": .string("array"), "minItems": .number("1"),
                "items": object(
                    ["status": text, "code": text, "title": text, "detail": text, "source": anything, "meta": anything],
                    required: ["status", "code", "title", "detail"]),
            ]),
        ], required: ["errors"])

    private static let acknowledgement = object(
        [
            "jsonapi": anything,
            "meta": object(
                ["accepted": count, "failed": .object(["type": .string("array")]), "failed-count": count], required: ["accepted"]),
        ],
        required: ["meta"])

    private static let lookup = object(
        ["data": object(["type": text, "id": text, "attributes": anything], required: ["type", "id", "attributes"])],
        required: ["data"])
}
