import Foundation
import HTTP
import IDF
import TestSupport
import Testing

/// A worker under statusd: what its operator sees and does, and what happens to it.
@Suite(.timeLimit(.minutes(5))) struct StatusDaemonTests {
    /// A statusd with its worker, ended with the test.
    final class Daemon: Sendable {
        let process: Process
        let folder: Folder
        let port: Int
        let statusPort: Int
        let file: String

        /// - Parameter text: the configuration; PORT, STATUS and FOLDER are filled in.
        init(_ text: String, _ arguments: [String] = []) throws {
            folder = try Folder()
            let ports = Program.freePorts(2)
            (port, statusPort) = (ports[0], ports[1])
            file = try folder.write("service.yaml", Self.fill(text, ports, folder.path))
            process = Process()
            process.executableURL = URL(fileURLWithPath: Program.path)
            process.arguments = ["statusd", "--config", file] + arguments
            process.standardError = FileHandle(forWritingAtPath: try folder.write("log", ""))!
            try process.run()
        }

        private static func fill(_ text: String, _ ports: [Int], _ folder: String) -> String {
            text.replacing("PORT", with: "\(ports[0])").replacing("STATUS", with: "\(ports[1])").replacing("FOLDER", with: folder)
        }

        func rewrite(_ text: String) throws {
            try folder.write("service.yaml", Self.fill(text, [port, statusPort], folder.path))
        }

        deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

        func call(_ path: String, _ method: HTTPMethod = .get) async throws -> HTTPClientResponse {
            try await Program.client.send(
                HTTPClientRequest(
                    method: method, url: "http://localhost\(path)", body: method == .get ? nil : [],
                    unixSocket: "\(folder.path)/state/statusd.sock"))
        }

        func status() async throws -> JSONValue { try JSONValue(parsing: try await call("/v1/status").body) }
        func state() async throws -> String { try await status()["state"]?.string ?? "" }
        func pids() async throws -> [Int32] {
            (try await status()["processes"]?.items ?? []).compactMap { $0["pid"]?.integer.map { Int32($0) } }
        }
        func isRunning() async throws { try await eventually("running") { try await state() == "running" } }

        func stop() async throws {
            process.terminate()
            try await Program.blocking { [process] in process.waitUntilExit() }
        }
    }

    private static let taxonomy = """
        worker: taxonomy-expert
        name: taxonomy
        listen: 127.0.0.1:PORT
        state: FOLDER/state
        ack: durable
        edges: ["file://FOLDER/out.ndjson"]

        """
    private static let packet = Array(
        """
        {"meta": {"format-name": "IntelMQ-IDF", "version": "3.1"}, "data": [{"type": "event", "id": "01900000-0000-7000-8000-000000000001",
        "attributes": {"source": {"ip": ["192.0.2.1"]}}}]}
        """.utf8)

    @Test func `a crashed worker comes back, and a worker whose statusd is gone ends`() async throws {
        let daemon = try Daemon(Self.taxonomy)
        try await daemon.isRunning()
        let first = try await daemon.pids()
        kill(first[0], SIGKILL)
        try await eventually("another process") {
            let now = try await daemon.pids()
            return now.count == 1 && now != first
        }
        try await daemon.isRunning()
        let process = try await daemon.status()["processes"]?.items?.first
        #expect(process?["restarts"]?.integer == 1)
        #expect(process?["last-end"]?.string?.contains("signal 9") == true)
        #expect(
            String(decoding: try await daemon.call("/metrics").body, as: UTF8.self).contains(
                "intelmq_process_restarts_total{process=\"0\"} 1"))

        let second = try await daemon.pids()[0]
        kill(daemon.process.processIdentifier, SIGKILL)
        try await eventually("the worker ends") { kill(second, 0) != 0 }
    }

    @Test func `a worker works on while its statusd does not`() async throws {
        let daemon = try Daemon(Self.taxonomy.replacing("ack: durable", with: "ack: relay\nlog: {level: debug}"))
        try await daemon.isRunning()
        kill(daemon.process.processIdentifier, SIGSTOP)
        defer { kill(daemon.process.processIdentifier, SIGCONT) }
        // More lines than a pipe holds.
        for _ in 0..<1000 {
            #expect(try await Program.post("/v1/packets", port: daemon.port, Self.packet).status == 200)
        }
        kill(daemon.process.processIdentifier, SIGCONT)
        try await eventually("it catches up") { try await daemon.status()["totals"]?["received"]?.integer == 1000 }
    }

    @Test func `a worker that dies at its start is a crash loop, and its last words are told`() async throws {
        let other = try Daemon(Self.taxonomy)
        try await other.isRunning()
        let daemon = try Daemon(Self.taxonomy.replacing("127.0.0.1:PORT", with: "127.0.0.1:\(other.port)"))
        try await eventually("a crash loop") { try await daemon.state() == "crash-loop" }
        let end = try await daemon.status()["processes"]?.items?.first?["last-end"]?.string ?? ""
        #expect(end.contains("exit code 78 (configuration)"))
        #expect(end.contains("cannot listen on 127.0.0.1:\(other.port)"))
        #expect(try await daemon.call("/readyz").status == 503)
        #expect(try await daemon.call("/livez").status == 200)
        // Now and then it is started again.
        try await eventually("the answer names the crash loop") {
            let answer = try await daemon.call("/v1/config")
            return answer.status == 503 && String(decoding: answer.body, as: UTF8.self).contains("crash-loop")
        }
    }

    @Test func `pause keeps what comes outside and what is inside, resume lets it go`() async throws {
        let daemon = try Daemon(Self.taxonomy)
        try await daemon.isRunning()
        #expect(try await daemon.call("/v1/pause", .post).status == 200)
        let refused = try await Program.post("/v1/packets", port: daemon.port, Self.packet)
        #expect(refused.status == 503)
        #expect(refused.header("Retry-After") != nil)
        #expect(String(decoding: refused.body, as: UTF8.self).contains("paused"))
        #expect(try await Program.client.send(HTTPClientRequest(url: "http://127.0.0.1:\(daemon.port)/readyz")).status == 503)
        #expect(try await daemon.state() == "paused")
        #expect(try await daemon.call("/v1/resume", .post).status == 200)
        #expect(try await daemon.state() == "running")
        #expect(try await Program.post("/v1/packets", port: daemon.port, Self.packet).status == 202)
        try await eventually("delivered") {
            try String(contentsOfFile: "\(daemon.folder.path)/out.ndjson", encoding: .utf8).contains("192.0.2.1")
        }
    }

    @Test func `a reload while packets are in work waits for them, and the next hop's secret is still followed`() async throws {
        let daemon = try Daemon(
            Self.taxonomy.replacing("taxonomy-expert", with: "deduplicator-expert").replacing("ack: durable", with: "ack: relay"))
        try await daemon.isRunning()
        let text = try String(contentsOfFile: daemon.file, encoding: .utf8)
        let posting = Task {
            for _ in 0..<300 {
                let status = try await Program.post("/v1/packets", port: daemon.port, Self.packet).status
                #expect([200, 503].contains(status))
            }
        }
        for round in 1...10 {
            try (text + "settings: {time-to-live: \(round) h}\n").write(toFile: daemon.file, atomically: true, encoding: .utf8)
            let answer = try await daemon.call("/v1/reload", .post)
            #expect(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
        }
        try await posting.value
        #expect(try await Program.post("/v1/packets", port: daemon.port, Self.packet).status == 200)
        #expect(try await daemon.state() == "running")
    }

    @Test func `calls that cross each other end, and the last one has its way`() async throws {
        let daemon = try Daemon(Self.taxonomy + "statusd: {processes: 2}\n")
        try await daemon.isRunning()
        for _ in 0..<3 {
            async let restarted = daemon.call("/v1/restart", .post)
            async let stopped = daemon.call("/v1/stop", .post)
            _ = try await (restarted, stopped)
        }
        #expect(try await daemon.call("/v1/stop", .post).status == 200)
        #expect(try await daemon.state() == "stopped")
        async let started = daemon.call("/v1/start", .post)
        async let stopped = daemon.call("/v1/stop", .post)
        _ = try await (started, stopped)
        #expect(try await daemon.call("/v1/start", .post).status == 200)
        #expect(try await daemon.state() == "running")
    }

    @Test func `stop, start and restart`() async throws {
        let daemon = try Daemon(Self.taxonomy)
        try await daemon.isRunning()
        #expect(try await daemon.call("/v1/stop", .post).status == 200)
        #expect(try await daemon.state() == "stopped")
        #expect(try await daemon.pids() == [])
        #expect(try await daemon.call("/v1/start", .post).status == 200)
        #expect(try await daemon.state() == "running")
        let before = try await daemon.pids()
        #expect(try await daemon.call("/v1/restart", .post).status == 200)
        #expect(try await daemon.state() == "running")
        #expect(try await daemon.pids() != before)
        try await daemon.stop()
        #expect(daemon.process.terminationStatus == 0)
    }

    @Test func `a reload takes settings, refuses mistakes with file and line, and says what needs a restart`() async throws {
        let text = Self.taxonomy.replacing("taxonomy-expert", with: "deduplicator-expert").replacing(
            "ack: durable", with: "ack: relay")
        let daemon = try Daemon(text + "settings: {time-to-live: 1 h}\n")
        try await daemon.isRunning()
        func reload() async throws -> (Int, String) {
            let answer = try await daemon.call("/v1/reload", .post)
            return (answer.status, String(decoding: answer.body, as: UTF8.self))
        }
        #expect(try await reload() == (200, "{\"meta\":{\"changed\":false}}\n"))

        try daemon.rewrite(text + "settings: {time-to-live: 2 h}\n")
        #expect(try await reload() == (200, "{\"meta\":{\"changed\":true}}\n"))
        let shown = String(decoding: try await daemon.call("/v1/config").body, as: UTF8.self)
        #expect(shown.contains("2 h"))
        #expect(try await Program.post("/v1/packets", port: daemon.port, Self.packet).status == 200)

        try daemon.rewrite(text + "settings:\n  time-to-liv: 2 h\n")
        let mistake = try await reload()
        #expect(mistake.0 == 422)
        #expect(mistake.1.contains("service.yaml:8:3"))
        #expect(mistake.1.contains("did you mean \\\"time-to-live\\\"?"))

        try daemon.rewrite(text.replacing("ack: relay", with: "ack: durable"))
        let fixed = try await reload()
        #expect(fixed.0 == 422)
        #expect(fixed.1.contains("ack cannot change while the service runs"))
        #expect(try await daemon.state() == "running")
    }

    @Test func `two of them for one worker are refused`() async throws {
        let daemon = try Daemon(Self.taxonomy)
        try await daemon.isRunning()
        let second = try await Program.run(["statusd", "--config", daemon.file])
        #expect(second.code == 78)
        #expect(second.err.contains("process \(daemon.process.processIdentifier)"))
        #expect(try await Program.run(["statusd", "health", "--config", daemon.file]).code == 0)
    }

    @Test func `several processes are one service`() async throws {
        let daemon = try Daemon(Self.taxonomy + "statusd: {processes: 2}\n")
        try await daemon.isRunning()
        #expect(try await daemon.pids().count == 2)
        for number in 0..<20 {
            let packet = String(decoding: Self.packet, as: UTF8.self).replacing(
                "000000000001", with: String(format: "%012d", number))
            // A connection of its own each, so that both processes get some.
            let client = HTTPClient(connectionsPerHost: 1)
            let answer = try await client.send(
                HTTPClientRequest(
                    method: .post, url: "http://127.0.0.1:\(daemon.port)/v1/packets",
                    headers: [("Content-Type", "application/json")],
                    body: Array(packet.utf8)))
            #expect(answer.status == 202)
        }
        try await eventually("summed") { try await daemon.status()["totals"]?["received"]?.integer == 20 }
        let page = String(decoding: try await daemon.call("/metrics").body, as: UTF8.self)
        #expect(page.contains("intelmq_events_received_total 20\n"))
        #expect(try await daemon.call("/v1/tap").status == 422)
        #expect(try await daemon.call("/v1/dead-letters").status == 200)
        // One starts again: what it has counted stays in the sum, and what the other has counted is not counted anew.
        let first = try await daemon.pids()[0]
        kill(first, SIGKILL)
        try await eventually("it is back") { try await daemon.pids().first.map { $0 != first } ?? false }
        try await daemon.isRunning()
        try await eventually("its page is there") {
            let status = try await daemon.status()
            return status["processes"]?.items?.allSatisfy { $0["answers"]?.bool == true } == true
        }
        let after = String(decoding: try await daemon.call("/metrics").body, as: UTF8.self)
        #expect(after.contains("intelmq_events_received_total 20\n"), "\(after)")
        #expect(try await daemon.status()["totals"]?["received"]?.integer == 20)
        // Both go at once, and both come back.
        for pid in try await daemon.pids() { kill(pid, SIGKILL) }
        try await eventually("both back") { try await daemon.pids().count == 2 }
        try await daemon.isRunning()
    }

    @Test func `a sidecar watches what something else has started, and outlives it`() async throws {
        let folder = try Folder()
        let port = Program.freePorts(1)[0]
        let text = Self.taxonomy.replacing("PORT", with: "\(port)").replacing("FOLDER", with: folder.path)
        let worker = try await Program.serve("taxonomy", text, in: folder, port: port)
        defer { worker.terminate() }
        let sidecar = Process()
        sidecar.executableURL = URL(fileURLWithPath: Program.path)
        sidecar.arguments = ["statusd", "--config", "\(folder.path)/taxonomy-\(port).yaml", "--attach"]
        sidecar.standardError = FileHandle.nullDevice
        try sidecar.run()
        defer { sidecar.terminate() }
        func call(_ path: String, _ method: HTTPMethod = .get) async throws -> HTTPClientResponse {
            try await Program.client.send(
                HTTPClientRequest(
                    method: method, url: "http://localhost\(path)", body: method == .get ? nil : [],
                    unixSocket: "\(folder.path)/state/statusd.sock"))
        }
        func state() async throws -> String? { try JSONValue(parsing: try await call("/v1/status").body)["state"]?.string }
        try await eventually("attached") { try await state() == "running" }
        #expect(try await call("/v1/stop", .post).status == 409)
        #expect(try await call("/v1/pause", .post).status == 200)
        #expect(try await call("/v1/resume", .post).status == 200)
        kill(worker.processIdentifier, SIGKILL)
        try await eventually("its absence is told") { try await state() == "unreachable" }
        #expect(try await call("/v1/pause", .post).status == 503)
    }

    @Test func `events are shown as they pass, and log lines as they come`() async throws {
        let daemon = try Daemon(Self.taxonomy)
        try await daemon.isRunning()
        let shown = Collected()
        let log = Collected()
        let watching = Task {
            _ = try await Program.client.send(
                HTTPClientRequest(
                    url: "http://localhost/v1/tap?limit=2", timeoutMilliseconds: 0,
                    unixSocket: "\(daemon.folder.path)/state/statusd.sock"),
                onChunk: { shown.add($0) })
        }
        let reading = Task {
            _ = try await Program.client.send(
                HTTPClientRequest(
                    url: "http://localhost/v1/logs?follow=true&lines=0", timeoutMilliseconds: 0,
                    unixSocket: "\(daemon.folder.path)/state/statusd.sock"), onChunk: { log.add($0) })
        }
        try await eventually("both ways are seen") {
            _ = try await Program.post("/v1/packets", port: daemon.port, Self.packet)
            return shown.text.contains("\"direction\":\"in\"")
        }
        // It ends by itself after two events.
        try await watching.value
        #expect(shown.text.split(separator: "\n").count == 2)
        let event = try JSONValue(parsing: Array(shown.text.split(separator: "\n")[0].utf8))
        #expect(event["event"]?["attributes"]?["source"] != nil)
        try await eventually("the pause is in the log") {
            _ = try await daemon.call("/v1/pause", .post)
            return log.text.contains("POST /v1/pause")
        }
        reading.cancel()
        _ = try? await reading.value
    }
}

/// Bytes that come piece by piece.
final class Collected: @unchecked Sendable {
    private let lock = NSLock()
    private var bytes: [UInt8] = []

    func add(_ piece: UnsafeBufferPointer<UInt8>) -> Bool {
        lock.withLock { bytes += piece }
        return true
    }

    var text: String { lock.withLock { String(decoding: bytes, as: UTF8.self) } }
}
