import Foundation
import HTTP
import IDF
import TestSupport
import Testing

/// A report is larger than the memory that its reading may take.
@Suite(.serialized)
struct LargeReportTests {
    /// 128 MB: rows of 64 KB, of which two short columns become events.
    private static func rows(_ row: (Int) -> String) -> [UInt8] {
        var text: [UInt8] = []
        for number in 0..<2000 { text.append(contentsOf: row(number).utf8) }
        return text
    }

    private static let filling = String(repeating: "x", count: 64_000)

    @Test(arguments: ["csv-parser", "json-parser"])
    func `memory does not grow with the report`(_ parser: String) async throws {
        let folder = try Folder()
        let ports = Program.freePorts(2)
        let store = try await store(in: folder, port: ports[1])
        defer { store.terminate() }
        let settings = parser == "csv-parser" ? "{columns: [source.ip, custom.number, \"\"], type: scanner}" : "{}"
        let service = try await Program.serve(
            "parser",
            """
            worker: \(parser)
            listen: 127.0.0.1:\(ports[0])
            state: "\(folder.path)/state"
            keep-original: false
            settings: \(settings)
            edges: [{to: "http://127.0.0.1:\(ports[1])"}]
            """, in: folder, port: ports[0])
        defer { service.terminate() }
        let report =
            parser == "csv-parser"
            ? Self.rows { "192.0.2.\($0 % 256),\($0),\(Self.filling)\n" }
            : Array("[".utf8) + Self.rows { "{\"source.ip\": \"192.0.2.\($0 % 256)\", \"__type\": \"\(Self.filling)\"},\n" }
                + Array("{}]".utf8)
        let answer = try await Program.client.send(
            HTTPClientRequest(
                method: .post, url: "http://127.0.0.1:\(ports[0])/v1/reports?file_name=x",
                headers: [("Content-Type", "text/csv")],
                body: report, timeoutMilliseconds: 120_000))
        #expect(answer.status == 202 || answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
        #expect(await eventually { (try? await Program.metric("intelmq_events_sent_total", port: ports[1])) ?? 0 >= 2000 })
        let peak = try peakMemory(of: service)
        #expect(peak < 100_000, "\(peak) kB for a report of \(report.count / 1000) kB")
        // The file that held it has no name, and is gone.
        #expect(files(in: "\(folder.path)/state", ending: "").allSatisfy { !$0.hasPrefix("bulk") })
    }

    @Test func `a collector hands a large report on as it is, and waits for who takes it`() async throws {
        let folder = try Folder()
        let ports = Program.freePorts(3)
        let report = Self.rows { "192.0.2.\($0 % 256),\($0),\(Self.filling)\n" }
        try FileManager.default.createDirectory(atPath: "\(folder.path)/in", withIntermediateDirectories: true)
        try Data(report).write(to: URL(fileURLWithPath: "\(folder.path)/in/big.csv"))
        let collector = try await Program.serve(
            "collector",
            """
            worker: file-collector
            listen: 127.0.0.1:\(ports[0])
            state: "\(folder.path)/collector"
            ack: durable
            settings: {path: "\(folder.path)/in", settle: 0s, feed: {name: Größe & Co, accuracy: 90}}
            edges: [{to: "http://127.0.0.1:\(ports[1])"}]
            """, in: folder, port: ports[0])
        defer { collector.terminate() }
        // Nobody is there yet.
        #expect(
            await eventually { (try? await Program.metric("intelmq_reports_received_total", port: ports[0])) ?? 0 == 1 })
        let store = try await store(in: folder, port: ports[2])
        defer { store.terminate() }
        let parser = try await Program.serve(
            "parser",
            """
            worker: csv-parser
            listen: 127.0.0.1:\(ports[1])
            state: "\(folder.path)/parser"
            keep-original: false
            settings: {columns: [source.ip, custom.number, ""], type: scanner}
            edges: [{to: "http://127.0.0.1:\(ports[2])"}]
            """, in: folder, port: ports[1])
        defer { parser.terminate() }
        #expect(await eventually { (try? await Program.metric("intelmq_events_sent_total", port: ports[2])) ?? 0 >= 2000 })
        #expect(
            await eventually { files(in: "\(folder.path)/collector").contains("seen.json") },
            "what is acknowledged is not fetched again")
        for process in [collector, parser] {
            let peak = try peakMemory(of: process)
            #expect(peak < 100_000, "\(peak) kB for a report of \(report.count / 1000) kB")
        }
        let events = try String(contentsOfFile: "\(folder.path)/events.ndjson", encoding: .utf8).split(separator: "\n")
        #expect(events.count == 2000)
        let first = try #require(events.first)
        for part in [#""feed":{"name":"Größe & Co","url":"file://localhost/"#, #""accuracy":90"#] {
            #expect(first.contains(part), "\(first)")
        }
    }

    private func store(in folder: Folder, port: Int) async throws -> Process {
        try await Program.serve(
            "store",
            """
            worker: file-output
            listen: 127.0.0.1:\(port)
            settings: {path: "\(folder.path)/events.ndjson"}
            """, in: folder, port: port)
    }

    /// The most memory that a process had, in kB.
    private func peakMemory(of process: Process) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return try #require(line?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    }
}
