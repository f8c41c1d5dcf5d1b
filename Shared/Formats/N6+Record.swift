internal import CCrypto
public import IDF

extension N6 {
    /// Converts an event into one of n6's pipeline, with all keys that n6 requires.
    ///
    /// Where an event does not say them: category other, confidence low, restriction need-to-know, time that of `event.created` or
    /// now, source `intelmq.events`. `rid` and `id` are made as n6 makes them.
    /// - Parameter carryRest: whether fields that n6 has no key for travel in the key `intelmq`, as those of n6's own adapter do.
    public static func record(_ event: Event, carryRest: Bool = true) -> JSONValue {
        let kept = event.freeMembers("n6")
        func own(_ key: String) -> JSONValue? { kept.first { $0.name == key }?.value }
        let name = own("category")?.string.flatMap { categories[$0] == nil ? nil : $0 } ?? category(event)
        let category = categories[name] ?? Category(type: "other")
        var record = Members()
        record["category"] = .string(name)
        record["source"] = .string(own("source")?.string ?? source(event))
        record["restriction"] = .string(restriction(event, own("restriction")?.string))
        record["confidence"] = .string(confidence(event))
        record["time"] = .string(text(event[.timestamp] ?? event[.created] ?? .now()))
        record["until"] = event[Key<Timestamp>("event.end")].map { .string(text($0)) }
        record["address"] = address(event)
        for column in columns {
            guard let value = event.first(column.field), fits(value, column.key, column.limit) else { continue }
            record[column.key] = value
        }
        for list in lists {
            let values = event.values(list.field).filter { $0 != .null && $0.plain.unicodeScalars.count <= list.limit }
            if !values.isEmpty { record[list.key] = .array(values) }
        }
        if !category.isClient, !event.has(Key<Int>.destinationPort.id), !event.has(Key<IPAddress>.destinationIP.id) {
            record["dport"] = event.first("source.port")
        } else {
            record["sport"] = event.first("source.port")
            record["dport"] = event.first("destination.port")
        }
        record["fqdn"] = event.first(category.isClient ? "destination.domain" : "source.domain")
        if let user = event.first(category.isClient ? "destination.user.name" : "source.user.name"), user.plain.count <= 64 {
            record["username"] = user
        }
        let word = category.namesMalware ? event.first("threat.software.name") : event.first("intelmq.classification.identifier")
        if let word, word.string != category.identifier, word.plain.utf8.count <= 255, word.plain.utf8.allSatisfy({ $0 < 0x80 }) {
            record["name"] = word
        }
        for member in kept where member.name != "restriction" && member.name != "category" {
            if member.name == "internal" {
                for one in member.value.members ?? [] { record["_" + one.name] = one.value }
            } else {
                record[member.name] = outward(member.name, member.value)
            }
        }
        if carryRest {
            // n6's own line is no news to n6.
            var leaving: Set<String> = ["n6", "intelmq.output"]
            if own("id") != nil { leaving.formUnion(["event.original", "intelmq.raw_base64"]) }
            let copy = Self.event(of: .object(record.list))
            if let rest = Carried.rest(of: event, comparedWith: copy, leaving: leaving) { record["intelmq"] = rest }
        }
        if own("rid") == nil, own("id") == nil {
            let source = record["source"]?.string ?? ""
            let seconds = (event[.created] ?? event[.timestamp] ?? .now()).unixSeconds
            record["rid"] = .string(rid(source: source, seconds: seconds, body: event.originalBytes ?? event.id.bytes))
        }
        if own("id") == nil { record["id"] = .string(id(of: .object(record.list))) }
        return .object(record.list)
    }

    /// The id that n6 gives a report: MD5 over its source, when it was made, and its bytes.
    public static func rid(source: String, seconds: Int64, body: [UInt8]) -> String {
        md5(Array("\(source)\0\(seconds)\0".utf8) + body)
    }

    /// The id that n6 gives an event: MD5 over its sorted items, but `id` and those beginning with `_`.
    public static func id(of record: JSONValue) -> String {
        let items = (record.members ?? []).filter { $0.name != "id" && !$0.name.hasPrefix("_") }.sorted {
            $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }
        let lines = items.map { Array("\($0.name),".utf8) + hashed($0.value) }
        return md5(Array(lines.joined(separator: [0x0A])))
    }

    private static func hashed(_ value: JSONValue) -> [UInt8] {
        switch value {
        case .array(let items):
            Array(items.map(hashed).sorted { $0.lexicographicallyPrecedes($1) }.joined(separator: [0x2C]))
        case .object: represented(value)
        case .boolean(let value): [value ? 0x31 : 0x30]
        default: Array(value.plain.utf8)
        }
    }

    /// Objects as Python 2 shows them, keys sorted: `{'asn': 1, 'ip': '192.0.2.1'}`.
    private static func represented(_ value: JSONValue) -> [UInt8] {
        switch value {
        case .object(let members):
            let sorted = members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
            let items = sorted.map { represented(.string($0.name)) + Array(": ".utf8) + represented($0.value) }
            return [0x7B] + items.joined(separator: Array(", ".utf8)) + [0x7D]
        case .array(let items): return [0x5B] + items.map(represented).joined(separator: Array(", ".utf8)) + [0x5D]
        case .string(let text): return quoted(text)
        case .boolean(let value): return Array((value ? "True" : "False").utf8)
        case .null: return Array("None".utf8)
        case .number(let text): return Array(text.utf8)
        }
    }

    private static func quoted(_ text: String) -> [UInt8] {
        let mark: UInt8 = text.utf8.contains(0x27) && !text.utf8.contains(0x22) ? 0x22 : 0x27
        var out = [mark]
        for byte in text.utf8 {
            switch byte {
            case mark, 0x5C: out += [0x5C, byte]
            case 0x0A: out += Array("\\n".utf8)
            case 0x0D: out += Array("\\r".utf8)
            case 0x09: out += Array("\\t".utf8)
            case 0x20..<0x7F: out.append(byte)
            default: out += Array((byte < 16 ? "\\x0" : "\\x").utf8) + Array(String(byte, radix: 16).utf8)
            }
        }
        return out + [mark]
    }

    private static func md5(_ bytes: [UInt8]) -> String {
        var digest = [UInt8](repeating: 0, count: 16)
        precondition(ccrypto_md5(bytes, bytes.count, &digest) == 1, "libcrypto has no MD5")
        return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func category(_ event: Event) -> String {
        let type = event[.classificationType] ?? "other"
        if let identifier = event[Key<String>("intelmq.classification.identifier")], let category = categories[identifier],
            category.identifier == identifier, category.type == type
        {
            return identifier
        }
        if type == "spam", event.has(Key<String>("url.full").id), !event.has(Key<IPAddress>.sourceIP.id) { return "spam-url" }
        return categoryOfType[type] ?? "other"
    }

    /// What n6 said, unless the label has been changed since; who says nothing does not say that everybody may know.
    private static func restriction(_ event: Event, _ kept: String?) -> String {
        let label = event[Key<String>("threat.indicator.marking.tlp")]
        if let kept, label == nil || label == tlp[kept] { return kept }
        switch label {
        case "WHITE", "CLEAR": return "public"
        case "GREEN", nil: return "need-to-know"
        default: return "internal"
        }
    }

    private static func confidence(_ event: Event) -> String {
        let word = event[Key<String>("threat.indicator.confidence")]?.lowercased() ?? ""
        if ["low", "medium", "high"].contains(word) { return word }
        let accuracy = event[Key<Double>("threat.feed.accuracy")] ?? 0
        return accuracy < 34 ? "low" : accuracy < 67 ? "medium" : "high"
    }

    private static func source(_ event: Event) -> String {
        func label(_ text: String?, _ fallback: String, _ limit: Int) -> String {
            let bytes = (text ?? "").lowercased().utf8.map { byte -> UInt8 in
                byte >= 0x61 && byte <= 0x7A || byte >= 0x30 && byte <= 0x39 ? byte : 0x2D
            }
            return bytes.isEmpty ? fallback : String(decoding: bytes.prefix(limit), as: UTF8.self)
        }
        let provider = label(event[Key<String>("threat.indicator.provider")], "intelmq", 15)
        return provider + "." + label(event[.feedName] ?? event[Key<String>("threat.feed.code")], "events", 16)
    }

    private static func address(_ event: Event) -> JSONValue? {
        let numbers = event.aligned(.sourceASNumber)
        let countries = event.aligned(Key<String>("source.geo.country_iso_code"))
        var items: [JSONValue] = []
        var seen: Set<String> = []
        for (index, ip) in event.aligned(.sourceIP).enumerated() {
            guard let text = ip?.description, !text.contains(":"), text != "0.0.0.0", seen.insert(text).inserted else { continue }
            var item = Members([.init("ip", .string(text))])
            if index < numbers.count { item["asn"] = numbers[index].map { .integer($0) } }
            if index < countries.count { item["cc"] = countries[index].map { .string($0) } }
            items.append(.object(item.list))
        }
        return items.isEmpty || items.count > 63 ? nil : .array(items)
    }

    private static func fits(_ value: JSONValue, _ key: String, _ limit: Int) -> Bool {
        guard value.plain.utf8.count <= limit, words[key]?.contains(value.plain) != false else { return false }
        return !["dip", "ip_network"].contains(key) || !value.plain.contains(":")
    }
}
