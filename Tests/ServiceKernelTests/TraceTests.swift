import HTTP
import IDF
import Logging
import ServiceKernelTesting
import Synchronization
import TestSupport
import Testing

@testable import ServiceKernel

/// A next hop that keeps the headers of traces and the packets.
private final class NextHop: HTTPHandler {
    private let state = Mutex<[(header: String?, state: String?, packet: Packet?)]>([])
    var seen: [(header: String?, state: String?, packet: Packet?)] { state.withLock { $0 } }

    func immediate(_ head: HTTPRequestHead) -> HTTPResponse? { nil }
    func bodyLimit(_ head: HTTPRequestHead) -> Int { 1 << 20 }
    func respond(to request: HTTPRequest) async -> HTTPResponse {
        let head = request.head
        state.withLock { $0.append((head.header("traceparent"), head.header("tracestate"), try? Packet(decoding: request.body))) }
        return HTTPResponse(status: 200)
    }
}

@Suite(.timeLimit(.minutes(2))) struct TraceTests {
    private static let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    private func post(_ service: Service, _ path: String, _ body: [UInt8], _ headers: [(name: String, value: String)]) async
        -> Int
    {
        let media = [(name: "Content-Type", value: Packet.mediaType)]
        let head = HTTPRequestHead(method: .post, path: path, headers: media + headers)
        return await ServiceHandler(service).respond(to: HTTPRequest(head: head, body: body)).status
    }

    @Test func aTraceGoesFromHopToHop() async throws {
        let hop = NextHop()
        let server = try HTTPServer(HTTPServerConfiguration(), handler: hop)
        let folder = TemporaryFolder()
        var relay = ServiceConfiguration(entry("obedient-expert"))
        relay.ack = .relay
        let channel = HTTPChannel(
            EdgeConfiguration(to: "http://127.0.0.1:\(server.port)/v1/packets"), client: HTTPClient(connectionsPerHost: 1),
            tls: nil, timeout: Interval(seconds: 20))
        let passing = try Service(relay, edges: [Edge(name: "hop", channel: channel)], log: .recording())
        #expect(await post(passing, "/v1/packets", packet("one").encoded(), [("traceparent", Self.given)]) == 200)
        let seen = try #require(hop.seen.first)
        let header = try #require(seen.header.flatMap { TraceParent($0) })
        #expect(header.traceID == Self.trace)
        #expect(header.description != Self.given, "each hop is a parent of its own")
        #expect(header.isSampled)
        #expect(seen.packet?.meta.trace == header)

        // What tracing systems say goes along, in the packet and as one header.
        let states = [("tracestate", "rojo=1"), ("Tracestate", "congo=2")]
        #expect(await post(passing, "/v1/packets", packet("one").encoded(), [("traceparent", Self.given)] + states) == 200)
        #expect(hop.seen[1].packet?.meta.trace?.state == "rojo=1,congo=2" && hop.seen[1].state == "rojo=1,congo=2")
        #expect(await post(passing, "/v1/packets", packet("one").encoded(), [("traceparent", "00-nonsense")] + states) == 200)
        #expect(hop.seen[2].packet?.meta.trace?.state == nil && hop.seen[2].state == nil, "only with a trace")

        // Without a header the packet says it; the header counts more, and a malformed one nothing.
        var inside = packet("two")
        inside.meta.trace = TraceParent(Self.given)?.with(state: "rojo=1")
        #expect(await post(passing, "/v1/packets", inside.encoded(), []) == 200)
        #expect(await post(passing, "/v1/packets", inside.encoded(), [("traceparent", "00-nonsense")]) == 200)
        let other = TraceParent(beginning: .v7())
        #expect(await post(passing, "/v1/packets", inside.encoded(), [("traceparent", other.description)]) == 200)
        #expect(hop.seen.dropFirst(3).map { $0.packet?.meta.trace?.traceID } == [Self.trace, Self.trace, other.traceID])
        #expect(Set(hop.seen.map(\.header)).count == 6)

        // Nobody has begun one: the packet's id names it.
        let plain = packet("three")
        #expect(await post(passing, "/v1/packets", plain.encoded(), []) == 200)
        #expect(hop.seen.last?.packet?.meta.trace?.traceID == plain.meta.id.description.replacing("-", with: ""))

        // Through a spool and a restart.
        let down = RecordingChannel { _, _ in .later("away", afterSeconds: nil) }
        let keeping = try service("obedient-expert", edges: [("hop", down)], state: folder) { $0.ack = .durable }
        #expect(await post(keeping, "/v1/packets", inside.encoded(), []) == 202)
        await keeping.close()
        relay.ack = .durable
        relay.state = folder.path
        let edge = Edge(name: "hop", channel: channel)
        let again = try Service(relay, edges: [edge], log: .recording())
        let pump = Task { await again.pump(edge) }
        #expect(await eventually { hop.seen.count == 8 })
        let last = try #require(hop.seen.last)
        #expect(last.header.flatMap { TraceParent($0) }?.traceID == Self.trace)
        #expect(last.header == last.packet?.meta.trace?.description)
        #expect(last.state == "rojo=1" && last.packet?.meta.trace?.state == "rojo=1")
        await again.close()
        pump.cancel()
        await pump.value
        await server.stop(deadline: .seconds(1))
    }

    @Test func allPacketsOfAReportAreOneTrace() async throws {
        let channel = RecordingChannel()
        let parser = try service("line-parser", edges: [("a", channel)]) { $0.limits.batch = 2 }
        #expect(await post(parser, "/v1/reports", Array("1\n2\n3\n4\n5\n".utf8), [("traceparent", Self.given)]) == 200)
        #expect(channel.packets.count == 3)
        #expect(channel.packets.allSatisfy { $0.meta.trace?.traceID == Self.trace })
        #expect(Set(channel.packets.map { $0.meta.trace?.parent }).count == 3)
        // A collector's packet has come through a spool: intake was before that.
        var fetched = Packet(reports: [Report(content: Array("6\n".utf8))])
        fetched.meta.trace = TraceParent(Self.given)
        fetched.meta.intakeAt = Timestamp(nanoseconds: 1_000_000_000)
        #expect(await parser.take(fetched).status == 200)
        #expect(channel.packets.last?.meta.trace?.traceID == Self.trace)
        #expect(channel.packets.last?.meta.intakeAt == fetched.meta.intakeAt)
    }

    @Test func logLinesNamePacketAndTrace() async throws {
        let lines = RecordedLines()
        let folder = TemporaryFolder()
        let service = try service("obedient-expert", edges: [("a", RecordingChannel())], state: folder, lines: lines)
        var given = packet("one", "malformed")
        given.meta.trace = TraceParent(Self.given)
        #expect(await service.take(given).status == 200)
        for word in ["warning: dead letter", "debug: packet taken"] {
            let line = try #require(lines.all.first { $0.hasPrefix(word) })
            #expect(line.contains("packet.id=\(given.meta.id)") && line.contains("trace.id=\(Self.trace)"), "\(line)")
        }
        await service.close()
    }
}
