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

    /// Adds one old field with its value to an event.
    public static func add(_ name: String, _ value: JSONValue, to event: inout Event) throws(Problem) {
        let text = value.plain
        if case .null = value { return }
        switch name {
        case "raw":
            guard let bytes = Base64.decode(text.utf8) else { throw Problem(422, "invalid-value", "raw is no base64") }
            event.setOriginal(bytes)
        case "extra":
            let object = value.members ?? (try? JSONValue(parsing: text.utf8))?.members
            guard let object else { throw Problem(422, "invalid-value", "extra is no JSON object: \(text.prefix(80))") }
            for member in object { event[custom: member.name] = member.value }
        case "output":
            event.setJSON(FieldID("intelmq.output")!, (try? JSONValue(parsing: text.utf8)) ?? value)
        case "source.account", "destination.account":
            let side = name.prefix(while: { $0 != "." })
            try put(text.contains("@") ? "\(side).user.email" : "\(side).user.name", text, name, &event)
        case "source.abuse_contact", "destination.abuse_contact":
            try list(name, text, separator: ",", &event)
        case "product.vulnerabilities":
            try list("vulnerability.id", text.uppercased(), separator: ";", &event)
            event[Key<String>("vulnerability.enumeration")] = "CVE"
        default:
            if name.hasPrefix("extra.") {
                event.setCustom(path: name.dropFirst(6).split(separator: ".").map(String.init), to: value)
            } else if let field = byName[name] {
                try put(field.name, text, name, &event)
            } else {
                throw Problem(422, "unknown-field", "no field \"\(name)\" in the old format")
            }
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

    /// Converts an event into an old message with the old field names; lists give their first value, as the old format has
    /// one value per field, save where it joins several in one text.
    public static func message(_ event: Event, type: String = "Event") -> JSONValue {
        var members: [JSONValue.Member] = []
        for field in event.fields {
            let row = field.field
            guard let value = event.json(field) else { continue }
            let first = value.items.map { $0.first { if case .null = $0 { false } else { true } } ?? .null } ?? value
            switch row.name {
            case "event.original", "intelmq.raw_base64":
                members.append(.init("raw", .string(Base64.encode(event.originalBytes ?? []))))
            case "source.user.email", "destination.user.email":
                let name = row.name.hasPrefix("source") ? "source.account" : "destination.account"
                members.append(.init(name, first))
            case "source.abuse_contact", "destination.abuse_contact":
                members.append(.init(row.name, .string((value.items ?? [value]).map(\.plain).joined(separator: ","))))
            case "vulnerability.id":
                let all = (value.items ?? [value]).map { $0.plain.lowercased() }
                members.append(.init("product.vulnerabilities", .string(all.joined(separator: ";"))))
            case "intelmq.output": members.append(.init("output", .string(String(decoding: value.bytes, as: UTF8.self))))
            case "custom":
                members.append(contentsOf: event.freeMembers("custom").map { .init("extra." + $0.name, $0.value) })
            default:
                guard let dho = row.dho else { continue }
                if row.type == .time, let text = first.string, text.hasSuffix("Z") {
                    members.append(.init(dho, .string(text.dropLast() + "+00:00")))
                } else {
                    members.append(.init(dho, first))
                }
            }
        }
        members.append(.init("__type", .string(type)))
        return .object(members)
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
