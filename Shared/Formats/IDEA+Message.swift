public import IDF

extension IDEA {
    /// Converts an event into an alert.
    /// - Parameters:
    ///   - carryRest: whether fields that IDEA has no place for travel in the member `_IDF`.
    ///   - isTest: adds the category Test, which tells receivers to take no measures.
    public static func message(_ event: Event, carryRest: Bool = false, isTest: Bool = false) -> JSONValue {
        var alert = Members([.init("Format", .string("IDEA0")), .init("ID", .string(event.id.description))])
        let (happened, seen) = (event[.timestamp], event[.created])
        alert["DetectTime"] = .string((seen ?? happened ?? .now()).description)
        if seen != nil, seen != happened { alert["EventTime"] = happened.map { .string($0.description) } }
        alert["CeaseTime"] = event[Key<Timestamp>("event.end")].map { .string($0.description) }
        var categories: [JSONValue] = []
        for type in event.all(.classificationType) {
            let category = JSONValue.string(ClassificationType(type)?.ideaCategory ?? "Other")
            if !categories.contains(category) { categories.append(category) }
        }
        if isTest { categories.append(.string("Test")) }
        alert["Category"] = .array(categories.isEmpty ? [.string("Other")] : categories)
        if let accuracy = event[Key<Double>("threat.feed.accuracy")] {
            let whole = Int(accuracy)
            alert["Confidence"] = .number(accuracy == 100 ? "1" : accuracy == 0 ? "0" : "\(accuracy / 100)")
            if Double(whole) == accuracy, whole % 100 != 0 { alert["Confidence"] = .number("0." + hundredths(whole)) }
        }
        for (name, field) in single { alert[name] = event.first(field) }
        if let feed = event[.feedName], let text = alert["Description"]?.string {
            alert["Description"] = .string("\(feed): \(text)")
        }
        var references: [JSONValue] = []
        for (prefix, field) in prefixes {
            references += event.values(field).filter { $0 != .null }.map { .string(prefix + $0.plain) }
        }
        references += (event.values("event.reference") + event.values("intelmq.screenshot_url")).filter { $0 != .null }
        alert["Ref"] = references.isEmpty ? nil : .array(references)
        alert["RelID"] = event.first("event.hash").map { .array([.string("hash:" + $0.plain)]) }
        alert["Source"] = end(event, .source)
        alert["Target"] = end(event, .destination)
        alert["Attach"] = attachments(event)
        alert["Node"] = event.first("observer.name").map { .array([.object(["Name": $0])]) }
        for member in event.freeMembers("idea") where member.name != "_IDF" { alert[member.name] = member.value }
        if isTest, let items = alert["Category"]?.items, !items.contains(.string("Test")) {
            alert["Category"] = .array(items + [.string("Test")])
        }
        if carryRest {
            var copy = Event()
            try? read(.object(alert.list), &copy)
            alert["_IDF"] = Carried.rest(of: event, comparedWith: copy, leaving: ["idea", "intelmq.output"])
        }
        return .object(alert.list)
    }

    private static func hundredths(_ number: Int) -> String {
        number % 10 == 0 ? String(number / 10) : (number < 10 ? "0" : "") + String(number)
    }

    private static func end(_ event: Event, _ side: Side) -> JSONValue? {
        var group = Members()
        func put(_ name: String, _ values: [JSONValue]) {
            let values = values.filter { $0 != .null }
            if !values.isEmpty { group[name] = .array(values) }
        }
        let isSource = side == .source
        for (name, field) in lists(side) { put(name, event.values(field)) }
        let addresses = event.values(isSource ? "source.ip" : "destination.ip")
        put("IP4", addresses.filter { !$0.plain.contains(":") })
        put("IP6", addresses.filter { $0.plain.contains(":") })
        let locals = event.values(isSource ? "source.local_ip" : "destination.local_ip")
        put("LocalIP4", locals.filter { !$0.plain.contains(":") })
        put("LocalIP6", locals.filter { $0.plain.contains(":") })
        if event.first(isSource ? "source.tor_node" : "destination.tor_node") == .boolean(true) { put("Type", [.string("Tor")]) }
        guard !group.list.isEmpty else { return nil }
        put("Proto", event.values("network.transport") + event.values("network.protocol"))
        return .array([.object(group.list)])
    }

    private static func attachments(_ event: Event) -> JSONValue? {
        var list: [JSONValue] = []
        if let bytes = event.originalBytes {
            var one = Members([.init("Type", .array([.string("OrigData")]))])
            if let text = event[.original] {
                one["Content"] = .string(text)
            } else {
                one["Content"] = .string(Base64.encode(bytes))
                one["ContentEncoding"] = .string("base64")
            }
            one["Ref"] = event.first("threat.feed.url").map { .array([$0]) }
            list.append(.object(one.list))
        }
        let sums = hashes.flatMap { prefix, field -> [JSONValue] in
            event.values(field).filter { $0 != .null }.map { .string(prefix + $0.plain) }
        }
        if !sums.isEmpty { list.append(.object(["Type": .array([.string("Malware")]), "Hash": .array(sums)])) }
        return list.isEmpty ? nil : .array(list)
    }
}
