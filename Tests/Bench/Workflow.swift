import Glibc
import HTTP
import IDF
import ServiceKernel

/// The demonstration's workflow from a report to the database: as a fleet of processes, and in one process.
struct Workflow {
    let subject: Subject
    static let rows = 60_000
    static let piece = 10_000
    static let inFlight = 2
    static let rounds = 3
    static let fileName = "2026-11-20-scan_rdp-demo.csv"

    func measure(into figures: Figures) async throws(BenchError) {
        let (header, rows) = try Load.report(rows: Self.rows)
        var rates: [Double] = []
        var memory: [(node: String, idle: Machine.Memory, loaded: Machine.Memory)] = []
        for round in 0..<Self.rounds {
            let fleet = try Fleet(subject, "fleet-\(round)")
            defer { fleet.stop() }
            let processes = Running.workers(fleet.folder)
            usleep(300_000)
            let idle = processes.map { Machine.memory($0.process) }
            rates.append(try await fleet.rate(header, rows))
            if round == 0 {
                for (place, one) in processes.enumerated() { memory.append((one.node, idle[place], Machine.memory(one.process))) }
            }
        }
        figures.add(
            Figure(
                name: "workflow-fleet", what: "workflow, five processes, report to database", value: median(rates),
                unit: "events/s",
                target: "30,000"))
        try inOneProcess(header, rows, into: figures)
        for one in memory {
            let sizes: [(String, String, Double, String?)] = [
                ("idle-private", "idle, private", one.idle.own, "at most 15"),
                ("idle-resident", "idle, resident", one.idle.resident, nil),
                ("loaded-private", "after load, private", one.loaded.own, nil),
                ("loaded-resident", "after load, resident", one.loaded.resident, nil),
            ]
            for (name, what, bytes, target) in sizes {
                figures.add(
                    Figure(
                        name: "memory-\(one.node)-\(name)", what: "memory, \(one.node), \(what)", value: bytes / 1e6, unit: "MB",
                        target: target))
            }
        }
    }

    private func inOneProcess(_ header: [UInt8], _ rows: [[UInt8]], into figures: Figures) throws(BenchError) {
        var rates: [Double] = []
        for round in 0..<Self.rounds {
            let folder = try Running.folder("one-\(round)")
            let graph = try Self.graph(in: folder, ports: Array(1...6))
            let report = "\(folder)/\(Self.fileName)"
            do { try replaceFile(report, with: header + rows.joined()) } catch { throw BenchError(error.detail) }
            let text = try Running.run([subject.binary, "ctl", "run", graph, report, "--json"])
            guard let answer = try? JSONValue(parsing: text.utf8), let seconds = answer["seconds"]?.double,
                let events = answer["events"]?.double,
                let stored = answer["nodes"]?.items?.first(where: { $0["node"]?.string == "store" })?["received"]?.integer
            else { throw BenchError("intelmq ctl run --json printed:\n\(text)") }
            guard stored == rows.count else {
                throw BenchError("only \(stored) of \(rows.count) events were stored by intelmq ctl run")
            }
            rates.append(events / seconds)
            unlink(report)
        }
        figures.add(
            Figure(
                name: "workflow-one-process", what: "workflow, one process, report to database", value: median(rates),
                unit: "events/s",
                target: "60,000"))
    }

    /// A copy of the workflow with ports and a database of its own.
    /// - Parameter ports: those of the document itself and of its five nodes.
    static func graph(in folder: String, ports: [UInt16]) throws(BenchError) -> String {
        var text = Running.text(try Subject.path(of: Subject.workflow))
        for (place, port) in ports.enumerated() {
            text = text.replacing("http://127.0.0.1:870\(place)\"", with: "http://127.0.0.1:\(port)\"")
        }
        text = text.replacing("var/events.sqlite", with: "\"\(folder)/events.sqlite\"")
        text = text.replacing(Subject.schema, with: "\"\(try Subject.path(of: Subject.schema))\"")
        text = text.replacing(Subject.asnDatabase, with: "\"\(try Subject.path(of: Subject.asnDatabase))\"")
        let path = "\(folder)/workflow.yaml"
        try Running.write(text, to: path)
        return path
    }
}

/// The workflow as processes of this machine.
private struct Fleet {
    let folder: String
    let ports: [UInt16]
    private let client = HTTPClient(connectionsPerHost: 4)

    init(_ subject: Subject, _ name: String) throws(BenchError) {
        folder = try Running.folder(name)
        ports = try Machine.freePorts(6)
        let graph = try Workflow.graph(in: folder, ports: ports)
        Running.addFleet(folder)
        try Running.run([subject.binary, "ctl", "up", graph, "--directory", folder])
    }

    func stop() { Running.stopFleet(folder) }

    /// Events a second from the first byte sent until the last event is stored.
    func rate(_ header: [UInt8], _ rows: [[UInt8]]) async throws(BenchError) -> Double {
        let pieces = stride(from: 0, to: rows.count, by: Workflow.piece).map { start in
            header + rows[start..<min(start + Workflow.piece, rows.count)].joined()
        }
        let begin = ContinuousClock.now
        let failure = await withTaskGroup(of: String?.self) { group in
            var failure: String?
            for (number, piece) in pieces.enumerated() {
                if number >= Workflow.inFlight, let answer = await group.next() { failure = failure ?? answer }
                group.addTask { await post(piece) }
            }
            for await answer in group { failure = failure ?? answer }
            return failure
        }
        if let failure { throw BenchError("a report was refused: \(failure)") }
        while true {
            let stored = await count("intelmq_events_sent_total", at: ports[5])
            if stored >= rows.count { break }
            let lost =
                await count("intelmq_events_dropped_total", at: ports[4])
                + count("intelmq_events_dead_lettered_total", at: ports[1])
            guard lost == 0, ContinuousClock.now - begin < .seconds(60) else {
                throw BenchError(
                    "after \(ContinuousClock.now - begin) \(stored) of \(rows.count) events are stored and \(lost) dropped or dead"
                )
            }
            usleep(5000)
        }
        return Double(rows.count) / (ContinuousClock.now - begin).inSeconds
    }

    private func post(_ piece: [UInt8]) async -> String? {
        let request = HTTPClientRequest(
            method: .post, url: "http://127.0.0.1:\(ports[1])/v1/reports?file_name=\(Workflow.fileName)",
            headers: [("Content-Type", "text/csv")],
            body: piece, timeoutMilliseconds: 60_000)
        do {
            let answer = try await client.send(request)
            return answer.status == 202 ? nil : String(decoding: answer.body, as: UTF8.self)
        } catch {
            return "\(error)"
        }
    }

    /// A counter summed over its labels.
    private func count(_ name: String, at port: UInt16) async -> Int {
        guard let answer = try? await client.send(HTTPClientRequest(url: "http://127.0.0.1:\(port)/metrics")) else { return 0 }
        let lines = String(decoding: answer.body, as: UTF8.self).split(separator: "\n").filter { $0.hasPrefix(name) }
        return Int(lines.reduce(0.0) { $0 + ($1.split(separator: " ").last.flatMap { Double($0) } ?? 0) })
    }
}
