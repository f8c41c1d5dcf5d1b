import Glibc
import HTTP

/// A large backlog: an edge that was away for long. Memory stays flat, a restart is quick, and the edge catches up.
struct Backlog {
    let subject: Subject
    static let bytes = 2 << 30

    func measure(into figures: Figures) async throws(BenchError) {
        let client = HTTPClient(connectionsPerHost: 16)
        let folder = try Running.folder("backlog")
        let port = try Machine.freePorts(1)[0]
        let target = "http://127.0.0.1:\(port)/v1/packets"
        let packets = try Load.packets(count: 8, events: 500)
        let count = Self.bytes / packets[0].count
        var service = try await ServiceProcess.asnLookup(
            subject, core: nil, edges: [target], ack: "durable", in: folder, client: client)
        let begin = ContinuousClock.now
        let sent = try await service.post(packets, connections: 4, client: client, most: count, renamed: true)
        let intake = Double(sent * 500) / (ContinuousClock.now - begin).inSeconds
        let filled = Machine.memory(service.process)
        service.stop()
        service = try await ServiceProcess.asnLookup(
            subject, core: nil, edges: [target], ack: "durable", in: folder, client: client)
        defer { service.stop() }
        let restarted = Machine.memory(service.process)
        var http = HTTPServerConfiguration()
        http.port = port
        let sink: HTTPServer
        do { sink = try HTTPServer(http, handler: Sink()) } catch { throw BenchError("no next hop: \(error)") }
        while try await service.metric("intelmq_events_sent_total", client: client) == 0 { usleep(1000) }
        let draining = ContinuousClock.now
        let before = try await service.metric("intelmq_events_sent_total", client: client)
        var peak = restarted.resident
        while try await service.metric("intelmq_spool_packets", client: client) > 0 {
            peak = max(peak, Machine.memory(service.process).resident)
            guard ContinuousClock.now - draining < .seconds(180) else { throw BenchError("the backlog is not drained in 180 s") }
            usleep(50_000)
        }
        let drain = (Double(sent * 500) - before) / (ContinuousClock.now - draining).inSeconds
        figures.add(
            Figure(
                name: "backlog-intake", what: "2 GB of backlog: intake while the edge is down", value: intake, unit: "events/s"))
        figures.add(
            Figure(
                name: "backlog-memory", what: "2 GB of backlog: resident memory", value: filled.resident / 1e6, unit: "MB",
                target: "at most 100"))
        figures.add(
            Figure(
                name: "backlog-memory-drain", what: "2 GB of backlog: most resident memory while it drains", value: peak / 1e6,
                unit: "MB", target: "at most 100"))
        figures.add(
            Figure(
                name: "backlog-restart", what: "2 GB of backlog: restart to ready", value: service.secondsToReady * 1000,
                unit: "ms",
                target: "at most 2,000"))
        figures.add(
            Figure(
                name: "backlog-drain", what: "2 GB of backlog: drains at, against the intake", value: drain / intake, unit: "×",
                target: "2"))
        await sink.stop(deadline: .seconds(1))
    }
}
