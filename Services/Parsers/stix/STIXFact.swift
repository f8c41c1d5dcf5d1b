import IDF
import STIX

/// One property of an observable with its value, from a pattern's test or from the observable itself.
struct STIXFact {
    /// Type of the object and properties without places in lists, as `network-traffic:dst_ref.value`.
    var path: String
    var type: String
    /// The name of the last property.
    var last: String
    var value: STIXPattern.Value

    init(_ path: STIXPattern.Path, _ value: STIXPattern.Value) {
        self.path = path.description
        self.value = value
        type = path.type
        last = ""
        for case .property(let name) in path.steps { last = name }
    }

    private init(_ type: String, _ path: String, _ last: String, _ value: STIXPattern.Value) {
        self.type = type
        self.path = path
        self.last = last
        self.value = value
    }

    /// The properties of an observable, those of observables that it refers to among them (`dst_ref.value`).
    /// - Parameter resolve: the observable of an id.
    static func all(of observable: JSONValue, _ resolve: (String) -> JSONValue?) -> [STIXFact] {
        guard let type = observable["type"]?.string else { return [] }
        var facts: [STIXFact] = []
        var room = limit
        add(observable, type, type + ":", "", 0, resolve, &room, &facts)
        return facts
    }

    private static let common: Set<String> = [
        "type", "id", "spec_version", "object_marking_refs", "granular_markings", "defanged",
    ]
    /// How many properties and references of one observable are looked at.
    private static let limit = 1000

    private static func add(
        _ value: JSONValue, _ type: String, _ path: String, _ last: String, _ depth: Int, _ resolve: (String) -> JSONValue?,
        _ room: inout Int, _ facts: inout [STIXFact]
    ) {
        guard room > 0, depth < 8 else { return }
        room -= 1
        switch value {
        case .object(let members):
            for member in members where !(common.contains(member.name) && depth % 2 == 0) {
                let below = path.hasSuffix(":") ? path + member.name : "\(path).\(member.name)"
                guard member.name.hasSuffix("_ref") || member.name.hasSuffix("_refs") else {
                    add(member.value, type, below, member.name, depth + 2, resolve, &room, &facts)
                    continue
                }
                for reference in member.value.items ?? [member.value] {
                    guard room > 0, let target = reference.string.flatMap(resolve) else { continue }
                    add(target, type, below, member.name, depth + 2, resolve, &room, &facts)
                }
            }
        case .array(let items): for item in items { add(item, type, path, last, depth + 1, resolve, &room, &facts) }
        case .string(let text): facts.append(STIXFact(type, path, last, .text(text)))
        case .number(let text):
            facts.append(STIXFact(type, path, last, text.contains { ".eE".contains($0) } ? .float(text) : .integer(text)))
        case .boolean(let value): facts.append(STIXFact(type, path, last, .boolean(value)))
        case .null: return
        }
    }

    /// The value as JSON; numbers that no receiver could hold are texts.
    var json: JSONValue {
        switch value {
        case .boolean(let value): .boolean(value)
        case .integer(let text) where text.utf8.count <= 18: .number(text)
        case .float(let text): Double(text).flatMap { $0.isFinite ? .number("\($0)") : nil } ?? .string(text)
        default: .string(value.plain)
        }
    }
}
