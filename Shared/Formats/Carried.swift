import IDF

/// What one format has no place for, kept beside it, so that the way there and back loses nothing.
enum Carried {
    private static let roots = ["custom", "n6", "misp", "idea"]

    /// Fields of an event of which a copy that went through another format says something else: their values, and null for
    /// what only the copy says.
    /// - Parameter leaving: fields and free roots that do not count.
    static func rest(of event: Event, comparedWith copy: Event, leaving: Set<String>) -> JSONValue? {
        var members: [JSONValue.Member] = []
        for field in Set(event.fields).union(copy.fields).sorted() where !roots.contains(field.name) {
            let value = event.json(field)
            if leaving.contains(field.name) || value?.sorted == copy.json(field)?.sorted { continue }
            members.append(.init(field.name, value ?? .null))
        }
        for root in roots where !leaving.contains(root) {
            let free = event.freeMembers(root)
            if !free.isEmpty { members.append(.init(root, .object(free))) }
        }
        return members.isEmpty ? nil : .object(members)
    }

    /// Sets fields to what `rest` has kept. Values are checked as those of any other source.
    /// - Parameter fixed: fields that stay: what the operator has said of a feed is not for its data to change.
    /// - Returns: the names that are none, or whose values are none.
    static func restore(_ rest: JSONValue, into event: inout Event, fixed: Set<String>) -> [String] {
        var refused: [String] = []
        for member in rest.members ?? [] where !fixed.contains((DHO.field(member.name) ?? FieldID(member.name))?.name ?? "") {
            if roots.contains(member.name), let free = member.value.members {
                for one in free { event.setFree(member.name, one.name, to: one.value) }
            } else if let field = FieldID(member.name) {
                if !set(field, member.value, &event) { refused.append(member.name) }
            } else if (try? DHO.add(member.name, member.value, to: &event)) == nil {
                refused.append(member.name)
            }
        }
        return refused
    }

    private static func set(_ field: FieldID, _ value: JSONValue, _ event: inout Event) -> Bool {
        if value == .null {
            event.remove(field)
            return true
        }
        if field.type == .json {
            event.setJSON(field, value)
            return true
        }
        var values: [JSONValue] = []
        for item in field.field.isMany ? value.items ?? [value] : [value] {
            var probe = Event()
            if item == .null {
                values.append(.null)
            } else if probe.add(field, text: item.plain), let canonical = probe.json(field) {
                values.append(canonical)
            } else {
                return false
            }
        }
        guard let last = values.lastIndex(where: { $0 != .null }), values.count <= 256 else { return false }
        event.setJSON(field, last == 0 ? values[0] : .array(Array(values[...last])))
        return true
    }

    /// Keeps members of a foreign object that its event does not give back, under a free root; null for what only the event gives.
    static func keep(_ object: JSONValue, comparedWith back: JSONValue, except: Set<String>, root: String, in event: inout Event)
    {
        for member in object.members ?? [] where !except.contains(member.name) {
            if member.value.sorted != back[member.name]?.sorted { event.setFree(root, member.name, to: member.value) }
        }
        for member in back.members ?? [] where !except.contains(member.name) && object[member.name] == nil {
            event.setFree(root, member.name, to: .null)
        }
    }
}

/// An object whose members are set by name.
struct Members {
    private(set) var list: [JSONValue.Member] = []
    private var places: [String: Int] = [:]

    init(_ list: [JSONValue.Member] = []) {
        for member in list { self[member.name] = member.value }
    }

    /// The value of a member; nil or null takes it away.
    subscript(_ name: String) -> JSONValue? {
        get { places[name].map { list[$0].value } }
        set {
            if let newValue, newValue != .null {
                if let at = places[name] {
                    list[at].value = newValue
                } else {
                    places[name] = list.count
                    list.append(.init(name, newValue))
                }
            } else if places[name] != nil {
                list.removeAll { $0.name == name }
                places = [:]
                for (index, member) in list.enumerated() { places[member.name] = index }
            }
        }
    }
}

extension Event {
    /// The first value of a field as JSON.
    func first(_ name: StaticString) -> JSONValue? { values(name).first { $0 != .null } }

    /// All values of a field as JSON, null for gaps.
    func values(_ name: StaticString) -> [JSONValue] {
        guard let value = json(Key<String>(name).id) else { return [] }
        return value.items ?? [value]
    }

    /// Sets a field if it is not there: to those of the values that are some.
    mutating func fill(_ name: StaticString, _ values: [JSONValue]) {
        let field = Key<String>(name).id
        guard !has(field) else { return }
        var found: [JSONValue] = []
        for value in values.prefix(256) {
            var probe = Event()
            if probe.add(field, text: value.plain), let canonical = probe.json(field), !found.contains(canonical) {
                found.append(canonical)
            }
        }
        guard let first = found.first else { return }
        setJSON(field, found.count == 1 || !field.field.isMany ? first : .array(found))
    }
}
