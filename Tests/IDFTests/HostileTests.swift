import IDF
import Testing

/// Packets that want to cost more than they should.
@Suite struct HostileTests {
    private func packet(_ attributes: String) -> [UInt8] {
        Array(
            (#"{"meta":{"format-name":"IntelMQ-IDF","version":"3.1"},"data":[{"type":"event","attributes":{"# + attributes
                + "}}]}").utf8)
    }

    private func codes(_ attributes: String) -> [String] {
        do {
            _ = try Packet(decoding: packet(attributes))
            return []
        } catch {
            return error.problems.map(\.code)
        }
    }

    @Test func listsAreBounded() {
        let few = (0..<256).map { _ in "\"192.0.2.1\"" }.joined(separator: ",")
        #expect(codes("\"source\":{\"ip\":[\(few)]}") == [])
        #expect(codes("\"source\":{\"ip\":[\(few),\"192.0.2.1\"]}") == ["too-many-values"])
    }

    @Test func freeMembersAreBounded() {
        let members = (0..<70_000).map { "\"\($0)\":1" }.joined(separator: ",")
        #expect(codes("\"custom\":{\(members)}") == ["too-many-members"])
        #expect(codes("\"misp\":{\(members)}").contains("too-many-members"))
    }

    @Test func manyFreeMembersHaveAFingerprint() throws {
        let members = (0..<4_000).map { "\"samePrefix\($0)\":1" }
        let event = try Packet(decoding: packet("\"custom\":{\(members.joined(separator: ","))}")).events[0]
        let turned = try Packet(decoding: packet("\"custom\":{\(members.reversed().joined(separator: " , "))}")).events[0]
        #expect(event.fingerprint(ignoring: []) == turned.fingerprint(ignoring: []))
    }

    @Test func whiteSpaceIsNoDifference() throws {
        let one = try Packet(decoding: packet(#""custom":{"a":1,"b":2}"#)).events[0]
        let other = try Packet(decoding: packet(#""custom":{"b" :   2 , "a"   :     1}"#)).events[0]
        #expect(one.fingerprint(ignoring: []) == other.fingerprint(ignoring: []))
    }

    @Test func theSameFieldAgainAndAgainEndsSoon() {
        let many = String(repeating: #""tags":"a","#, count: 200_000) + String(repeating: #""message":"b","#, count: 200_000)
        let started = ContinuousClock.now
        #expect(!codes(many + #""event":{"action":"x"}"#).isEmpty)
        #expect(ContinuousClock.now - started < .seconds(20))
    }

    @Test func longListsDoNotPileUp() throws {
        let addresses = (0..<256).map { "\"192.0.2.\($0 % 250 + 1)\"" }.joined(separator: ",")
        var event = try Packet(decoding: packet("\"source\":{\"ip\":[\(addresses)]}")).events[0]
        for _ in 0..<20 {
            event.fillOverwrites = true
            event.enrich(from: .sourceIP) { event, _, place in event.fill(.sourceASName, "A name of some length", at: place) }
        }
        #expect(event.all(.sourceASName).count == 256)
        #expect(event.encoded().count < 20_000)
    }
}
