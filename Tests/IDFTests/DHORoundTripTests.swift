import Foundation
import Testing

@testable import IDF

/// DHO → IDF → DHO is the identity.
@Suite struct DHORoundTripTests {
    /// Values in the form in which the old format keeps them, by type.
    private static func value(_ field: Field, _ random: inout some RandomNumberGenerator) -> JSONValue {
        let number = Int.random(in: 1...60000, using: &random)
        let octet = number % 256
        let text = ["plain", "mit Ümläuten ☂", "with \"quotes\", and \\ \n lines", "a@b.example", "\u{1F980} 0\u{7F}1"]
        switch field.dho ?? "" {
        case "raw": return .string(Base64.encode((0...octet).map { UInt8(($0 &* number) & 0xFF) }))
        case "output": return .string("{\"a\":[\(number),null],\"b\":{\"c\":\"x\"}}")
        case "source.account", "destination.account": return .string(number % 2 == 0 ? "user \(number)" : "u\(number)@a.example")
        case "source.abuse_contact", "destination.abuse_contact":
            return .string((0...number % 3).map { "abuse\($0)@a.example" }.joined(separator: ","))
        case "product.vulnerabilities": return .string((0...number % 3).map { "cve-2024-\($0)" }.joined(separator: ";"))
        default: break
        }
        switch field.type {
        case .ip: return .string(number % 2 == 0 ? "192.0.2.\(octet)" : "2001:db8::\(String(number, radix: 16))")
        case .network: return .string(number % 2 == 0 ? "192.0.2.0/24" : "2001:db8::/32")
        case .domain: return .string("a\(number).example")
        case .url: return .string("http://a\(number).example/x?y=\(number)#z")
        case .time: return .string("2026-11-20T12:00:\(10 + number % 50)\(number % 2 == 0 ? "" : ".000\(100 + octet)")+00:00")
        case .asn, .integer, .port: return .integer(number)
        case .float, .latitude, .longitude, .accuracy: return .number("\(number % 80).\(number % 2 == 0 ? 0 : 25)")
        case .boolean: return .boolean(number % 2 == 0)
        case .countryCode: return .string(["AT", "PL", "XZ"][number % 3])
        case .registry: return .string("RIPE")
        case .taxonomy: return .string("malicious-code")
        case .classification: return .string(["c2-server", "spam", "phishing"][number % 3])
        case .tlp: return .string(["WHITE", "GREEN", "AMBER", "RED"][number % 4])
        case .transport: return .string(["tcp", "udp", "icmp"][number % 3])
        case .lowercase, .printableLowercase: return .string("low \(number)")
        case .printable, .fileHash: return .string("Printable \(number)")
        case .eventHash: return .string("ABCDEF\(number)")
        case .uuid: return .string("0198f000-0000-7000-8000-0000000\(10000 + number % 90000)")
        default: return .string(text[number % text.count])
        }
    }

    private static func extra(_ depth: Int, _ random: inout some RandomNumberGenerator) -> JSONValue {
        switch Int.random(in: 0...(depth > 0 ? 9 : 7), using: &random) {
        case 0: .null
        case 1: .boolean(true)
        case 2: .number("2.50")
        case 3: .integer(Int.random(in: -1_000_000...1_000_000, using: &random))
        case 4: .array([.integer(1), .string("x"), .object(["A b": .null])])
        case 5: .object([])
        case 6: .object(["Upper": .object(["a": .integer(1)]), "b": .string("")])
        default: .string("text \"\(Int.random(in: 0...99, using: &random))\" \u{0} ü")
        }
    }

    private static func message(_ random: inout some RandomNumberGenerator) -> JSONValue {
        var members: [JSONValue.Member] = []
        for field in Field.all where Int.random(in: 0...2, using: &random) == 0 {
            if let dho = field.dho { members.append(.init(dho, value(field, &random))) }
        }
        let names = ["a", "b.c", "b.d.e", "b.d", "os.name", "x_1", "b", "Feed.Name", "b.d.e.f", "..", "a.", "-", "a.c"]
        for name in names where Bool.random(using: &random) {
            let value = extra(1, &random)
            // Of null there is no trace in the old format's messages.
            if value != .null { members.append(.init("extra." + name, value)) }
        }
        members.shuffle(using: &random)
        return .object(members + [.init("__type", .string("Event"))])
    }

    /// Objects below `extra` and dotted names say the same, in every case but that of values in the way.
    private static func flat(_ message: JSONValue) -> [String: JSONValue] {
        var found: [String: JSONValue] = [:]
        func add(_ name: String, _ value: JSONValue) {
            if name.hasPrefix("extra."), let members = value.members, !members.isEmpty {
                for member in members { add(name + "." + member.name, member.value) }
            } else {
                found[name] = value
            }
        }
        for member in message.members ?? [] { add(member.name, member.value) }
        // An empty object beside what is in it says nothing.
        for (name, value) in found where value == .object([]) && found.keys.contains(where: { $0.hasPrefix(name + ".") }) {
            found[name] = nil
        }
        return found
    }

    private static func differences(_ message: JSONValue, _ back: JSONValue) -> [String] {
        let (before, after) = (flat(message), flat(back))
        return Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }.sorted().map {
            "\($0): \(shown(before[$0])) became \(shown(after[$0]))"
        }
    }

    private static func shown(_ value: JSONValue?) -> String {
        value.map { String(decoding: $0.bytes, as: UTF8.self) } ?? "nothing"
    }

    @Test func generatedMessagesComeBack() throws {
        var random = SeededGenerator(seed: 20_261_120)
        for _ in 0..<300 {
            let message = Self.message(&random)
            let event = try DHO.event(message)
            let read = try Packet(decoding: Packet(events: [event]).encoded()).events[0]
            let back = DHO.message(read)
            #expect(Self.differences(message, back) == [])
            #expect(Set((back.members ?? []).map(\.name)).count == back.members?.count)
            #expect(Self.differences(message, DHO.message(try DHO.event(back))) == [])
        }
    }

    @Test func hierarchicalIsTheSameAsFlat() throws {
        let flat = try DHO.event(
            try JSONValue(parsing: #"{"source.ip":"192.0.2.1","source.geolocation.cc":"AT","extra.a":1}"#.utf8))
        let nested = try DHO.event(
            try JSONValue(parsing: #"{"source":{"ip":"192.0.2.1","geolocation":{"cc":"AT"}},"extra":{"a":1}}"#.utf8))
        #expect(DHO.message(flat) == DHO.message(nested))
    }

    @Test func reportsComeBack() throws {
        for raw in ["", "YQ==", "/wA="] {
            var members: [JSONValue.Member] = [
                .init("feed.name", .string("A feed")), .init("feed.url", .string("http://a.example/x")),
                .init("feed.accuracy", .number("100.0")), .init("rtir_id", .integer(7)), .init("raw", .string(raw)),
                .init("time.observation", .string("2026-11-20T12:00:00+00:00")), .init("extra.file_name", .string("x.csv")),
                .init("extra.email_subject", .string("S")), .init("__type", .string("Report")),
            ]
            guard case .report(let report) = try DHO.item(.object(members)) else { throw Problem(0, "", "no report") }
            #expect(report.fileName == "x.csv")
            #expect(report.content.array == Base64.decode(raw.utf8))
            let read = try Packet(decoding: Packet(reports: [report]).encoded()).reports[0]
            let back = DHO.message(read).members ?? []
            if raw.isEmpty { members.removeAll { $0.name == "raw" } }
            #expect(Set(back.filter { $0.name != "raw" || !raw.isEmpty }) == Set(members))
        }
        #expect(throws: Problem.self) { try DHO.item(.object(["__type": .string("Foo")])) }
    }

    @Test func dumpFilesComeBack() throws {
        let text = #"""
            {"2026-11-20T12:00:00":{"bot_id":"x-parser","source_queue":"x-parser-queue","traceback":["Traceback","ValueError: é"],
             "message":"{\"source.ip\": \"192.0.2.1\", \"__type\": \"Event\"}"},
             "2026-11-20T12:00:01":{"bot_id":"x-parser","source_queue":"x-parser-queue","traceback":[],
             "message":"/wA=","message_type":"base64"}}
            """#
        let root = try JSONValue(parsing: text.utf8)
        #expect(DHO.isDump(root))
        let entries = try DHO.dump(root).map { try $0.entry.get() }
        #expect(DHO.dump(entries).sorted == root.sorted)
        guard case .event(let event) = try entries[0].item() else { throw Problem(0, "", "no event") }
        #expect(event[.sourceIP]?.description == "192.0.2.1")
        #expect(throws: Problem.self) { try entries[1].item() }
        #expect(throws: Problem.self) { try DHO.dump(.array([])) }
        let broken = try DHO.dump(.object(["t": .object(["message": .string("*"), "message_type": .string("base64")])]))
        #expect(throws: Problem.self) { try broken[0].entry.get() }
        #expect(!DHO.isDump(.object(["source.ip": .string("192.0.2.1")])))
    }

    /// The messages that IntelMQ's own bots wrote, where recordings are at hand.
    @Test(.enabled(if: Vectors.folder != nil, "skipped, no vectors: set INTELMQ_VECTORS to their folder"))
    func recordedMessagesComeBack() throws {
        var (compared, same, exact) = (0, 0, 0)
        for message in try Vectors.messages() {
            guard let item = try? DHO.item(message) else { continue }
            let back: JSONValue
            switch item {
            case .event(let event): back = DHO.message(try Packet(decoding: Packet(events: [event]).encoded()).events[0])
            case .report(let report): back = DHO.message(try Packet(decoding: Packet(reports: [report]).encoded()).reports[0])
            }
            compared += 1
            if back.sorted == message.sorted { exact += 1 }
            if Self.canonical(back) == Self.canonical(message) { same += 1; continue }
            let (theirs, ours) = (Self.canonical(message), Self.canonical(back))
            for name in Set(theirs.keys).union(ours.keys) where theirs[name] != ours[name] {
                Issue.record("\(name): \(String(describing: theirs[name])) became \(String(describing: ours[name]))")
            }
        }
        print("\(compared) recorded messages, \(exact) come back as they were, \(same) as what they say")
        #expect(compared > 1000)
    }

    /// What a message says: of values whose form IntelMQ leaves open the canonical one, which docs/differences.md names.
    private static func canonical(_ message: JSONValue) -> [String: JSONValue] {
        var fields = flat(message)
        fields["__type"] = fields["__type"] ?? .string("Event")
        if let extra = fields.removeValue(forKey: "extra"), let object = try? JSONValue(parsing: extra.plain.utf8) {
            for member in object.members ?? [] { fields["extra." + member.name] = member.value }
        }
        for (name, value) in fields {
            guard let field = DHO.field(name) else { continue }
            var event = Event()
            switch field.name {
            case "intelmq.output": fields[name] = (try? JSONValue(parsing: value.plain.utf8))?.sorted ?? value
            case "event.original": fields[name] = value
            default:
                if event.add(field, text: value.plain), let canonical = event.json(field) { fields[name] = canonical }
            }
        }
        return fields
    }
}

/// Always the same numbers, so that what fails once fails again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

private enum Vectors {
    static let folder = recordedRuns(with: "message.json")

    static func messages() throws -> [JSONValue] {
        let folder = try #require(folder)
        var found: [JSONValue] = []
        for call in try JSONValue(parsing: Data(contentsOf: folder.appendingPathComponent("message.json"))).items ?? [] {
            for name in ["before", "after"] where call[name]?.members?.isEmpty == false { found.append(call[name] ?? .null) }
        }
        for kind in ["collector", "parser", "expert", "output"] {
            let names = FileManager.default.enumerator(atPath: folder.appendingPathComponent(kind).path)?.allObjects ?? []
            for case let name as String in names where name.hasSuffix(".json") {
                let path = folder.appendingPathComponent(kind).appendingPathComponent(name)
                let run = try JSONValue(parsing: Data(contentsOf: path))
                found += run["input"]?.items ?? []
                for output in run["output"]?.members ?? [] { found += output.value.items ?? [] }
            }
        }
        return found
    }
}
