import IDF

/// Events with any of the fields, always the same ones.
struct Samples {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func number(_ limit: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(limit))
    }

    private static func text(_ field: Field, _ number: Int) -> String {
        switch field.type {
        case .ip: number % 3 == 0 ? "2001:db8::\(number % 100)" : "192.0.2.\(number % 250)"
        case .network: "192.0.2.0/24"
        case .domain: "a\(number).example"
        case .url: "http://a.example/\(number)"
        case .time: "2026-11-20T12:00:\(10 + number % 50)Z"
        case .asn, .integer, .port: "\(1 + number)"
        case .float, .latitude, .longitude, .accuracy: "\(number % 80).5"
        case .boolean: number % 2 == 0 ? "true" : "false"
        case .countryCode: ["AT", "PL"][number % 2]
        case .registry: "RIPE"
        case .taxonomy: "malicious-code"
        case .classification: ClassificationType.all[number % ClassificationType.all.count].name
        case .tlp: ["CLEAR", "GREEN", "AMBER", "RED", "AMBER+STRICT"][number % 5]
        case .transport: ["tcp", "udp", "sctp"][number % 3]
        case .uuid: "0198f000-0000-7000-8000-00000000000a"
        case .eventHash: "ABCDEF"
        case .base64: "/wA="
        default:
            ["word\(number)", "mit Ümläuten ☂", "\"quoted\"\nlines"][
                field.type == .keyword || field.type == .text ? number % 3 : 0]
        }
    }

    mutating func event() -> Event {
        var event = Event()
        for field in Field.all where field.name != "intelmq.output" && field.name != "intelmq.raw_base64" && number(4) == 0 {
            guard let id = FieldID(field.name) else { continue }
            var values: [JSONValue] = []
            for _ in 0...(field.isMany ? number(3) : 0) {
                var probe = Event()
                if probe.add(id, text: Self.text(field, number(60000))), let value = probe.json(id), !values.contains(value) {
                    values.append(value)
                }
            }
            if let first = values.first { event.setJSON(id, values.count == 1 ? first : .array(values)) }
        }
        if number(2) == 0 { event[custom: "a b"] = .object(["x": .array([.null, .integer(number(9))])]) }
        return event
    }
}

extension Event {
    /// Everything but the identity and what is kept for another format.
    func content(without root: String) -> JSONValue {
        var copy = self
        copy.removeFree(root)
        var members: [JSONValue.Member] = []
        for field in copy.fields where !["custom", "n6", "idea", "misp"].contains(field.name) {
            members.append(.init(field.name, copy.json(field) ?? .null))
        }
        for root in ["custom", "n6", "idea", "misp"] {
            let free = copy.freeMembers(root)
            if !free.isEmpty { members.append(.init(root, .object(free))) }
        }
        return JSONValue.object(members).sorted
    }

    /// As the next service gets it.
    func sent() throws -> Event { try Packet(decoding: Packet(events: [self]).encoded()).events[0] }
}

func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: text.utf8) }
