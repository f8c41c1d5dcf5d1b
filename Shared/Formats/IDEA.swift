public import IDF

/// Alerts in IDEA0 (CESNET's Warden), both ways.
///
/// IDEA → IDF → IDEA is the identity, times in UTC: what an event's fields cannot say (several sources with different ports, ranges of
/// addresses, counts…) is kept in `idea.*` by its name. IDF → IDEA → IDF loses nothing but the event's UUID when the rest is carried,
/// in the member `_IDF`.
public enum IDEA {
    private static let times = ["DetectTime", "CreateTime", "EventTime", "CeaseTime", "WinStartTime", "WinEndTime"]

    /// Types of categories that several types share, and of those that no type has.
    private static let types: [String: String] = [
        "Abusive": "spam", "Attempt": "ids-alert", "Attempt.NewSignature": "exploit", "Availability": "dos",
        "Availability.Outage": "outage", "Fraud": "masquerade", "Fraud.Masquerade": "masquerade", "Information": "data-leak",
        "Intrusion": "system-compromise", "Malware": "infected-system", "Other": "other", "Recon": "scanner", "Test": "test",
        "Vulnerable": "vulnerable-system", "Vulnerable.Config": "vulnerable-system", "Anomaly.Behaviour": "other",
    ]

    /// Converts an alert.
    /// - Parameter event: what it is added to: a new event, or one that has the fields of the feed, which stay.
    public static func add(_ object: JSONValue, to event: inout Event) throws(Problem) {
        guard object.members != nil else {
            throw Problem(422, "not-idea", "an IDEA alert is a JSON object, found something else")
        }
        if let format = object["Format"]?.plain, format != "IDEA0" {
            throw Problem(422, "not-idea", "found the format \"\(format.prefix(40))\", wanted IDEA0")
        }
        let object = normalised(object)
        let fixed = Set(event.fields.map(\.name))
        try read(object, &event)
        if let rest = object["_IDF"], !Carried.restore(rest, into: &event, fixed: fixed).isEmpty {
            event.setFree("idea", "_IDF", to: rest)
        }
        event.setFree("idea", "ID", to: object["ID"])
        Carried.keep(
            object, comparedWith: message(event, carryRest: false), except: ["_IDF", "ID"], root: "idea", in: &event)
    }

    /// The same alert with its times in UTC, as `2026-11-20T12:00:00Z`.
    public static func normalised(_ object: JSONValue) -> JSONValue {
        .object(
            (object.members ?? []).map { member in
                guard times.contains(member.name), let time = member.value.string.flatMap(N6.moment) else { return member }
                return .init(member.name, .string(time.description))
            })
    }

    static func read(_ object: JSONValue, _ event: inout Event) throws(Problem) {
        guard let categories = object["Category"]?.items?.compactMap(\.string), !categories.isEmpty else {
            throw Problem(422, "missing", "the alert has no Category, wanted a list like [\"Recon.Scanning\"]")
        }
        guard let detected = object["DetectTime"]?.string.flatMap(N6.moment) else {
            throw Problem(422, "missing", "the alert has no DetectTime, wanted a time like 2026-11-20T12:00:00Z")
        }
        event[.timestamp] = object["EventTime"]?.string.flatMap(N6.moment) ?? detected
        event[.created] = detected
        if let ceased = object["CeaseTime"]?.string.flatMap(N6.moment) { event[Key<Timestamp>("event.end")] = ceased }
        // Test says something of the others, so it is the least relevant.
        let ordered = categories.filter { $0 != "Test" } + categories.filter { $0 == "Test" }
        event.remove(.classificationType)
        event.fill("intelmq.classification.type", ordered.map { .string(type(of: $0)) })
        if let confidence = object["Confidence"]?.double, (0...1).contains(confidence) {
            event.fill("threat.feed.accuracy", [.string("\((confidence * 10_000).rounded() / 100)")])
        }
        for (name, field) in single { if let value = object[name] { event.fill(field, [value]) } }
        readReferences(object, &event)
        let groups = [("Source", Side.source), ("Target", Side.destination)]
        var protocols: [JSONValue] = []
        for (name, side) in groups {
            let all = object[name]?.items?.filter { $0.members != nil } ?? []
            for group in all { protocols += group["Proto"]?.items ?? [] }
            readEnd(all, side, &event)
        }
        event.fill("network.transport", protocols)
        var probe = Event()
        event.fill("network.protocol", protocols.filter { !probe.add(Key<String>("network.transport").id, text: $0.plain) })
        readAttachments(object["Attach"]?.items ?? [], &event)
        if let node = object["Node"]?.items?.first, let name = node["Name"] { event.fill("observer.name", [name]) }
    }

    /// Members that are one field each.
    static let single: [(String, StaticString)] = [
        ("Description", "message"), ("Note", "intelmq.comment"), ("ByteCount", "network.bytes"),
        ("PacketCount", "network.packets"),
    ]

    /// Lists of a source or a target that are a field each, by the side.
    static func lists(_ side: Side) -> [(String, StaticString)] {
        side == .source
            ? [
                ("Hostname", "source.domain"), ("Port", "source.port"), ("URL", "url.full"), ("ASN", "source.as.number"),
                ("MAC", "source.mac"), ("Email", "source.user.email"), ("Account", "source.user.name"),
                ("PTR", "source.reverse_dns"), ("LocalHostname", "source.local_hostname"),
            ]
            : [
                ("Hostname", "destination.domain"), ("Port", "destination.port"), ("URL", "destination.url.full"),
                ("ASN", "destination.as.number"), ("MAC", "destination.mac"), ("Email", "destination.user.email"),
                ("Account", "destination.user.name"), ("PTR", "destination.reverse_dns"),
                ("LocalHostname", "destination.local_hostname"),
            ]
    }

    /// Prefixes of references that stand for a field.
    static let prefixes: [(String, StaticString)] = [
        ("malid:", "intelmq.classification.identifier"), ("intelmq_feed:", "threat.feed.code"),
        ("misp_attr:", "misp.attribute_uuid"), ("misp_event:", "misp.event_uuid"), ("rtir:", "intelmq.rtir_id"),
    ]

    private static func readReferences(_ object: JSONValue, _ event: inout Event) {
        let references = object["Ref"]?.items?.compactMap(\.string) ?? []
        for (prefix, field) in prefixes {
            event.fill(field, references.filter { $0.hasPrefix(prefix) }.map { .string(String($0.dropFirst(prefix.count))) })
        }
        event.fill("event.reference", references.filter { $0.contains("://") }.map { .string($0) })
        if let hash = object["RelID"]?.items?.compactMap(\.string).first(where: { $0.hasPrefix("hash:") }) {
            event.fill("event.hash", [.string(String(hash.dropFirst(5)))])
        }
    }

    private static func readEnd(_ groups: [JSONValue], _ side: Side, _ event: inout Event) {
        func all(_ name: String) -> [JSONValue] { groups.flatMap { $0[name]?.items ?? [] } }
        let addresses = all("IP4") + all("IP6")
        let isSource = side == .source
        event.fill(isSource ? "source.ip" : "destination.ip", addresses.filter { !$0.plain.contains("/") })
        event.fill(isSource ? "source.network" : "destination.network", addresses.filter { $0.plain.contains("/") })
        event.fill(isSource ? "source.local_ip" : "destination.local_ip", all("LocalIP4") + all("LocalIP6"))
        for (name, field) in lists(side) { event.fill(field, all(name)) }
        if all("Type").contains(.string("Tor")) {
            event.fill(isSource ? "source.tor_node" : "destination.tor_node", [.boolean(true)])
        }
    }

    private static func readAttachments(_ attachments: [JSONValue], _ event: inout Event) {
        let hashes = attachments.flatMap { $0["Hash"]?.items?.compactMap(\.string) ?? [] }
        for (prefix, field) in IDEA.hashes {
            event.fill(field, hashes.filter { $0.hasPrefix(prefix) }.map { .string(String($0.dropFirst(prefix.count))) })
        }
        guard event.originalBytes == nil else { return }
        for one in attachments where one["Type"]?.items?.contains(.string("OrigData")) == true {
            guard let content = one["Content"]?.string else { continue }
            if one["ContentEncoding"]?.string == "base64" {
                if let bytes = Base64.decode(content.utf8) { event.setOriginal(bytes) }
            } else {
                event.setOriginal(Array(content.utf8))
            }
        }
    }

    static let hashes: [(String, StaticString)] = [
        ("md5:", "file.hash.md5"), ("sha1:", "file.hash.sha1"), ("sha256:", "file.hash.sha256"), ("sha512:", "file.hash.sha512"),
    ]

    private static func type(of category: String) -> String {
        if let type = types[category] { return type }
        if let type = ClassificationType.all.first(where: { $0.ideaCategory == category }) { return type.name }
        let word = String(category.prefix { $0 != "." })
        return word == category ? "other" : types[word] ?? "other"
    }
}
