import Testing

@testable import IDF

/// A packet with these resources.
func packet(_ resources: String, version: String = "3.1") -> [UInt8] {
    Array(
        (#"{"jsonapi":{"version":"1.1"},"meta":{"format-name":"IntelMQ-IDF","version":"\#(version)"},"data":["# + resources + "]}")
            .utf8)
}

/// A packet of one event with these attributes.
func packet(event attributes: String) -> [UInt8] { packet(#"{"type":"event","attributes":{\#(attributes)}}"#) }

/// Why a packet was refused; empty when it was not.
func problems(_ bytes: [UInt8], eventLimit: Int = 100) -> [Problem] {
    do throws(PacketError) {
        _ = try Packet(decoding: bytes, eventLimit: eventLimit)
        return []
    } catch {
        return error.problems
    }
}

private let rich = #"""
    {"jsonapi": {"version": "1.1"}, "links": {"self": "x"},
     "meta": {"format-name": "IntelMQ-IDF", "version": "3.7", "id": "0198f000-0000-7000-8000-000000000001", "source": "s", "producer": "cert.example",
              "created-at": "2026-11-20T12:00:00Z", "intake-at": "2026-11-20T11:59:58.5Z", "hops": 2, "unknown": [1]},
     "data": [
      {"type": "event", "id": "0198f000-0000-7000-8000-00000000000a", "meta": {}, "attributes": {
        "custom": {"a": {"b": [1, 2.50, 1e400, -0, null, true]}, "ключ": "\u00e9\ud83d\ude00\n", "empty": {}, "big": 123456789012345678901234567890},
        "@timestamp": "2026-11-20T11:59:58Z",
        "source": {"ip": ["192.0.2.1", "2001:DB8::1", null, "198.51.100.7"], "as": {"number": [64496, null, null, 64498]}, "port": 80},
        "tags": ["one"], "message": "say \"hi\"", "n6": {"x": 1}, "misp": {"event_uuid": "0198F000-0000-7000-8000-00000000000A", "y": []}}},
      {"type": "event", "attributes": {}}]}
    """#

@Suite struct PacketRoundTripTests {
    @Test func keepsEverything() throws {
        let first = try Packet(decoding: Array(rich.utf8))
        #expect(first.meta.id.description == "0198f000-0000-7000-8000-000000000001")
        #expect(first.meta.hops == 2)
        #expect(first.meta.producer == "cert.example")
        #expect(first.meta.createdAt.description == "2026-11-20T12:00:00Z")
        #expect(first.meta.intakeAt?.description == "2026-11-20T11:59:58.5Z")
        let event = first.events[0]
        #expect(event.id.description == "0198f000-0000-7000-8000-00000000000a")
        #expect(event[.sourceIP]?.description == "192.0.2.1")
        #expect(event.aligned(.sourceIP).map { $0?.description } == ["192.0.2.1", "2001:db8::1", nil, "198.51.100.7"])
        #expect(event.aligned(.sourceASNumber) == [64496, nil, nil, 64498])
        #expect(event.all(.sourceASNumber) == [64496, 64498])
        #expect(event[.sourcePort] == 80)
        #expect(event[Key<String>("tags")] == "one")
        #expect(event[Key<String>("message")] == #"say "hi""#)
        #expect(event[Key<String>("misp.event_uuid")] == "0198f000-0000-7000-8000-00000000000a")
        #expect(event.free("misp", "y") == .array([]))
        #expect(event.free("n6", "x") == .integer(1))
        #expect(event[custom: "ключ"] == .string("é😀\n"))
        #expect(event[custom: "big"] == .number("123456789012345678901234567890"))
        #expect(event[custom: "a"]?["b"]?.items?.dropFirst().prefix(3) == [.number("2.50"), .number("1e400"), .number("-0")])
        #expect(first.events[1].isEmpty)

        let bytes = first.encoded()
        let again = try Packet(decoding: bytes)
        #expect(again.encoded() == bytes, "a second hop changes nothing")
        #expect(again.events[0].fields == event.fields)
        for member in event.freeMembers("custom") { #expect(again.events[0][custom: member.name] == member.value) }
        // A value that stands alone is plain ECS on the wire.
        #expect(String(decoding: bytes, as: UTF8.self).contains(#""tags":"one""#))
    }

    @Test func readsReports() throws {
        let text =
            #"{"type":"report","attributes":{"event":{"original":"a,b\n"},"threat":{"feed":{"name":"F"}},"intelmq":{"file_name":"x.csv"}}}"#
        let packet = try Packet(decoding: packet(text))
        let report = try #require(packet.reports.first)
        #expect(report.content.array == Array("a,b\n".utf8))
        #expect(report.fileName == "x.csv")
        #expect(report.fields[.feedName] == "F")
        #expect(packet.events.isEmpty)
        for content: [UInt8] in [
            [], Array("\tx\ty\n\n".utf8), Array(" ".utf8), Array("\0\r\n\u{1}\"\\".utf8), [0xFF, 0x00, 0x80], Array("é".utf8),
            Array(repeating: 0xC3, count: 1000),
        ] {
            var report = Report(content: content)
            report.fields[.feedName] = "B"
            let read = try Packet(decoding: Packet(reports: [report]).encoded())
            #expect(read.reports.first?.content.array == content)
            #expect(read.reports.first?.id == report.id)
            #expect(read.reports.first?.fields[.feedName] == "B")
        }
    }

    @Test func readsOneResourceWithoutList() throws {
        let text =
            #"{"meta":{"format-name":"IntelMQ-IDF","version":"3.0"},"data":{"type":"event","attributes":{"source":{"port":1}}}}"#
        #expect(try Packet(decoding: Array(text.utf8)).events.first?[.sourcePort] == 1)
    }

    @Test func emptyListsAndNullsAreNoValues() throws {
        let event = try Packet(
            decoding: packet(event: #""source":{"ip":[],"port":null,"domain":[null,null],"as":null},"tags":["a",null]"#)
        ).events[0]
        #expect(event.fields.map(\.name) == ["tags"])
        #expect(event.all(Key<String>("tags")) == ["a"])
    }
}

@Suite struct PacketProblemTests {
    @Test(arguments: [
        (#""source":{"ipp":"192.0.2.1"}"#, "unknown-field", "/data/0/attributes/source/ipp", "source.ip"),
        (#""sourc":{}"#, "unknown-field", "/data/0/attributes/sourc", "custom"),
        (#""source":{"port":"80"}"#, "wrong-type", "/data/0/attributes/source/port", "port"),
        (#""source":{"port":70000}"#, "invalid-value", "/data/0/attributes/source/port", "70000"),
        (#""source":{"ip":["192.0.2.1","x"]}"#, "invalid-value", "/data/0/attributes/source/ip/1", "address"),
        (#""source":{"ip":[["192.0.2.1"]]}"#, "wrong-type", "/data/0/attributes/source/ip/0", "a list"),
        (#""source":{"ip":{}}"#, "wrong-type", "/data/0/attributes/source/ip", "an object"),
        (#""source":5"#, "wrong-type", "/data/0/attributes/source", "an object"),
        (#""source":{"ip":"192.0.2.1","ip":"192.0.2.2"}"#, "duplicate-member", "/data/0/attributes/source/ip", "twice"),
        (
            #""@timestamp":["2026-11-20T12:00:00Z","2026-11-20T12:00:01Z"]"#, "too-many-values", "/data/0/attributes/@timestamp",
            "one value"
        ),
        (#""a/b~c":1"#, "unknown-field", "/data/0/attributes/a~1b~0c", "custom"),
        (#""":1"#, "unknown-field", "/data/0/attributes/", "custom"),
        (
            #""intelmq":{"classification":{"type":"nonsense"}}"#, "invalid-value",
            "/data/0/attributes/intelmq/classification/type", "nonsense"
        ),
    ]) func namesThePlace(_ attributes: String, _ code: String, _ pointer: String, _ part: String) throws {
        let found = problems(packet(event: attributes))
        let first = try #require(found.first)
        #expect(first.code == code)
        #expect(first.pointer == pointer)
        #expect(first.status == 422)
        #expect(first.detail.contains(part), "\(first.detail)")
    }

    @Test(arguments: [
        ("[]", "not-idf"), ("{}", "missing-meta"), (#"{"meta":{"format-name":"IntelMQ-IDF","version":"3.1"}}"#, "missing-data"),
        (#"{"meta":{"format-name":"X","version":"3.1"},"data":[]}"#, "not-idf"),
        (#"{"meta":{"format-name":"IntelMQ-IDF","version":"4.0"},"data":[]}"#, "unsupported-version"),
        (#"{"meta":{"format-name":"IntelMQ-IDF"},"data":[]}"#, "unsupported-version"),
        (#"{"meta":[],"data":[]}"#, "wrong-type"),
        (#"{"meta":{"format-name":"IntelMQ-IDF","version":"3.1"},"data":7}"#, "wrong-type"),
        (#"{"meta":{"format-name":"IntelMQ-IDF","version":"3.1","hops":-1},"data":[]}"#, "invalid-value"),
        (#"{"meta":{"format-name":"IntelMQ-IDF","version":"3.1","id":"x"},"data":[]}"#, "invalid-value"),
        (#"{"meta":{"format-name":"IntelMQ-IDF","version":"3.1"},"data":[],"extra":1}"#, "unknown-member"),
        (#"{"meta":{"format-name":"IntelMQ-IDF","version":"3.1"},"data":[1]}"#, "wrong-type"),
        (#"{"meta":{"format-name":"IntelMQ-IDF","version":"3.1"},"data":[{"attributes":{}}]}"#, "missing-member"),
        (#"{"meta":{"format-name":"IntelMQ-IDF","version":"3.1"},"data":[{"type":"event"}]}"#, "missing-member"),
        (#"{"meta":{"format-name":"IntelMQ-IDF","version":"3.1"},"data":[{"type":"thing","attributes":{}}]}"#, "invalid-value"),
        (
            #"{"meta":{"format-name":"IntelMQ-IDF","version":"3.1"},"data":[{"type":"event","id":7,"attributes":{}}]}"#,
            "invalid-value"
        ),
        (#"{"source.ip":"192.0.2.1","__type":"Event"}"#, "unknown-member"),
    ]) func refusesWhatIsNoPacket(_ text: String, _ code: String) {
        let found = problems(Array(text.utf8))
        #expect(found.contains { $0.code == code }, "\(found)")
        #expect(found.allSatisfy { $0.status == 422 })
    }

    @Test func acceptsMinorVersions() {
        for version in ["3", "3.0", "3.99"] { #expect(problems(packet("", version: version)).isEmpty) }
    }

    @Test func namesEveryProblemUpToAHundred() {
        let many = packet(
            Array(repeating: #"{"type":"event","attributes":{"source":{"port":-1}}}"#, count: 150).joined(separator: ","))
        let found = problems(many, eventLimit: 200)
        #expect(found.count == 100)
        #expect(found.last?.pointer == "/data/99/attributes/source/port")
        #expect(Set(found.map(\.pointer)).count == 100)
    }

    @Test func limitsEvents() {
        let two = packet(#"{"type":"event","attributes":{}},{"type":"event","attributes":{}}"#)
        #expect(problems(two, eventLimit: 2).isEmpty)
        let found = problems(two, eventLimit: 1)
        #expect(found.first?.status == 413)
        #expect(found.first?.detail.contains("1 events") == true)
    }

    @Test func limitsDepth() {
        for depth in [40, 1000, 100_000] {
            let nested = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            let found = problems(packet(event: #""custom":{"a":\#(nested)}"#))
            #expect(found.first?.code == "too-deep")
            #expect(found.first?.status == 400)
        }
        #expect(problems(packet(event: #""custom":{"a":[[[[[[[[[[1]]]]]]]]]]}"#)).isEmpty)
    }

    @Test func namesLineAndColumn() throws {
        let found = problems(Array("{\n  \"meta\": {\"a\" 1}}".utf8))
        let first = try #require(found.first)
        #expect(first.status == 400)
        #expect(first.code == "malformed-json")
        #expect(first.line == 2)
        #expect((12...16).contains(first.column ?? 0))
        #expect(problems([]).first?.code == "malformed-json")
    }

    @Test func refusesInvalidUTF8() {
        for bad: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC3]] {
            var bytes = Array(
                #"{"meta":{"format-name":"IntelMQ-IDF","version":"3.1"},"data":[{"type":"event","attributes":{"message":""#.utf8)
            let offset = bytes.count
            bytes += bad + Array(#""}}]}"#.utf8)
            let found = problems(bytes)
            #expect(found.first?.status == 400)
            #expect(found.first?.column == offset + 1)
        }
    }

    @Test(arguments: [#"\ud800"#, #"\udc00"#, #"\ud800\u0041"#, #"\ud800x"#, #"\u12"#, #"\x41"#, "\u{01}"])
    func refusesBrokenStrings(_ text: String) {
        #expect(problems(packet(event: #""message":"\#(text)""#)).first?.status == 400)
        #expect(problems(packet(event: #""custom":{"\#(text)":1}"#)).first?.status == 400)
    }

    @Test func longNamesAreRefused() {
        let name = String(repeating: "x", count: 5000)
        #expect(problems(packet(event: #""custom":{"\#(name)":1}"#)).first?.code == "name-too-long")
        #expect(problems(packet(event: #""\#(name)":1"#)).first?.code == "unknown-field")
    }
}

/// What comes over a broken wire, or from someone who wants to break the service.
@Suite struct PacketHostileTests {
    @Test func everyPrefixIsRefused() {
        let bytes = Array(rich.utf8)
        for length in 0..<bytes.count {
            #expect(!problems(Array(bytes[..<length])).isEmpty, "accepted the first \(length) bytes")
        }
    }

    @Test func flippedBytesNeverCrash() throws {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func next(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        let sound = Array(rich.utf8)
        let interesting = Array(#"{}[]",:\0123456789eE-+.ntfu"#.utf8) + [0, 0x1F, 0x7F, 0x80, 0xC3, 0xFF]
        var accepted = 0
        for _ in 0..<6000 {
            var bytes = sound
            for _ in 0...next(4) {
                let at = next(bytes.count)
                switch next(4) {
                case 0: bytes[at] ^= UInt8(1 << next(8))
                case 1: bytes[at] = interesting[next(interesting.count)]
                case 2: bytes.remove(at: at)
                default: bytes.insert(interesting[next(interesting.count)], at: at)
                }
            }
            guard let packet = try? Packet(decoding: bytes) else { continue }
            accepted += 1
            // What was accepted goes through every later hop.
            let encoded = packet.encoded()
            let again = try Packet(decoding: encoded)
            #expect(again.encoded() == encoded)
            for event in again.events {
                _ = event.fingerprint(ignoring: [])
                for side in Side.allCases { _ = (event.aligned(side.ip), event.all(side.asNumber), event[side.port]) }
                _ = DHO.message(event).bytes
                for member in event.freeMembers("custom") { #expect(event[custom: member.name] != nil) }
            }
        }
        #expect(accepted > 100)
    }
}
