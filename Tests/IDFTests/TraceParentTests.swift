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
}
