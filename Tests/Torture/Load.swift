import Glibc
import IDF

/// A packet to be posted, as often as it takes.
struct Parcel: Sendable {
    let id: UUID
    let events: [UUID]
    let body: [UInt8]
}

/// Packets whose events can be checked at the other end by nothing but their id. Documentation addresses and names only
/// (RFC 5737, RFC 2606).
struct Load: Sendable {
    private let address: FieldID
    private let link: FieldID
    private let type: FieldID
    private let time: FieldID
    /// What the first and third hop make of the classification type.
    static let taxonomy = "malicious-code"

    init() throws(TortureError) {
        guard let address = FieldID("source.ip"), let link = FieldID("url.full"), let time = FieldID("@timestamp"),
            let type = FieldID("intelmq.classification.type")
        else { throw TortureError("the schema lacks source.ip, url.full, @timestamp or intelmq.classification.type") }
        self.address = address
        self.link = link
        self.type = type
        self.time = time
    }

    func parcel(events count: Int) -> Parcel {
        var packet = Packet()
        packet.meta.source = "torture"
        packet.meta.intakeAt = .now()
        for _ in 0..<count {
            var event = Event(reserving: 6)
            event.add(address, text: Self.address(of: event.id))
            event.add(link, text: Self.link(of: event.id))
            event.add(type, text: "infected-system")
            event.add(time, text: "2026-11-20T12:00:00Z")
            event[custom: "payload"] = .string(Self.payload(of: event.id))
            packet.events.append(event)
        }
        return Parcel(id: packet.meta.id, events: packet.events.map(\.id), body: packet.encoded())
    }

    /// One to 500 events; small packets are as frequent as large ones.
    static func size(_ dice: inout Dice) -> Int {
        switch Int.random(in: 0..<10, using: &dice) {
        case 0..<3: Int.random(in: 1...5, using: &dice)
        case 3..<7: Int.random(in: 1...100, using: &dice)
        default: Int.random(in: 1...500, using: &dice)
        }
    }

    static func address(of id: UUID) -> String {
        let network = ["192.0.2.", "198.51.100.", "203.0.113."][Int(id.low >> 8 & 0xFF) % 3]
        return network + String(id.low & 0xFF)
    }

    /// Whether somebody announces the address: all of the first two networks, and most of the third.
    static func isAnnounced(_ id: UUID) -> Bool { Int(id.low >> 8 & 0xFF) % 3 < 2 || id.low & 0xFF < 224 }

    static func link(of id: UUID) -> String {
        let word = String(id.low, radix: 16)
        return "http://host-\(word).example.net/\(String(id.high, radix: 16))?session=\(word)"
    }

    /// A text of 16 to about 900 bytes, some of them such that JSON must escape them or UTF-8 needs several.
    static func payload(of id: UUID) -> String {
        var dice = Dice(seed: id.high ^ id.low)
        let separators = [" ", "\"", "\\", "\n", "ü", "\u{1F41D}", "/", "\u{7}"]
        var text = ""
        for _ in 0...Int(dice.next() % 48) where text.utf8.count < 900 {
            text += String(dice.next() | 1 << 63, radix: 16)
            text += separators[Int(dice.next() % 8)]
        }
        return text
    }
}
