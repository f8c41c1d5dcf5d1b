import IDF
import Testing

@Suite struct TraceParentTests {
    static let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test func readsAndWrites() throws {
        let trace = try #require(TraceParent(Self.text))
        #expect(trace.description == Self.text)
        #expect(trace.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(trace.isSampled)
        let next = trace.next()
        #expect(next.traceID == trace.traceID && next.parent != trace.parent && next.isSampled)
        #expect(TraceParent(next.description) == next)
    }

    @Test(arguments: [
        "", "00", String(text.dropLast()), text + "0", text + "-x", "ff" + text.dropFirst(2), text.uppercased(),
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e473\u{E9}-00f067aa0ba902b7-01",
        "01" + text.dropFirst(2) + "x",
    ])
    func malformedOnesAreNone(_ text: String) { #expect(TraceParent(text) == nil) }

    @Test func laterVersionsAndFlags() throws {
        #expect(TraceParent("01" + Self.text.dropFirst(2) + "-more")?.isSampled == true)
        // What other flags mean is not known here, so they do not go on.
        #expect(TraceParent(Self.text.dropLast(2) + "fe")?.description.hasSuffix("-00") == true)
        #expect(TraceParent(String(repeating: "0", count: 1 << 20)) == nil)
    }

    @Test func aTraceIsNamedAfterWhatBeginsIt() {
        let id = UUID.v7()
        #expect(TraceParent(beginning: id).traceID == id.description.replacing("-", with: ""))
        #expect(TraceParent(TraceParent(beginning: UUID(high: 0, low: 0)).description) != nil)
    }

    @Test func travelsInThePacket() throws {
        var packet = Packet()
        packet.meta.source = #"x","traceparent":"00-11111111111111111111111111111111-1111111111111111-01"#
        #expect(TraceParent(inPacket: packet.encoded()) == nil)
        packet.meta.trace = TraceParent(Self.text)
        let bytes = packet.encoded()
        #expect(TraceParent(inPacket: bytes)?.description == Self.text)
        #expect(try Packet(decoding: bytes).meta.trace == packet.meta.trace)
        #expect(TraceParent(inPacket: Array(bytes.prefix(200))) == nil)
        let bad = String(decoding: bytes, as: UTF8.self).replacing(Self.text, with: "nonsense")
        #expect(try Packet(decoding: Array(bad.utf8)).meta.trace == nil, "a malformed one is ignored")
    }

    private func state(_ text: String?) -> String? { TraceParent(Self.text)?.with(state: text).state }

    @Test(arguments: ["rojo=00f067aa0ba902b7", "a=1,b=2", "1a_-*/@z=!\"#$%&'()*+-./:;<>?@[\\]^_`{|}~ x", "a= b"])
    func whatTracingSystemsSayGoesOn(_ text: String) throws {
        let trace = try #require(TraceParent(Self.text)?.with(state: text))
        #expect(trace.state == text && trace.next().state == text)
        var packet = Packet()
        packet.meta.trace = trace
        #expect(TraceParent(inPacket: packet.encoded()) == trace)
        packet.meta.path = "path:b"
        packet.meta.notFor = ["one", "two"]
        let bytes = packet.encoded()
        #expect(TraceParent(inPacket: bytes) == trace)
        #expect(Packet.path(of: bytes) == "path:b" && Packet.notFor(of: bytes) == ["one", "two"])
        #expect(try Packet(decoding: bytes).meta.trace == trace)
        // Only together with a trace.
        let bad = String(decoding: bytes, as: UTF8.self).replacing(Self.text, with: "nonsense")
        #expect(try Packet(decoding: Array(bad.utf8)).meta.trace == nil)
    }

    @Test(arguments: [
        "a", "=b", "a=", "A=b", "_a=b", "a b=c", "a=b=c", "a=\u{E9}", "a=\u{7F}", "a=b\u{1}", "a=b,c", "\u{E9}=b",
        String(repeating: "a", count: 257) + "=b", "a=" + String(repeating: "b", count: 257),
        (0..<33).map { "k\($0)=v" }.joined(separator: ","), String(repeating: "a", count: 1 << 16), "", " , ,",
    ])
    func malformedStatesAreNone(_ text: String) { #expect(state(text) == nil) }

    @Test func emptyMembersAndLongListsAreCut() {
        #expect(state(nil) == nil)
        #expect(state(" a=1 ,,\tb=2\t, ") == "a=1,b=2")
        let members = (0..<32).map { "key\($0)=\(String(repeating: "v", count: 20))" }
        let long = "x=" + String(repeating: "y", count: 200)
        let kept = state(([long] + members.dropLast()).joined(separator: ",")) ?? ""
        #expect(kept.utf8.count <= 512 && kept.utf8.count > 480)
        #expect(members.joined(separator: ",").hasPrefix(kept), "the long one first, then the last ones")
    }
}
