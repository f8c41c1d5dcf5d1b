/// The old data format (data harmonisation): flat messages of IntelMQ 1 to 3, converted both ways over the mapping table.
public enum DHO {
    private static let byName: [String: FieldID] = {
        var map: [String: FieldID] = [:]
        for (index, field) in FieldTable.shared.fields.enumerated() {
            if let dho = field.dho { map[dho] = FieldID(raw: UInt16(index)) }
        }
        return map
    }()

    /// The field of the data format that carries a field of the old one, or nil.
    public static func field(_ name: String) -> FieldID? { byName[name] }

    /// What an old message is.
    public enum Item: Sendable {
        /// One event.
        case event(Event)
        /// Raw data of a feed.
        case report(Report)
    }

    /// Converts one old message, an event or a report as its `__type` says; without one it is an event.
    public static func item(_ message: JSONValue) throws(Problem) -> Item {
        switch message["__type"]?.plain {
        case "Event", nil: return .event(try event(message))
        case "Report": return .report(try report(message))
        case let type?:
            throw Problem(422, "not-dho", "found a message of the type \"\(type.prefix(80))\", wanted Event or Report")
        }
    }

    /// Converts one old message. `extra.*` becomes `custom.*`; what the table does not know is an error.
    public static func event(_ message: JSONValue) throws(Problem) -> Event {
        guard case .object(let members) = message else {
            throw Problem(422, "not-dho", "an old message is a JSON object, found something else")
        }
        var event = Event()
        for member in members where member.name != "__type" {
            try add(member.name, member.value, to: &event)
        }
        return event
    }

    /// Converts an old report: `raw` is its content, `extra.file_name` the name of its file.
    public static func report(_ message: JSONValue) throws(Problem) -> Report {
        var fields = try event(message)
        let content = fields.originalBytes ?? []
        fields.remove(Key<String>.original)
        fields.remove(Key<String>.rawBase64)
        if let name = fields[custom: "file_name"]?.string, fields.add(Key<String>.fileName.id, text: name) {
            fields[custom: "file_name"] = nil
        }
        return Report(content: content, fields: fields)
    }

    /// Adds one old field with its value to an event. Names may be nested as well as dotted, as `hierarchical_output` writes them.
    public static func add(_ name: String, _ value: JSONValue, to event: inout Event) throws(Problem) {
        if case .null = value, !name.hasPrefix("extra.") { return }
        switch name {
        case "raw":
            guard let bytes = Base64.decode(value.plain.utf8) else { throw Problem(422, "invalid-value", "raw is no base64") }
            event.setOriginal(bytes)
        case "extra":
            let object = value.members ?? (try? JSONValue(parsing: value.plain.utf8))?.members
            guard let object else {
                throw Problem(422, "invalid-value", "extra is no JSON object: \(value.plain.prefix(80))")
            }
            for member in object { addExtra(member.name, member.value, to: &event) }
        case "output":
            event.setJSON(FieldID("intelmq.output")!, (try? JSONValue(parsing: value.plain.utf8)) ?? value)
        case "source.account", "destination.account":
            let (side, text) = (name.prefix(while: { $0 != "." }), value.plain)
            try put(text.contains("@") ? "\(side).user.email" : "\(side).user.name", text, name, &event)
        case "source.abuse_contact", "destination.abuse_contact":
            try list(name, value.plain, separator: ",", &event)
        case "product.vulnerabilities":
            try list("vulnerability.id", value.plain.uppercased(), separator: ";", &event)
            event[Key<String>("vulnerability.enumeration")] = "CVE"
        default:
            if name.hasPrefix("extra.") {
                addExtra(String(name.dropFirst(6)), value, to: &event)
            } else if let field = byName[name] {
                try put(field.name, value.plain, name, &event)
            } else if let members = value.members, !members.isEmpty {
                for member in members { try add(name + "." + member.name, member.value, to: &event) }
            } else {
                throw Problem(422, "unknown-field", "no field \"\(name)\" in the old format")
            }
        }
    }

    /// Dotted names below `extra` are objects of `custom`. A name stays one member with dots where the way is blocked: the old
    /// format may have `extra.a` and `extra.a.b` beside each other.
    private static func addExtra(_ name: String, _ value: JSONValue, to event: inout Event) {
        guard !name.isEmpty else { return }
        let path = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        var there = event[custom: path[0]]
        var isBlocked = path.contains("") || path.count > 16
        for part in path.dropFirst() {
            guard let object = there else { break }
            if object.members == nil { isBlocked = true }
            there = object[part]
        }
        if isBlocked {
            guard let members = value.members, !members.isEmpty else { return event[custom: name] = value }
            for member in members { addExtra(name + "." + member.name, member.value, to: &event) }
        } else if let old = there?.members, !old.isEmpty {
            if let members = value.members {
                for member in members { addExtra(name + "." + member.name, member.value, to: &event) }
            } else {
                event.setCustom(path: path, to: value)
                for member in old { addExtra(name + "." + member.name, member.value, to: &event) }
            }
        } else {
            event.setCustom(path: path, to: value)
        }
    }

    private static func put(_ field: String, _ text: String, _ name: String, _ event: inout Event) throws(Problem) {
        let id = FieldID(field)!
        guard event.add(id, text: text) else {
            throw Problem(422, "invalid-value", "\(name) is \"\(text.prefix(80))\", wanted \(id.field.type.wanted)")
        }
    }

    private static func list(_ field: String, _ text: String, separator: Character, _ event: inout Event) throws(Problem) {
        let values = text.split(separator: separator).map { $0.drop(while: { $0 == " " }) }.map { value in
            String(value.reversed().drop(while: { $0 == " " }).reversed())
        }
        guard let key = Key<String>(named: field) else { return }
        guard values.count <= 256 else {
            throw Problem(422, "too-many-values", "\(field) has \(values.count) values; at most 256 are allowed")
        }
        event.set(key, to: values.filter { !$0.isEmpty }.map { key.id.field.type == .lowercase ? $0.lowercased() : $0 })
    }
}

extension Event {
    /// Sets a field to a JSON value as it is. Only for fields whose type is JSON.
    public mutating func setJSON(_ field: FieldID, _ value: JSONValue) {
        let start = own.count
        value.append(to: &own)
        adopt(field, from: start, kind: JSONKind(rawValue: own[start]) ?? .number, hasEscapes: own[start] == 0x22)
    }
}
