import Glibc
import HTTP

/// One hop: packets go into a service, which looks addresses up and hands them to the next hop before it answers.
/// The service has one core, the load and the next hop have the other.
struct RelayHop {
    let subject: Subject
    static let inFlight = 4
    static let duration = Duration.seconds(2)
    static let rounds = 3

    func measure(into figures: Figures) async throws(BenchError) {
        try Machine.pin(to: Machine.loadCore)
        defer { try? Machine.pin(to: nil) }
        let sink: HTTPServer
        do { sink = try HTTPServer(HTTPServerConfiguration(), handler: Sink()) } catch {
            throw BenchError("no next hop: \(error)")
        }
        let client = HTTPClient(connectionsPerHost: Self.inFlight)
        for events in [100, 500] {
            let packets = try Load.packets(count: 8, events: events)
            let service = try await ServiceProcess.asnLookup(
                subject, core: Machine.serviceCore, edge: "http://127.0.0.1:\(sink.port)/v1/packets", client: client)
            defer { service.stop() }
            var wall: [Double] = []
            var core: [Double] = []
            // The first round only warms up.
            for round in 0...Self.rounds {
                let rate = try await run(packets, events, service, client, round == 0 ? .milliseconds(300) : Self.duration)
                guard round > 0 else { continue }
                wall.append(rate.wall)
                core.append(rate.core)
            }
            let what = "relay hop, asn-lookup, \(events) events a packet"
            figures.add(Figure(name: "relay-\(events)-wall", what: "\(what), wall time", value: median(wall), unit: "events/s"))
            figures.add(
                Figure(
                    name: "relay-\(events)-core", what: "\(what), on one core", value: median(core), unit: "events/CPU s",
                    target: events == 500 ? "100,000" : nil))
        }
        await sink.stop(deadline: .seconds(1))
    }

    private func run(
        _ packets: [[UInt8]], _ events: Int, _ service: ServiceProcess, _ client: HTTPClient, _ duration: Duration
    ) async throws(BenchError) -> (wall: Double, core: Double) {
        let spent = Machine.processorSeconds(service.process)
        let begin = ContinuousClock.now
        let sent = try await service.post(packets, connections: Self.inFlight, client: client, for: duration)
        let seconds = (ContinuousClock.now - begin).inSeconds
        let used = Machine.processorSeconds(service.process) - spent
        let done = Double(sent * events)
        return (done / seconds, done / max(used, 0.01))
    }
}
