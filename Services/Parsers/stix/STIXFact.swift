import IDF
import STIX

/// One property of an observable with its value, from a pattern's test or from the observable itself.
struct STIXFact {
    /// Type of the object that tells it.
    let type: String
    /// That type and properties without places in lists, as `network-traffic:dst_ref.value`.
    let path: String
    /// Where it goes; nil where no field is for it.
    let target: STIXFields.Target?
    let value: STIXPattern.Value

    init(_ path: STIXPattern.Path, _ value: STIXPattern.Value) {
        var property = STIXFields.properties[path.type]
        var last = ""
        var isInHashes = false
        for case .property(let name) in path.steps {
            property = property?.below[name]
            isInHashes = isInHashes || name.hasSuffix("hashes")
            last = name
        }
        self.init(path.type, Place(property, property?.path ?? path.description, last, isInHashes), value)
    }

    private init(_ type: String, _ place: Place, _ value: STIXPattern.Value) {
        self.type = type
        path = place.path
        target = place.property?.target ?? STIXFields.target(place.last, inHashes: place.isInHashes, of: type, value)
        self.value = value
    }

    /// The properties of an observable, those of observables that it refers to among them (`dst_ref.value`).
    /// - Parameter resolve: the observable of an id.
    static func all(of observable: JSONValue, _ resolve: (String) -> JSONValue?) -> [STIXFact] {
        guard let type = observable["type"]?.string else { return [] }
        var walk = Walk(type: type)
        walk.facts.reserveCapacity(8)
        walk.add(observable, Place(type: type), 0, resolve)
        return walk.facts
    }

    /// Where a walk over an observable stands.
    private struct Place {
        /// What the table of fields knows of it.
        var property: STIXProperty?
        var path: String
        /// The name of the last property.
        var last = ""
        /// Whether values are those of hashes.
        var isInHashes = false

        init(type: String) {
            property = STIXFields.properties[type]
            path = property?.path ?? type + ":"
        }

        init(_ property: STIXProperty?, _ path: String, _ last: String, _ isInHashes: Bool) {
            self.property = property
            self.path = path
            self.last = last
            self.isInHashes = isInHashes
        }

        func below(_ name: String) -> Place {
            if let known = property?.below[name] { return Place(known, known.path, name, known.isInHashes) }
            let path = path.utf8.last == UInt8(ascii: ":") ? path + name : "\(path).\(name)"
            return Place(nil, path, name, isInHashes || name.hasSuffix("hashes"))
        }
    }

    private struct Walk {
        let type: String
        /// How many properties and references of one observable are looked at.
        var room = 1000
        var facts: [STIXFact] = []

        /// Whether the member says something of the object, not of what was observed.
        private static func isCommon(_ name: String) -> Bool {
            switch name.utf8.count {
            case 2: name == "id"
            case 4: name == "type"
            case 8: name == "defanged"
            case 12: name == "spec_version"
            case 17: name == "granular_markings"
            case 19: name == "object_marking_refs"
            default: false
            }
        }

        mutating func add(_ value: JSONValue, _ place: Place, _ depth: Int, _ resolve: (String) -> JSONValue?) {
            guard room > 0, depth < 8 else { return }
            room -= 1
            switch value {
            case .object(let members):
                for member in members where !(depth % 2 == 0 && Self.isCommon(member.name)) {
                    let below = place.below(member.name)
                    guard below.property?.target == nil, member.name.utf8.isReference else {
                        add(member.value, below, depth + 2, resolve)
                        continue
                    }
                    for reference in member.value.items ?? [member.value] {
                        guard room > 0, let target = reference.string.flatMap(resolve) else { continue }
                        add(target, below, depth + 2, resolve)
                    }
                }
            case .array(let items): for item in items { add(item, place, depth + 1, resolve) }
            case .string(let text): facts.append(STIXFact(type, place, .text(text)))
            case .number(let text):
                facts.append(
                    STIXFact(type, place, text.utf8.contains { $0 == 0x2E || $0 | 0x20 == 0x65 } ? .float(text) : .integer(text)))
            case .boolean(let value): facts.append(STIXFact(type, place, .boolean(value)))
            case .null: return
            }
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

/// A property that has a field, or leads to one that has.
final class STIXProperty: Sendable {
    /// As `STIXFact.path`; of a type it ends with the colon.
    let path: String
    let target: STIXFields.Target?
    let below: [String: STIXProperty]
    let isInHashes: Bool

    /// - Parameter entries: names below this property, and what is there.
    init(path: String, _ entries: [(names: ArraySlice<Substring>, target: STIXFields.Target)]) {
        self.path = path
        target = entries.first { $0.names.isEmpty }?.target
        below = Self.all(entries) { path.hasSuffix(":") ? path + $0 : "\(path).\($0)" }
        isInHashes = path.hasSuffix("hashes")
    }

    /// The properties that entries begin with, by name.
    static func all(
        _ entries: [(names: ArraySlice<Substring>, target: STIXFields.Target)], path: (Substring) -> String
    ) -> [String: STIXProperty] {
        let groups = Dictionary(grouping: entries.filter { !$0.names.isEmpty }) { $0.names.first ?? "" }
        return Dictionary(
            uniqueKeysWithValues: groups.map { name, group in
                (String(name), STIXProperty(path: path(name), group.map { ($0.names.dropFirst(), $0.target) }))
            })
    }
}

extension Collection<UInt8> where Self: BidirectionalCollection {
    /// Whether a member of that name refers to other objects: `…_ref`, `…_refs`.
    var isReference: Bool {
        guard let last, last == UInt8(ascii: "f") || last == UInt8(ascii: "s") else { return false }
        var end = self[...]
        if end.last == UInt8(ascii: "s") { end = end.dropLast() }
        return end.suffix(4).elementsEqual("_ref".utf8)
    }
}
