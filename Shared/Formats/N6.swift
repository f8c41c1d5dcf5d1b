public import IDF

/// The events of n6 (CERT Polska), RecordDict or REST and Stream API, both ways.
///
/// n6 → IDF → n6 is the identity, times in the form of n6's pipeline: what an event's fields cannot say is kept in `n6.*` by its
/// key; `n6.internal` holds the keys that begin with `_`. IDF → n6 → IDF loses nothing but the event's UUID when the rest is carried,
/// in the key `intelmq`.
public enum N6 {
    /// Converts an n6 event.
    /// - Parameter event: what it is added to: a new event, or one that has the fields of the feed, which stay.
    public static func add(_ object: JSONValue, to event: inout Event) throws(Problem) {
        guard object.members != nil else { throw Problem(422, "not-n6", "an n6 event is a JSON object, found something else") }
        let object = normalised(object)
        let fixed = Set(event.fields.map(\.name))
        try read(object, &event)
        if let rest = object["intelmq"], !Carried.restore(rest, into: &event, fixed: fixed).isEmpty {
            event.setFree("n6", "intelmq", to: rest)
        }
        for key in verbatim { event.setFree("n6", key, to: object[key]) }
        let back = record(event, carryRest: false)
        var kept = Event()
        // What n6 requires is made where it is missing.
        let made = ["id", "rid", "source", "restriction", "confidence", "time"].filter { object[$0] == nil }
        Carried.keep(object, comparedWith: back, except: Set(made + ["intelmq"]), root: "n6", in: &kept)
        var inner: [JSONValue.Member] = []
        for member in kept.freeMembers("n6") {
            if member.name.hasPrefix("_") {
                inner.append(.init(String(member.name.dropFirst()), member.value))
            } else {
                event.setFree("n6", member.name, to: inward(member.name, member.value))
            }
        }
        if !inner.isEmpty { event.setFree("n6", "internal", to: .object(inner)) }
    }

    /// The same event in the one form that n6's pipeline has: times without zone in UTC, a single address as a list.
    public static func normalised(_ object: JSONValue) -> JSONValue {
        var members = Members()
        for member in object.members ?? [] {
            var value = member.value
            if times.contains(member.name), let time = value.string.flatMap(moment) { value = .string(text(time)) }
            if member.name == "address", value.members != nil { value = .array([value]) }
            if ["md5", "sha1", "sha256"].contains(member.name), let text = value.string { value = .string(text.lowercased()) }
            members[member.name] = value
        }
        return .object(members.list)
    }

    private static func read(_ object: JSONValue, _ event: inout Event) throws(Problem) {
        let name = object["category"]?.string ?? ""
        guard let category = categories[name] else {
            let known = categories.keys.sorted().joined(separator: ", ")
            throw Problem(422, "unknown-category", "found the category \"\(name.prefix(40))\", wanted one of \(known)")
        }
        event[.classificationType] = category.type
        if let identifier = category.identifier { event[Key<String>("intelmq.classification.identifier")] = identifier }
        for key in ["time", "until"] {
            guard let value = object[key] else { continue }
            guard let time = value.string.flatMap(moment) else {
                throw Problem(422, "invalid-value", "\(key) is \(shown(value)), wanted a time like 2026-11-20 12:00:00")
            }
            event[key == "time" ? Key<Timestamp>.timestamp : Key<Timestamp>("event.end")] = time
        }
        try readAddress(object["address"], &event)
        for column in columns { if let value = object[column.key] { event.fill(column.field, [value]) } }
        for list in lists { if let values = object[list.key]?.items { event.fill(list.field, values) } }
        if let value = object["sport"] { event.fill("source.port", [value]) }
        if let value = object["dport"] {
            let isOwn = !category.isClient && object["sport"] == nil && object["dip"] == nil
            event.fill(isOwn ? "source.port" : "destination.port", [value])
        }
        if let value = object["fqdn"] { event.fill(category.isClient ? "destination.domain" : "source.domain", [value]) }
        if let value = object["username"] {
            event.fill(category.isClient ? "destination.user.name" : "source.user.name", [value])
        }
        if let value = object["name"] {
            if category.namesMalware { event.fill("threat.software.name", [value]) }
            if !category.namesMalware { event.fill("intelmq.classification.identifier", [value]) }
        }
        if let confidence = object["confidence"]?.string, let accuracy = ["low": 33, "medium": 66, "high": 100][confidence] {
            event[Key<String>("threat.indicator.confidence")] = confidence.prefix(1).uppercased() + confidence.dropFirst()
            event.fill("threat.feed.accuracy", [.integer(accuracy)])
        }
        if let label = object["restriction"]?.string.flatMap({ tlp[$0] }) {
            event.fill("threat.indicator.marking.tlp", [.string(label)])
        }
        let parts = (object["source"]?.string ?? "").split(separator: ".", maxSplits: 1).map { JSONValue.string(String($0)) }
        if parts.count == 2 {
            event.fill("threat.indicator.provider", [parts[0]])
            event.fill("threat.feed.name", [parts[1]])
        }
    }

    private static func readAddress(_ value: JSONValue?, _ event: inout Event) throws(Problem) {
        guard let value else { return }
        var (ips, numbers, countries, names): ([IPAddress?], [UInt32?], [String?], [String?]) = ([], [], [], [])
        for item in value.items ?? [value] {
            guard let ip = (item["ip"] ?? item["ipv6"])?.string.flatMap({ IPAddress($0) }), ips.count < 256 else {
                throw Problem(
                    422, "invalid-value", "address holds \(shown(item)), wanted at most 256 objects like {\"ip\": \"192.0.2.1\"}")
            }
            ips.append(ip)
            numbers.append(item["asn"]?.integer.flatMap { UInt32(exactly: $0) }.flatMap { $0 == 0 ? nil : $0 })
            var probe = Event()
            probe.fill("source.geo.country_iso_code", [item["cc"] ?? .null])
            probe.fill("source.reverse_dns", [item["rdns"] ?? .null])
            countries.append(probe[Key<String>("source.geo.country_iso_code")].flatMap { item["cc"] == nil ? nil : $0 })
            names.append(probe[Key<String>("source.reverse_dns")].flatMap { item["rdns"] == nil ? nil : $0 })
        }
        event.set(.sourceIP, to: ips)
        event.set(.sourceASNumber, to: numbers)
        event.set(Key<String>("source.geo.country_iso_code"), to: countries)
        event.set(Key<String>("source.reverse_dns"), to: names)
    }

    /// An event as n6 sees it without what is kept in `n6.*`: what is to be carried beside it is found with this.
    static func event(of record: JSONValue) -> Event {
        var event = Event()
        try? read(record, &event)
        return event
    }

    static let tlp = ["public": "CLEAR", "need-to-know": "AMBER", "internal": "RED"]

    static func moment(_ text: String) -> Timestamp? {
        var probe = Event()
        return probe.add(Key<Timestamp>.timestamp.id, text: text) ? probe[.timestamp] : nil
    }

    /// `2026-11-20 12:00:00`, with six digits of a fraction where there is one.
    static func text(_ time: Timestamp) -> String {
        var text = time.description.replacing("T", with: " ")
        text.removeLast()
        guard let point = text.lastIndex(of: ".") else { return text }
        let digits = text[point...].dropFirst().prefix(6)
        if digits.allSatisfy({ $0 == "0" }) { return String(text[..<point]) }
        return text[..<point] + "." + digits + String(repeating: "0", count: 6 - digits.utf8.count)
    }

    static func shown(_ value: JSONValue) -> String { String(decoding: value.bytes.prefix(80), as: UTF8.self) }

    /// Objects with addresses and names for keys become lists: names in a packet have no dots.
    private static func inward(_ key: String, _ value: JSONValue) -> JSONValue {
        func list(_ object: JSONValue, _ name: String, _ values: String) -> JSONValue? {
            object.members.map { .array($0.map { .object([.init(name, .string($0.name)), .init(values, $0.value)]) }) }
        }
        switch key {
        case "urls_matched": return list(value, "client", "urls") ?? value
        case "enriched":
            guard let items = value.items, items.count == 2, let addresses = list(items[1], "ip", "keys") else { return value }
            return .object(["keys": items[0], "addresses": addresses])
        default: return value
        }
    }

    static func outward(_ key: String, _ value: JSONValue) -> JSONValue {
        func object(_ list: JSONValue?, _ name: String, _ values: String) -> JSONValue? {
            list?.items.map { .object($0.map { .init($0[name]?.string ?? "", $0[values] ?? .null) }) }
        }
        switch key {
        case "urls_matched": return object(value, "client", "urls") ?? value
        case "enriched":
            guard let keys = value["keys"], let addresses = object(value["addresses"], "ip", "keys") else { return value }
            return .array([keys, addresses])
        default: return value
        }
    }
}
