extension DHO {
    /// Converts an event into an old message with the old field names; lists give their first value, as the old format has
    /// one value per field, save where it joins several in one text. What the old format has no field for is left out.
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
                let side = row.name.prefix { $0 != "." }
                // The name is the account where both are there.
                if FieldID("\(side).user.name").map(event.has) != true { members.append(.init("\(side).account", first)) }
            case "source.abuse_contact", "destination.abuse_contact":
                members.append(.init(row.name, .string((value.items ?? [value]).map(\.plain).joined(separator: ","))))
            case "vulnerability.id":
                let all = (value.items ?? [value]).map { $0.plain.lowercased() }
                members.append(.init("product.vulnerabilities", .string(all.joined(separator: ";"))))
            case "intelmq.output":
                // A text that is no JSON is there as it came.
                let isText = value.string.map { (try? JSONValue(parsing: $0.utf8)) == nil } ?? false
                members.append(.init("output", .string(isText ? value.plain : String(decoding: value.bytes, as: UTF8.self))))
            case "custom":
                for member in event.freeMembers("custom") { extra("extra." + member.name, member.value, &members) }
            default:
                if let dho = row.dho { members.append(.init(dho, spelled(first, row.type))) }
            }
        }
        members.append(.init("__type", .string(type)))
        return .object(members)
    }

    /// Converts a report into an old one: its content in base64 as `raw`, the name of its file as `extra.file_name`.
    public static func message(_ report: Report) -> JSONValue {
        var fields = report.fields
        if let name = fields[.fileName] { fields[custom: "file_name"] = .string(name) }
        fields.remove(.fileName)
        report.content.withBytes { fields.setOriginal($0) }
        return message(fields, type: "Report")
    }

    /// As Python writes it: times with an offset and none or six digits behind the point, floats with a fraction.
    private static func spelled(_ value: JSONValue, _ type: FieldType) -> JSONValue {
        switch (type, value) {
        case (.time, .string(let text)) where text.hasSuffix("Z"):
            let time = String(text.dropLast())
            let digits = time.lastIndex(of: ".").map { time[$0...].utf8.count - 1 } ?? 6
            return .string(time + String(repeating: "0", count: max(0, 6 - digits)) + "+00:00")
        case (.float, .number(let text)), (.accuracy, .number(let text)), (.latitude, .number(let text)),
            (.longitude, .number(let text)):
            return .number(text.utf8.allSatisfy { $0 < 0x3A && $0 != 0x2E } ? text + ".0" : text)
        default: return value
        }
    }

    /// Objects become dotted names, as the old parsers wrote them, unless a name within would be no name there.
    private static func extra(_ name: String, _ value: JSONValue, _ members: inout [JSONValue.Member]) {
        if let inner = value.members, !inner.isEmpty, isNamed(value) {
            for member in inner { extra(name + "." + member.name, member.value, &members) }
        } else {
            members.append(.init(name, value))
        }
    }

    private static func isNamed(_ value: JSONValue) -> Bool {
        (value.members ?? []).allSatisfy { member in
            !member.name.isEmpty && isNamed(member.value)
                && member.name.utf8.allSatisfy { $0 >= 0x61 && $0 <= 0x7A || $0 >= 0x30 && $0 <= 0x39 || $0 == 0x5F }
        }
    }
}
