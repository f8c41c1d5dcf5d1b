import Testing

@testable import IDF

/// What fuzzing found, one test for each.
@Suite struct FuzzFindingsTests {
    private func packet(_ attributes: String) -> [UInt8] {
        Array(
            (#"{"meta":{"format-name":"IntelMQ-IDF","version":"3.1","id":"0198f2c4-7d1e-7a2b-9c3d-4e5f60718293","#
                + #""created-at":"2026-11-20T12:00:00Z"},"data":[{"type":"event","id":"0198f2c4-7d1e-7a2b-9c3d-4e5f60718294","#
                + "\"attributes\":{" + attributes + "}}]}").utf8)
    }

    private func isTaken(_ event: Event) -> Bool {
        (try? Packet(decoding: Packet(events: [event]).encoded())) != nil
    }

    @Test func aListOfOneValueAndGapsIsThatValueAtOnce() throws {
        let first = try Packet(decoding: packet(#""source":{"as":{"number":[64496,null]}}"#))
        let second = try Packet(decoding: first.encoded())
        #expect(first.encoded() == second.encoded())
        #expect(first.events[0].json(Key<UInt32>.sourceASNumber.id) == .integer(64496))
        #expect(first.events[0].fingerprint(ignoring: []) == second.events[0].fingerprint(ignoring: []))
    }

    @Test(.timeLimit(.minutes(1))) func unknownFieldsBeyondThoseToldCostNothing() {
        let name = "source.classification." + String(repeating: "x", count: 150)
        let members = (0..<25_000).map { "\"\(name)\($0)\":1" }.joined(separator: ",")
        let error = #expect(throws: PacketError.self) { try Packet(decoding: packet(members)) }
        #expect(error?.problems.count == 100)
    }

    @Test(arguments: [#""\ud83d!!!!!!""#, #""\udc00""#, #"{"a":["\ud83d\u0041"]}"#, #"["\ud83d"#])
    func halfASurrogatePairIsNoJSON(_ text: String) throws {
        var event = Event()
        let key = Key<String>("intelmq.output")
        let isTakenOver = event.add(key.id, text: text)
        #expect(isTakenOver)
        #expect(event.json(key.id) == .string(text))
        #expect(event[key] == text)
        var out: [UInt8] = []
        let hasFirst = event.appendFirst(key.id, to: &out)
        #expect(hasFirst && out == Array(text.utf8))
        #expect(isTaken(event))
    }

    @Test func aSurrogatePairIsJSON() {
        var event = Event()
        let key = Key<String>("intelmq.output")
        event.add(key.id, text: #"["\ud83d\ude00"]"#)
        #expect(event.json(key.id) == .array([.string("\u{1F600}")]))
    }

    @Test func valuesNestedTooDeepForAPacketAreText() throws {
        let text = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
        var event = Event()
        event[custom: "deep"] = try JSONValue(parsing: text.utf8)
        #expect(event[custom: "deep"] == .string(text))
        event.add(Key<String>("intelmq.output").id, text: text)
        event.setCustom(path: (0..<40).map(String.init), to: .array([.null]))
        #expect(isTaken(event))
    }

    @Test func anOldNameOfManyPartsIsNotFollowedToTheEnd() throws {
        let name = "extra." + Array(repeating: "a", count: 500_000).joined(separator: ".")
        var event = Event()
        try DHO.add(name, .integer(1), to: &event)
        #expect(isTaken(event))
    }

    @Test func membersSetOneByOneBelowAnotherTakeLittleRoom() {
        var event = Event()
        for number in 0..<1500 { event.setCustom(path: ["a", "k\(number)"], to: .integer(number)) }
        #expect(event[custom: "a"]?.members?.count == 1500)
        #expect(event.own.count < 1 << 18)
    }

    @Test(arguments: ["source.abuse_contact", "product.vulnerabilities"])
    func listsOfOldMessagesAreBoundedAsThoseOfPackets(_ name: String) throws {
        let separator = name == "source.abuse_contact" ? "," : ";"
        var event = Event()
        let few = Array(repeating: "a@b.example", count: 256).joined(separator: separator)
        try DHO.add(name, .string(few), to: &event)
        #expect(isTaken(event))
        #expect(throws: Problem.self) {
            var event = Event()
            try DHO.add(name, .string(few + separator + "c@d.example"), to: &event)
        }
    }
}
