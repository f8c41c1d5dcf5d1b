import HTTP

/// How long one event takes through the demonstration's three experts, each a service of its own, by `POST /v1/enrich` of the gateway.
struct Enrich {
    let subject: Subject
    static let rounds = 2000

    func measure(into figures: Figures) async throws(BenchError) {
        let folder = try Running.folder("enrich")
        let ports = try Machine.freePorts(6)
        let graph = try Workflow.graph(in: folder, ports: ports)
        Running.addFleet(folder)
        defer { Running.stopFleet(folder) }
        try Running.run([subject.binary, "ctl", "up", graph, "--directory", folder, "--gateway"])
        let client = HTTPClient(connectionsPerHost: 1)
        var times: [Double] = []
        for round in 0..<Self.rounds {
            let body = Array("{\"source.ip\": \"192.0.2.\(round % 256)\", \"classification.type\": \"scanner\"}".utf8)
            let request = HTTPClientRequest(
                method: .post, url: "http://127.0.0.1:\(ports[0])/v1/enrich", headers: [("Content-Type", "application/json")],
                body: body)
            let begin = ContinuousClock.now
            let answer: HTTPClientResponse
            do { answer = try await client.send(request) } catch { throw BenchError("the gateway does not answer: \(error)") }
            guard answer.status == 200 else {
                throw BenchError("the gateway answered \(answer.status): \(String(decoding: answer.body, as: UTF8.self))")
            }
            // The first ones open the connections.
            if round >= Self.rounds / 10 { times.append((ContinuousClock.now - begin).inSeconds) }
        }
        times.sort()
        func milliseconds(_ share: Double) -> Double { times[Int(Double(times.count - 1) * share)] * 1000 }
        figures.add(
            Figure(
                name: "enrich-median", what: "one event through three experts by the gateway, median", value: milliseconds(0.5),
                unit: "ms", target: "at most 2"))
        figures.add(Figure(name: "enrich-p99", what: "  of 100 events the slowest", value: milliseconds(0.99), unit: "ms"))
    }
}
