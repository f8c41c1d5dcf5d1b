import Foundation
import HTTP
import IDF
import TestSupport
import Testing

/// What people who operate a fleet are given: measures, alerts and a dashboard, tried with a real Prometheus.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct PrometheusTests {
    private static let rules = "\(sourceTree)/deploy/prometheus"
    private static let services = ["shadowserver", "asn-lookup", "taxonomy", "deduplicator", "store"]

    private struct Ended: Sendable {
        let code: Int32
        let text: String
    }

    /// Runs a tool of Prometheus to its end.
    private func tool(_ name: String, _ arguments: [String], input: String? = nil) async throws -> Ended {
        let path = try tool(name)
        return try await Program.blocking {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: path)
            process.arguments = arguments
            let (given, out) = (Pipe(), Pipe())
            process.standardInput = given
            process.standardOutput = out
            process.standardError = out
            try process.run()
            // Pages are larger than a pipe holds.
            Thread {
                given.fileHandleForWriting.write(Data((input ?? "").utf8))
                try? given.fileHandleForWriting.close()
            }.start()
            let data = out.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return Ended(code: process.terminationStatus, text: String(decoding: data, as: UTF8.self))
        }
    }

    private func tool(_ name: String) throws -> String {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") + ["/usr/bin"]
        guard let found = folders.map({ "\($0)/\(name)" }).first(where: FileManager.default.isExecutableFile) else {
            throw Failure("there is no \(name) in PATH: apt-get install --no-install-recommends prometheus")
        }
        return found
    }

    @Test func `configuration, rules and their tests are right`() async throws {
        for arguments in [
            ["check", "config", "\(Self.rules)/prometheus.yml"], ["check", "rules", "\(Self.rules)/rules.yml"],
            ["test", "rules", "\(Self.rules)/rules.test.yml"],
        ] {
            let ended = try await tool("promtool", arguments)
            #expect(ended.code == 0, "promtool \(arguments.joined(separator: " ")): \(ended.text)")
        }
    }

    @Test func `every alert is named in the tests and says what to do`() throws {
        let rules = try String(contentsOfFile: "\(Self.rules)/rules.yml", encoding: .utf8)
        let tests = try String(contentsOfFile: "\(Self.rules)/rules.test.yml", encoding: .utf8)
        let alerts = rules.split(separator: "- alert: ").dropFirst()
        #expect(alerts.count >= 7)
        for alert in alerts {
            let name = alert.prefix { $0 != "\n" }
            #expect(alert.contains("summary:") && alert.contains("runbook:"), "\(name)")
            #expect(tests.contains("alertname: \(name)\n") && tests.contains("alertname: \(name), exp_alerts: []"), "\(name)")
        }
    }

    @Test func `a real Prometheus reads the fleet, and every query of the dashboard and the alerts finds something`() async throws
    {
        let folder = try Folder()
        let ports = Program.freePorts(6)
        let fleet = "\(folder.path)/fleet"
        var graph = try String(contentsOfFile: "\(sourceTree)/openapi/workflows/shadowserver.yaml", encoding: .utf8)
        var configuration = try String(contentsOfFile: "\(Self.rules)/prometheus.yml", encoding: .utf8)
        for index in 0..<5 {
            graph = graph.replacing("127.0.0.1:870\(index + 1)", with: "127.0.0.1:\(ports[index])")
            configuration = configuration.replacing("127.0.0.1:870\(index + 1)", with: "127.0.0.1:\(ports[index])")
        }
        graph = graph.replacing("var/events.sqlite", with: "\(folder.path)/events.sqlite")
        configuration = configuration.replacing("_interval: 15s", with: "_interval: 1s")
        try folder.write("rules.yml", try String(contentsOfFile: "\(Self.rules)/rules.yml", encoding: .utf8))
        try folder.write("prometheus.yml", configuration)
        let up = try await Program.run(["ctl", "up", try folder.write("graph.yaml", graph), "--directory", fleet])
        try #require(up.code == 0, "\(up.err)")
        defer { Program.killAll(in: "\(fleet)/run") }

        for port in ports.prefix(5) {
            let page = try await Program.client.send(HTTPClientRequest(url: "http://127.0.0.1:\(port)/metrics")).body
            let ended = try await tool("promtool", ["check", "metrics"], input: String(decoding: page, as: UTF8.self))
            #expect(ended.code == 0 && ended.text.isEmpty, "\(ended.text)")
        }

        let server = Process()
        server.executableURL = URL(fileURLWithPath: try tool("prometheus"))
        server.arguments = [
            "--config.file=\(folder.path)/prometheus.yml", "--storage.tsdb.path=\(folder.path)/data",
            "--web.listen-address=127.0.0.1:\(ports[5])", "--log.level=error",
        ]
        server.standardOutput = FileHandle.nullDevice
        server.standardError = FileHandle.nullDevice
        try server.run()
        defer {
            server.terminate()
            server.waitUntilExit()
        }
        let prometheus = Prometheus(port: ports[5])
        try await eventually("all five services are read", seconds: 60) {
            try await prometheus.query("count(up == 1)").first?.value == 5
        }
        #expect(try await prometheus.scrapeProblems() == [])

        // Something of everything: events, duplicates, a bad row, a refused packet.
        let report = try String(contentsOfFile: "\(sourceTree)/deploy/demo/2026-11-20-scan_rdp-demo.csv", encoding: .utf8)
        let lines = report.split(separator: "\n").prefix(201)
        let body = Array((lines.joined(separator: "\n") + "\n\"2026-11-20 00:00:00\",\"high\",\"no address\"\n").utf8)
        let traffic = Task {
            while !Task.isCancelled {
                _ = try? await Program.post(
                    "/v1/reports?file_name=2026-11-20-scan_rdp-x.csv", port: ports[0], body, type: "text/csv")
                _ = try? await Program.post("/v1/packets", port: ports[1], Array("{}".utf8))
                try? await Task.sleep(for: .milliseconds(500))
            }
        }
        defer { traffic.cancel() }

        let queries = try dashboard()
        #expect(queries.count > 25)
        for query in queries {
            var last = "nothing"
            do {
                try await eventually(query, seconds: 30) {
                    let found = try await prometheus.query(query)
                    last = "\(found.prefix(3))"
                    return found.contains { $0.value.isFinite }
                }
            } catch {
                Issue.record("no data for \(query): \(last)")
            }
        }
        for service in Self.services {
            let received = try await prometheus.query("intelmq_events_received_total{service=\"\(service)\"}")
            #expect(received.first.map { $0.value > 0 } == true, "\(service)")
        }
        let alerts = try await prometheus.alerts()
        #expect(alerts.count >= 7)
        for alert in alerts {
            #expect(alert.health == "ok", "\(alert.name): \(alert.problem)")
            // Each asks for a measure that is there; that none of them fires is as it should be, but for the bad rows.
            _ = try await prometheus.query(alert.query)
            if alert.name != "IntelMQDeadLettersRising" { #expect(alert.state != "firing", "\(alert.name)") }
        }
        try await eventually("the bad rows raise an alert", seconds: 60) {
            try await prometheus.alerts().contains { $0.name == "IntelMQDeadLettersRising" && $0.state == "firing" }
        }
        #expect(try await prometheus.scrapeProblems() == [])
        #expect(try await Program.run(["ctl", "down", "--directory", fleet]).code == 0)
    }

    /// The queries of the dashboard, with its variables as they are when it is opened.
    private func dashboard() throws -> [String] {
        let document = try JSONValue(
            parsing: Array(try String(contentsOfFile: "\(sourceTree)/deploy/grafana/intelmq.json", encoding: .utf8).utf8))
        let variables = document["templating"]?["list"]?.items?.compactMap { $0["name"]?.string }
        #expect(variables == ["datasource", "service"])
        var ids: Set<Int> = []
        return (document["panels"]?.items ?? []).flatMap { panel -> [String] in
            if let id = panel["id"]?.integer { #expect(ids.insert(id).inserted) }
            #expect(panel["datasource"]?["uid"]?.string == "${datasource}")
            return (panel["targets"]?.items ?? []).compactMap { target in
                target["expr"]?.string?.replacing("$service", with: ".*").replacing("$__rate_interval", with: "10s")
            }
        }
    }
}

/// Prometheus' HTTP API.
private struct Prometheus: Sendable {
    let port: Int

    struct Found: Sendable {
        let labels: String
        let value: Double
    }

    struct Alert: Sendable {
        let name: String
        let query: String
        let health: String
        let state: String
        let problem: String
    }

    private func get(_ path: String, _ query: String? = nil) async throws -> JSONValue {
        let allowed = CharacterSet.alphanumerics
        let end = query.flatMap { $0.addingPercentEncoding(withAllowedCharacters: allowed) }.map { "?query=\($0)" } ?? ""
        let answer = try await Program.client.send(HTTPClientRequest(url: "http://127.0.0.1:\(port)/api/v1/\(path)\(end)"))
        let document = try JSONValue(parsing: answer.body)
        guard document["status"]?.string == "success" else {
            throw Failure("\(path) \(query ?? ""): \(document["error"]?.string ?? "status \(answer.status)")")
        }
        return document["data"] ?? .null
    }

    /// The values of a query at this moment.
    func query(_ text: String) async throws -> [Found] {
        (try await get("query", text)["result"]?.items ?? []).compactMap { one in
            guard let value = one["value"]?.items?.last?.string.flatMap({ Double($0) }) else { return nil }
            return Found(labels: one["metric"].map { String(decoding: $0.bytes, as: UTF8.self) } ?? "", value: value)
        }
    }

    /// What is wrong with pages that were read.
    func scrapeProblems() async throws -> [String] {
        (try await get("targets")["activeTargets"]?.items ?? []).compactMap { $0["lastError"]?.string }.filter { !$0.isEmpty }
    }

    func alerts() async throws -> [Alert] {
        (try await get("rules")["groups"]?.items ?? []).flatMap { $0["rules"]?.items ?? [] }.map { rule in
            func text(_ name: String) -> String { rule[name]?.string ?? "" }
            return Alert(
                name: text("name"), query: text("query"), health: text("health"), state: text("state"), problem: text("lastError")
            )
        }
    }
}
