import Foundation
import IDF

extension Counterpart {
    @Sendable static func shadowserver(_ vector: VectorCase) -> Settings {
        let notes = vector.content["notes"]?.items?.compactMap(\.string).joined() ?? ""
        let own = "data/bots/parsers/shadowserver/schema.json.test"
        let extra = "data/extra/shadowserver/schema-from-3.1.0.json"
        let file = notes.contains(extra) || vector.name.contains("__TestReports__") ? extra : own
        var settings: [JSONValue.Member] = [.init("schema", .string(vector.root + "/" + file))]
        if let feed = vector["feedname"]?.string, !feed.isEmpty { settings.append(.init("feed", .string(feed))) }
        return .given(settings)
    }

    @Sendable static func csv(_ vector: VectorCase) -> Settings {
        var settings: [JSONValue.Member] = []
        for member in vector.parameters where member.value != .null {
            let value = decoded(member.value)
            switch member.name {
            case "columns", "columns_required", "column_regex_search", "compose_fields", "data_type", "default_url_protocol",
                "delimiter",
                "skip_header", "time_format", "type", "type_translation", "filter_text", "filter_type":
                if value == .string(""), member.name != "columns" { continue }
                settings.append(.init(member.name.replacingOccurrences(of: "_", with: "-"), value))
            case "default_fields": settings.append(.init("constants", value))
            case "error_dump_message", "error_procedure", "error_max_retries", "error_retry_delay", "overwrite",
                "save_original_message":
                continue
            default: return .impossible("generic.parser_csv has a parameter \(member.name)")
            }
        }
        return .given(settings)
    }

    /// Parameters that are objects come as objects or as texts of JSON.
    private static func decoded(_ value: JSONValue) -> JSONValue {
        guard let text = value.string, text.hasPrefix("{"), let object = try? JSONValue(parsing: Array(text.utf8)) else {
            return value
        }
        return object
    }

    @Sendable static func deduplicator(_ vector: VectorCase) -> Settings {
        let names = (vector["filter_keys"]?.string ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        var fields: [JSONValue] = []
        for name in names {
            guard name != "extra" else { return .impossible("all of extra cannot be named as a field") }
            // A key that is no field changes nothing for either.
            guard let field = DHO.field(name) else { continue }
            fields.append(.string(field.name))
            if name == "raw" { fields.append(.string("intelmq.raw_base64")) }
        }
        var settings: [JSONValue.Member] = []
        switch vector["filter_type"]?.string {
        case "whitelist": settings.append(.init("fields", .array(fields)))
        default: settings.append(.init("ignore", .array(fields)))
        }
        if let time = vector["redis_cache_ttl"] { settings.append(.init("time-to-live", .string("\(time.plain) s"))) }
        if let bypass = vector["bypass"] { settings.append(.init("bypass", bypass)) }
        return .given(settings)
    }
}
