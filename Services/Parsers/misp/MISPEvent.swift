import IDF
import ServiceKernel

/// What an event of MISP says of all its attributes.
struct MISPEvent {
    private let head: JSONValue
    private let page: String?
    private let tags: [Tag]

    private struct Tag {
        let text: String
        let lower: String
        /// The value of a machine tag, as `phishing` of `rsit:fraud="phishing"`.
        let value: String?

        init(_ text: String) {
            self.text = text
            lower = text.lowercased()
            let bytes = text.utf8
            let equals = bytes.indices.dropLast().first { bytes[$0] == 0x3D && bytes[bytes.index(after: $0)] == 0x22 }
            guard bytes.last == 0x22, let equals else {
                value = nil
                return
            }
            let inside = bytes[bytes.index(equals, offsetBy: 2)...].dropLast()
            value = inside.isEmpty ? nil : String(decoding: inside, as: UTF8.self)
        }
    }

    /// The year 2200: what lies beyond is no time of an event.
    private static let latest: Int64 = 7_258_118_400

    private static let eventUUID = Key<String>("misp.event_uuid").id
    private static let attributeUUID = Key<String>("misp.attribute_uuid").id
    private static let message = Key<String>("message").id
    private static let comment = Key<String>("intelmq.comment").id
    private static let reference = Key<String>("event.reference").id
    private static let tag = Key<String>("tags").id
    private static let software = Key<String>("threat.software.name").id
    private static let group = Key<String>("threat.group.name").id
    private static let severity = Key<Int>("event.severity")
    private static let start = Key<Timestamp>("event.start").id
    private static let end = Key<Timestamp>("event.end").id

    /// - Parameter feed: where the report was fetched; the event's page is on the same server.
    init(of head: JSONValue, feed: String?) {
        self.head = head
        tags = Self.tags(of: head)
        page = (head["id"]?.plain).flatMap { id in
            guard !id.isEmpty, id.utf8.allSatisfy({ $0 &- 0x30 < 10 }), let feed, let scheme = feed.firstRange(of: "://") else {
                return nil
            }
            let host = feed[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
            return feed[..<scheme.upperBound] + host + "/events/view/" + id
        }
    }

    private static func tags(of object: JSONValue) -> [Tag] {
        (object["Tag"]?.items ?? []).prefix(256).compactMap { $0["name"]?.string.map(Tag.init) }
    }

    /// The event of an attribute; nil for types that no field is for.
    func event(of attribute: JSONValue, from template: Event, malware: String?) throws(Rejection) -> Event? {
        guard let type = attribute["type"]?.string, let value = attribute["value"]?.string else {
            throw .missing("the attribute has no type or no value")
        }
        var event = template
        guard try MISPFields.put(value, type: type, into: &event) else { return nil }
        event.append(Self.eventUUID, text: head["uuid"]?.string ?? "")
        event.append(Self.attributeUUID, text: attribute["uuid"]?.string ?? "")
        event.fill(Self.message, text: attribute["category"]?.string)
        event.fill(Self.comment, text: attribute["comment"]?.string)
        event.fill(Self.reference, text: page)
        for time in [attribute["timestamp"], head["timestamp"], head["date"]] {
            guard let text = time?.plain else { continue }
            if let seconds = Int64(text) {
                guard (1...Self.latest).contains(seconds) else { continue }
                event[.timestamp] = Timestamp(unixSeconds: seconds)
            } else if !event.add(Key<Timestamp>.timestamp.id, text: text) {
                continue
            }
            break
        }
        if let text = attribute["first_seen"]?.string { event.add(Self.start, text: text) }
        if let text = attribute["last_seen"]?.string { event.add(Self.end, text: text) }
        if let level = head["threat_level_id"]?.plain { event.fill(Self.severity, ["1": 70, "2": 50, "3": 30][level]) }
        if let malware { event.append(Self.software, text: malware) }
        tell(Self.tags(of: attribute) + tags, in: &event)
        for (name, value) in [("info", head["info"]), ("org", (head["Orgc"] ?? head["Org"])?["name"])] where value?.string != nil
        {
            event.setFree("misp", name, to: value)
        }
        for name in ["type", "to_ids", "object_relation"] where attribute[name] != nil && attribute[name] != .null {
            event.setFree("misp", name, to: attribute[name])
        }
        return event
    }

    /// What tags say: the label, the type of incident (the attribute's own first), malware and actors; all of them stay tags.
    private func tell(_ tags: [Tag], in event: inout Event) {
        for tag in tags {
            event.append(Self.tag, text: tag.text)
            let lower = tag.lower
            if lower.hasPrefix("tlp:") { event.mark(lower) }
            guard let value = tag.value else { continue }
            if lower.hasPrefix("rsit:") || lower.hasPrefix("ecsirt:") {
                let blanks = String(value.map { $0 == "-" ? " " : $0 })
                event.fill(.classificationType, (ClassificationType(value) ?? ClassificationType(blanks))?.name)
            } else if lower.hasPrefix("misp-galaxy:threat-actor") || lower.hasPrefix("misp-galaxy:mitre-intrusion-set") {
                event.append(Self.group, text: value)
            } else if Self.galaxies.contains(where: { lower.hasPrefix("misp-galaxy:\($0)=") }), !event.has(Self.software) {
                event.append(Self.software, text: value)
            }
        }
        event.fill(.classificationType, "undetermined")
    }

    private static let galaxies = ["malpedia", "mitre-malware", "ransomware", "banker", "stealer", "backdoor", "rat", "botnet"]
}
