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

extension Report {
    /// The content without the mark of byte order that some programs put before UTF-8.
    var text: ArraySlice<UInt8> { content.prefix(3) == [0xEF, 0xBB, 0xBF] ? content.array[3...] : content.array[...] }
}

extension ParsedEvents {
    /// Calls `body` with each JSON object of a report, with its bytes and its place (from 1): one object, a list, or one a line.
    mutating func eachObject(
        of report: Report, _ body: (JSONValue, [UInt8], inout ParsedEvents) throws(Rejection) -> Void
    ) throws(Rejection) {
        do throws(JSONError) {
            let document = try JSONValue(parsing: report.text)
            guard let list = document.items else { return take(document, Array(report.text), line: 1, body) }
            for (index, item) in list.enumerated() where !isFull { take(item, item.bytes, line: 0, object: index + 1, body) }
        } catch {
            guard report.text.first(where: { $0 > 0x20 }) == 0x7B, report.text.contains(0x0A) else {
                throw .malformed("\(error)")
            }
            for (index, line) in report.text.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
                guard !isFull else { return }
                guard line.contains(where: { $0 > 0x20 }) else { continue }
                do throws(JSONError) {
                    take(try JSONValue(parsing: line), Array(line), line: index + 1, body)
                } catch {
                    reject(line, line: index + 1, .malformed("\(error)"))
                }
            }
        }
    }

    private mutating func take(
        _ object: JSONValue, _ bytes: [UInt8], line: Int, object number: Int? = nil,
        _ body: (JSONValue, [UInt8], inout ParsedEvents) throws(Rejection) -> Void
    ) {
        guard object.members != nil else {
            return reject(bytes, line: line, object: number, .malformed("found something else than a JSON object"))
        }
        do throws(Rejection) { try body(object, bytes, &self) } catch { reject(bytes, line: line, object: number, error) }
    }
}
