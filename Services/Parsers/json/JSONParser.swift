import IDF
import Mapping
import ServiceKernel
import YAML

/// Reads events that are written in the names of the data format, of the old one or of today's.
struct JSONParser: Parser {
    static let spec = Spec(
        "json", "Reads events written as JSON with the field names of the data format, of the old one or of today's.",
        writesAny: true)

    @Setting("Each line is one event; otherwise the whole report is one event or a list of them.") var splitlines = false
    @Setting("Path of the list of events in the document, as data; null: the document itself.") var items: String? = nil
    @Setting("Other names for members: {feed.name: custom.original_feed_name}.") var rename: [String: String] = [:]

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        guard splitlines else {
            let path = items.map { $0.split(separator: ".").map(String.init) } ?? []
            return try events.eachValue(of: report, at: path) { item, value, raw, events in
                add(value, raw: raw, line: item.line, object: item.object, &events)
            }
        }
        report.content.eachLine { line, number in
            guard !line.allSatisfy({ $0 <= 0x20 }) else { return true }
            do throws(Rejection) {
                add(try JSONValue(object: line), raw: Array(line), line: number, &events)
            } catch {
                events.reject(line, line: number, error)
            }
            return !events.isFull
        }
    }

    private func add(_ object: JSONValue, raw: [UInt8], line: Int, object number: Int? = nil, _ events: inout ParsedEvents) {
        guard let members = object.members else {
            return events.reject(raw, line: line, object: number, .malformed("found something else than a JSON object"))
        }
        var event = events.newEvent()
        do throws(Problem) {
            for member in members where member.name != "__type" {
                try add(rename[member.name] ?? member.name, member.value, to: &event)
            }
        } catch {
            return events.reject(raw, line: line, object: number, .malformed(error.detail))
        }
        // Whoever writes events without a type says nothing of them.
        event.fill(.classificationType, "undetermined")
        if events.keepsOriginal, event.originalBytes == nil { event.setOriginal(raw) }
        events.add(event)
    }

    private func add(_ name: String, _ value: JSONValue, to event: inout Event) throws(Problem) {
        if value == .null { return }
        if name == "custom" || name.hasPrefix("custom.") {
            for member in name == "custom" ? value.members ?? [] : [.init(String(name.dropFirst(7)), value)] {
                event.setCustom(path: member.name.split(separator: ".").map(String.init), to: member.value)
            }
        } else if let field = FieldID(name), DHO.field(name) == nil {
            let values = field.field.isMany ? value.items ?? [value] : [value]
            var probe = Event()
            var found: [JSONValue] = []
            for one in values {
                guard probe.add(field, text: one.plain), let canonical = probe.json(field) else {
                    throw Problem(
                        422, "invalid-value", "\(name) is \"\(one.plain.prefix(80))\", wanted \(field.field.type.wanted)")
                }
                found.append(canonical)
            }
            if let first = found.first { event.setJSON(field, found.count == 1 ? first : .array(found)) }
        } else if name != "extra", name != "output", DHO.field(name) == nil, let members = value.members, !members.isEmpty {
            // Names may be nested as well as dotted.
            for member in members { try add(name + "." + member.name, member.value, to: &event) }
        } else {
            try DHO.add(name, value, to: &event)
        }
    }
}
