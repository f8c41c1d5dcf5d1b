import Glibc
import HTTP
import IDF

/// What it costs that a 202 means "synced to disk", and what a dead edge costs the others.
struct DurableHop {
    let subject: Subject
    static let connections = 16
    static let events = 500
    static let duration = Duration.seconds(3)

    func measure(into figures: Figures) async throws(BenchError) {
        let sink: HTTPServer
        do { sink = try HTTPServer(HTTPServerConfiguration(), handler: Sink()) } catch {
            throw BenchError("no next hop: \(error)")
        }
        let client = HTTPClient(connectionsPerHost: Self.connections)
        let target = "http://127.0.0.1:\(sink.port)/v1/packets"
        // A port that nobody listens on.
        let nowhere = "http://127.0.0.1:\(try Machine.freePorts(1)[0])/v1/packets"
        var relay: [Double] = []
        var durable: [Double] = []
        var both: [Double] = []
        var half: [Double] = []
        // Side by side in each round: the machine's own speed changes.
        for _ in 0..<3 {
            relay.append(try await rate([target], "relay", client))
            durable.append(try await rate([target], "durable", client))
            both.append(try await delivered([target, target], client))
            half.append(try await delivered([target, nowhere], client))
        }
        let what = "asn-lookup, \(Self.events) events a packet, \(Self.connections) connections"
        figures.add(Figure(name: "relay-16", what: "relay hop, \(what)", value: median(relay), unit: "events/s"))
        figures.add(
            Figure(name: "durable-16", what: "durable hop, \(what)", value: median(durable), unit: "events/s", target: "80,000"))
        figures.add(
            Figure(
                name: "durable-to-relay", what: "durable hop, against the relay hop of the same run",
                value: median(zip(durable, relay).map { $0 / $1 }), unit: "×", target: "0.5"))
        figures.add(
            Figure(
                name: "edge-down", what: "one of two edges down: rate of the other, against both up",
                value: median(zip(half, both).map { $0 / $1 }), unit: "×", target: "0.9"))
        let (syncs, bytes) = try Self.disk()
        figures.add(Figure(name: "disk-syncs", what: "the disk by itself: synced writes of 1 MB", value: syncs, unit: "syncs/s"))
        figures.add(
            Figure(name: "disk-bytes", what: "the disk by itself: synced writes of 1 MB", value: bytes / 1e6, unit: "MB/s"))
        await sink.stop(deadline: .seconds(1))
    }

    /// Events acknowledged a second.
    private func rate(_ edges: [String], _ ack: String, _ client: HTTPClient) async throws(BenchError) -> Double {
        let service = try await ServiceProcess.asnLookup(subject, core: nil, edges: edges, ack: ack, client: client)
        defer { service.stop() }
        let packets = try Load.packets(count: 8, events: Self.events)
        let begin = ContinuousClock.now
        let sent = try await service.post(
            packets, connections: Self.connections, client: client, for: Self.duration, renamed: true)
        return Double(sent * Self.events) / (ContinuousClock.now - begin).inSeconds
    }

    /// Events a second that the first edge has got.
    private func delivered(_ edges: [String], _ client: HTTPClient) async throws(BenchError) -> Double {
        let service = try await ServiceProcess.asnLookup(subject, core: nil, edges: edges, ack: "durable", client: client)
        defer { service.stop() }
        let packets = try Load.packets(count: 8, events: Self.events)
        let begin = ContinuousClock.now
        let sent = try await service.post(
            packets, connections: Self.connections, client: client, for: Self.duration, renamed: true)
        while try await service.metric("intelmq_events_sent_total", "edge=\"sink-0\"", client: client)
            < Double(sent * Self.events)
        {
            guard ContinuousClock.now - begin < .seconds(60) else { throw BenchError("the first edge does not get everything") }
            usleep(10_000)
        }
        return Double(sent * Self.events) / (ContinuousClock.now - begin).inSeconds
    }

    /// What the disk bears: writes of about a packet's size, each synced.
    private static func disk() throws(BenchError) -> (syncs: Double, bytes: Double) {
        let folder = try Running.folder("disk")
        let descriptor = open("\(folder)/file", O_WRONLY | O_CREAT, 0o600)
        defer { close(descriptor) }
        let block = [UInt8](repeating: 0x55, count: 1 << 20)
        let begin = ContinuousClock.now
        var count = 0
        while ContinuousClock.now - begin < .seconds(1) {
            guard write(descriptor, block, block.count) == block.count, fdatasync(descriptor) == 0 else {
                throw BenchError("cannot write to \(folder)")
            }
            count += 1
        }
        let seconds = (ContinuousClock.now - begin).inSeconds
        return (Double(count) / seconds, Double(count * block.count) / seconds)
    }
}
