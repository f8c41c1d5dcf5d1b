import IDF
import Mapping
import ServiceKernel

/// Members of JSON rows that become fields: what parsers of JSON share that need more than a mapping file.
struct JSONColumns: Sendable {
    private let columns: [(path: ArraySlice<Substring>, target: Mapping.Target)]

    /// Takes paths of members, dotted, and the fields that they become; a name that is no field is a mistake of the program.
    init(_ names: KeyValuePairs<String, String>) {
        columns = names.map { path, name in
            guard let target = Mapping.Target(name) else { fatalError("no field \(name)") }
            return (path.split(separator: ".")[...], target)
        }
    }

    /// Sets the fields of the members that are there; nothing for those that are null, empty, or no value of their field.
    func fill(_ event: inout Event, from row: JSONValue) {
        for (path, target) in columns { event.put(path.reduce(row) { $0[String($1)] ?? .null }, target) }
    }
}

extension Event {
    /// Sets a field or a custom member from JSON, all items of a list where the field takes several; nothing for null and "".
    mutating func put(_ value: JSONValue, _ target: Mapping.Target) {
        if value == .null || value == .string("") || value == .array([]) || value == .object([JSONValue.Member]()) { return }
        switch target {
        case .custom(let path): setCustom(path: path, to: value)
        case .field(let field):
            var one = Event()
            let values = (value.items ?? [value]).compactMap { one.add(field, text: $0.plain) ? one.json(field) : nil }
            guard let first = values.first else { return }
            setJSON(field, values.count == 1 || !field.field.isMany ? first : .array(values))
        }
    }
}

extension ParsedEvents {
    /// Calls `body` with each JSON object of a report, with its bytes: one object, a list, or one a line.
    mutating func eachObject(
        of report: Report, _ body: (JSONValue, [UInt8], inout ParsedEvents) throws(Rejection) -> Void
    ) throws(Rejection) {
        try eachValue(of: report) { item, object, raw, events in
            guard object.members != nil else {
                return events.reject(
                    raw, line: item.line, object: item.object, .malformed("found something else than a JSON object"))
            }
            do throws(Rejection) { try body(object, raw, &events) } catch {
                events.reject(raw, line: item.line, object: item.object, error)
            }
        }
    }

    /// Calls `body` with each JSON value of a report, with its place and its bytes; what is no JSON is rejected, and the rest goes on.
    mutating func eachValue(
        of report: Report, at path: [String] = [], _ body: (JSONItem, JSONValue, [UInt8], inout ParsedEvents) -> Void
    ) throws(Rejection) {
        do throws(JSONError) {
            try report.content.withBytes { (text) throws(JSONError) in
                try JSONItem.each(in: text, at: path, passed: report.content.release) { item in
                    do throws(Rejection) {
                        let value = try JSONValue(object: item.bytes)
                        body(item, value, item.object == nil ? Array(item.bytes) : value.bytes, &self)
                    } catch {
                        reject(item.bytes, line: item.line, object: item.object, error)
                    }
                    return !isFull
                }
            }
        } catch {
            throw .malformed("\(error)")
        }
    }
}

extension JSONValue {
    /// Reads an object of a report; what is wrong is said with its place in the object, whose own place the letter says.
    init(object text: ByteView) throws(Rejection) {
        do throws(JSONError) { self = try JSONValue(parsing: text) } catch {
            throw .malformed(error.inObject)
        }
    }
}
