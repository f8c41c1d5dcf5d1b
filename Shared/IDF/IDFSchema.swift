/// The data format's JSON Schema and its page for people, rendered from the table of fields.
public enum IDFSchema {
    /// JSON Schema (draft 2020-12) of a packet.
    public static var document: JSONValue {
        func object(_ members: [JSONValue.Member], required: [String], open: Bool = false) -> JSONValue {
            .object([
                "type": .string("object"), "required": .array(required.map { .string($0) }), "properties": .object(members),
                "additionalProperties": .boolean(open),
            ])
        }
        let text = JSONValue.object(["type": .string("string")])
        let uuid = JSONValue.object(["type": .string("string"), "format": .string("uuid")])
        let time = JSONValue.object(["type": .string("string"), "format": .string("date-time")])
        let trace = JSONValue.object([
            "description": .string("Where the packet stands in a trace (W3C Trace Context): 00-TRACE-PARENT-FLAGS."),
            "type": .string("string"), "pattern": .string("^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"),
        ])
        let state = JSONValue.object([
            "description": .string("What tracing systems say of the trace (W3C Trace Context), passed on as it is."),
            "type": .string("string"),
        ])
        let meta = object(
            [
                .init("format-name", .object(["const": .string(Packet.formatName)])),
                .init("version", .object(["type": .string("string"), "pattern": .string("^3\\.")])), .init("url", text),
                .init("id", uuid), .init("traceparent", trace), .init("tracestate", state), .init("path", text),
                .init("not-for", text), .init("source", text), .init("producer", text), .init("created-at", time),
                .init("intake-at", time),
                .init("ecs", .object(["type": .string("object")])),
                .init("hops", .object(["type": .string("integer"), "minimum": .number("0")])),
            ], required: ["format-name", "version"], open: true)
        let resource = object(
            [
                .init("type", .object(["enum": .array([.string("event"), .string("report")])])), .init("id", uuid),
                .init("attributes", .object(["$ref": .string("#/$defs/attributes")])),
                .init("meta", .object(["type": .string("object")])),
            ], required: ["type", "attributes"])
        return .object([
            "$schema": .string("https://json-schema.org/draft/2020-12/schema"), "$id": .string(Packet.formatURL),
            "title": .string("IntelMQ IDF \(Packet.formatVersion) packet"), "type": .string("object"),
            "required": .array([.string("meta"), .string("data")]), "additionalProperties": .boolean(false),
            "properties": .object([
                "jsonapi": .object(["type": .string("object")]), "meta": meta, "links": .object(["type": .string("object")]),
                "data": .object(["type": .string("array"), "items": resource]),
            ]), "$defs": .object(["attributes": attributes(0)]),
        ])
    }

    private static func attributes(_ index: Int) -> JSONValue {
        let table = FieldTable.shared
        let node = table.nodes[index]
        var members: [JSONValue.Member] = []
        for child in node.order {
            let below = table.nodes[child]
            if let field = below.field {
                members.append(.init(below.name, schema(field.field)))
            } else {
                members.append(.init(below.name, attributes(child)))
            }
        }
        return .object([
            "type": .string("object"), "properties": .object(members), "additionalProperties": .boolean(node.isOpen),
        ])
    }

    private static func schema(_ field: Field) -> JSONValue {
        let value = JSONValue.object(field.type.schema)
        let description = JSONValue.Member("description", .string(field.summary))
        guard field.isMany else { return .object([description] + field.type.schema) }
        let list = JSONValue.object([
            "type": .string("array"), "items": .object(["anyOf": .array([value, .object(["type": .string("null")])])]),
        ])
        return .object([description, .init("anyOf", .array([value, list]))])
    }

    /// The table of fields as a page.
    public static var page: String {
        var text =
            "# Fields of the data format\n\nRendered from `Shared/IDF/Fields/Fields.swift`. A field marked * takes several values, the most relevant first.\n\n"
        text += "| field | type | ECS | old name | what |\n|---|---|---|---|---|\n"
        for field in FieldTable.shared.fields where FieldTable.shared.open[field.name] == nil {
            text +=
                "| `\(field.name)`\(field.isMany ? " *" : "") | \(field.type.rawValue) | \(field.origin.rawValue) | \(field.dho.map { "`\($0)`" } ?? "") | \(field.summary) |\n"
        }
        return text + "\n`custom`, `n6`, `misp` and `idea` take any members: JSON of the user or of the other format.\n"
    }
}

extension FieldType {
    /// JSON Schema of one value.
    var schema: [JSONValue.Member] {
        func type(_ name: String) -> JSONValue.Member { .init("type", .string(name)) }
        func bounds(_ low: String, _ high: String) -> [JSONValue.Member] {
            [.init("minimum", .number(low)), .init("maximum", .number(high))]
        }
        switch self {
        case .ip:
            return [
                type("string"),
                .init("anyOf", .array([.object(["format": .string("ipv4")]), .object(["format": .string("ipv6")])])),
            ]
        case .time: return [type("string"), .init("format", .string("date-time"))]
        case .url: return [type("string"), .init("format", .string("uri"))]
        case .uuid: return [type("string"), .init("format", .string("uuid"))]
        case .asn: return [type("integer")] + bounds("1", "4294967295")
        case .port: return [type("integer")] + bounds("0", "65535")
        case .integer: return [type("integer")]
        case .float: return [type("number")]
        case .latitude: return [type("number")] + bounds("-90", "90")
        case .longitude: return [type("number")] + bounds("-180", "180")
        case .accuracy: return [type("number")] + bounds("0", "100")
        case .boolean: return [type("boolean")]
        case .countryCode: return [type("string"), .init("pattern", .string("^[A-Z0-9]{2}$"))]
        case .registry: return [.init("enum", .array(["AFRINIC", "APNIC", "ARIN", "LACNIC", "RIPE"].map { .string($0) }))]
        case .taxonomy: return [.init("enum", .array(TaxonomyClass.allCases.map { .string($0.rawValue) }))]
        case .classification: return [.init("enum", .array(ClassificationType.all.map { .string($0.name) }))]
        case .tlp:
            return [.init("enum", .array(["WHITE", "CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"].map { .string($0) }))]
        case .base64: return [type("string"), .init("contentEncoding", .string("base64"))]
        case .json: return []
        default: return [type("string"), .init("minLength", .number("1"))]
        }
    }
}
