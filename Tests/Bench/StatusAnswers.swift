import Glibc
import HTTP

/// How fast statusd answers what a worker does while the worker is under full load: its operator must not wait then.
struct StatusAnswers {
    let subject: Subject
    static let duration = Duration.seconds(5)

    func measure(into figures: Figures) async throws(BenchError) {
        let sink: HTTPServer
        do { sink = try HTTPServer(HTTPServerConfiguration(), handler: Sink()) } catch {
            throw BenchError("no next hop: \(error)")
        }
        let client = HTTPClient(connectionsPerHost: RelayHop.inFlight)
        let service = try await ServiceProcess.asnLookup(
            subject, core: nil, edges: ["http://127.0.0.1:\(sink.port)/v1/packets"], ack: "relay", underStatusd: true,
            client: client)
        defer { service.stop() }
        let packets = try Load.packets(count: 8, events: 500)
        let socket = "\(service.folder)/state/statusd.sock"
        let asking = Task { () -> [Double] in
            let client = HTTPClient(connectionsPerHost: 1)
            let begin = ContinuousClock.now
            var times: [Double] = []
            while ContinuousClock.now - begin < Self.duration {
                let asked = ContinuousClock.now
                let answer = try? await client.send(HTTPClientRequest(url: "http://localhost/v1/status", unixSocket: socket))
                if answer?.status == 200 { times.append((ContinuousClock.now - asked).inSeconds) }
                try? await Task.sleep(for: .milliseconds(5))
            }
            return times.sorted()
        }
        let sent = try await service.post(packets, connections: RelayHop.inFlight * 2, client: client, for: Self.duration)
        let times = await asking.value
        await sink.stop(deadline: .seconds(1))
        guard times.count > 100, sent > 0 else { throw BenchError("statusd answered only \(times.count) times") }
        func milliseconds(_ share: Double) -> Double { times[Int(Double(times.count - 1) * share)] * 1000 }
        figures.add(
            Figure(
                name: "status-median", what: "status of a worker under full load, median", value: milliseconds(0.5), unit: "ms",
                target: "below 5"))
        figures.add(Figure(name: "status-p99", what: "  of 100 answers the slowest", value: milliseconds(0.99), unit: "ms"))
    }
}
