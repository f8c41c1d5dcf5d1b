import Glibc
import HTTP
import ServiceKernel

/// Look-ups by GET, against nginx that answers a constant of the same size: each alone on one core, in turns.
struct LookUps {
    let subject: Subject
    static let rounds = 3
    static let seconds = 3
    static let connections = 16

    func measure(into figures: Figures) async throws(BenchError) {
        let client = HTTPClient(connectionsPerHost: Self.connections)
        let service = try await ServiceProcess.asnLookup(subject, core: Machine.serviceCore, edge: nil, client: client)
        defer { service.stop() }
        let url = "\(service.url)/v1/lookup/192.0.2.1"
        guard let answer = try? await client.send(HTTPClientRequest(url: url)), answer.status == 200 else {
            throw BenchError("\(url) is not answered with 200")
        }
        let nginx = try await Nginx.start(answer: answer.body, client: client)
        defer { if let nginx { Running.stop(nginx.process) } }
        if nginx == nil { say("nginx is not installed: look-ups are compared with nothing (apt-get install nginx-light)") }
        var ours: [Double] = []
        var theirs: [Double] = []
        for _ in 0..<Self.rounds {
            ours.append(try await rate(url, client))
            if let nginx { theirs.append(try await rate(nginx.url, client)) }
        }
        let own = median(ours)
        figures.add(
            Figure(
                name: "lookups", what: "look-ups by GET on one core", value: own, unit: "requests/s",
                ratio: theirs.isEmpty ? nil : own / median(theirs), target: "0.7 of nginx"))
        if !theirs.isEmpty {
            figures.add(
                Figure(
                    name: "lookups-nginx", what: "  nginx return 200 on the same core", value: median(theirs), unit: "requests/s")
            )
        }
    }

    /// Requests a second over kept connections, asked for from the other core.
    private func rate(_ url: String, _ client: HTTPClient) async throws(BenchError) -> Double {
        guard let wrk = Machine.program("wrk") else { return try await rateByOwnClient(url, client) }
        let output = try Running.run([wrk, "-t1", "-c\(Self.connections)", "-d\(Self.seconds)s", url], core: Machine.loadCore)
        guard !output.contains("Non-2xx"),
            let line = output.split(separator: "\n").first(where: { $0.hasPrefix("Requests/sec:") }),
            let rate = line.split(separator: " ").last.flatMap({ Double($0) })
        else { throw BenchError("wrk says of \(url):\n\(output)") }
        return rate
    }

    /// Without wrk this client is the slower side of both, so that the ratio says little.
    private func rateByOwnClient(_ url: String, _ client: HTTPClient) async throws(BenchError) -> Double {
        try Machine.pin(to: Machine.loadCore)
        defer { try? Machine.pin(to: nil) }
        let begin = ContinuousClock.now
        let count = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<Self.connections {
                group.addTask {
                    var count = 0
                    while ContinuousClock.now - begin < .seconds(Self.seconds) {
                        guard let answer = try? await client.send(HTTPClientRequest(url: url)), answer.status == 200 else {
                            break
                        }
                        count += 1
                    }
                    return count
                }
            }
            return await group.reduce(0, +)
        }
        return Double(count) / (ContinuousClock.now - begin).inSeconds
    }
}

/// nginx with one worker on the service's core.
struct Nginx {
    let process: pid_t
    let url: String

    static func start(answer: [UInt8], client: HTTPClient) async throws(BenchError) -> Nginx? {
        guard let program = Machine.program("nginx") else { return nil }
        let folder = try Running.folder("nginx")
        let port = try Machine.freePorts(1)[0]
        // Its configuration knows $variables, and the answer's text does not matter, only its size.
        let text = String(repeating: "x", count: max(0, answer.count - 1))
        try Running.write(
            """
            daemon off;
            worker_processes 1;
            pid \(folder)/pid;
            error_log stderr;
            events { worker_connections 256; }
            http {
              access_log off;
              keepalive_requests 100000000;
              client_body_temp_path \(folder); proxy_temp_path \(folder); fastcgi_temp_path \(folder);
              uwsgi_temp_path \(folder); scgi_temp_path \(folder);
              server { listen 127.0.0.1:\(port); default_type application/vnd.api+json; location / { return 200 "\(text)\\n"; } }
            }

            """, to: "\(folder)/nginx.conf")
        let process = try Running.start(
            [program, "-p", folder, "-c", "\(folder)/nginx.conf", "-e", "stderr"], core: Machine.serviceCore,
            output: "\(folder)/log")
        let url = "http://127.0.0.1:\(port)/"
        for _ in 0..<200 {
            if let answer = try? await client.send(HTTPClientRequest(url: url)), answer.status == 200 {
                return Nginx(process: process, url: url)
            }
            usleep(10_000)
        }
        throw BenchError("nginx does not start:\n\(Running.text("\(folder)/log"))")
    }
}
