import Foundation
import IDF
import Outputs
import SQLite
import ServiceKernel
import Testing
import YAML

@Suite struct OutputTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("intelmq-\(UUID.v7())").path

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    private func output(_ name: String, _ settings: String) throws -> any Output {
        let document = try YAMLDocument.parse(Array("worker: \(name)\nsettings: {\(settings)}\n".utf8), file: "test.yaml")
        var worker = try ConfigurationReader.read(document, roster: Roster(outputs)).worker
        try worker.prepare(WorkerContext(stateDirectory: nil, log: Log.worker("test", level: .critical)))
        return worker as! any Output
    }

    private func events(_ count: Int) -> [Event] {
        (0..<count).map { index in
            var event = Event()
            event.add(Key.sourceIP.id, text: "192.0.2.\(index)")
            event.add(Key.sourceASNumber.id, text: "4294967295")
            event.add(Key.timestamp.id, text: "2026-11-20 12:00:00")
            event[custom: "quote"] = .string("it's \"\(index)\"\n")
            return event
        }
    }

    @Test func `an event that comes twice is stored once`() async throws {
        let sql = try output("sql-output", "database: \"\(folder)/events.sqlite\"")
        let events = events(50)
        #expect(try await sql.write(events).isEmpty)
        #expect(try await sql.write(events + self.events(1)).isEmpty)
        let database = try SQLiteDatabase(path: "\(folder)/events.sqlite", access: .readOnly)
        #expect(try database.integer("SELECT count(*) FROM events") == 51)
        #expect(try database.integer("SELECT max(source_asn) FROM events") == 4_294_967_295)
        #expect(
            try database.integer("SELECT count(*) FROM events WHERE json_extract(event, '$.custom.quote') LIKE 'it''s %'") == 51)
        #expect(try database.integer("SELECT count(*) FROM events WHERE time = '2026-11-20T12:00:00Z'") == 51)
    }

    @Test func `an output takes no reports`() async throws {
        let document = try YAMLDocument.parse(
            Array("worker: sql-output\nsettings: {database: \"\(folder)/r.sqlite\"}\n".utf8), file: "test.yaml")
        let service = try Service.inProcess(try ConfigurationReader.read(document, roster: Roster(outputs)), next: [])
        let answer = await service.take(Packet(reports: [Report(content: Array("a".utf8))]), started: .now)
        #expect(answer.status == 422)
    }

    @Test func `a table name cannot carry SQL`() throws {
        #expect(throws: Rejection.self) {
            try output("sql-output", "database: \"\(folder)/x.sqlite\", table: \"events; DROP TABLE events\"")
        }
    }

    @Test func `lines are whole packets, and half a line left by a crash is cut off`() async throws {
        let path = "\(folder)/events.ndjson"
        try #"{"type":"event","id":"#.write(toFile: path, atomically: true, encoding: .utf8)
        let file = try output("file-output", "path: \"\(path)\"")
        _ = try await file.write(events(3))
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 3)
        for line in lines { #expect(try JSONValue(parsing: Array(line.utf8))["attributes"]?["source"]?["ip"] != nil) }
    }

    @Test func `a file that log rotation has renamed is begun anew`() async throws {
        let path = "\(folder)/rotated.ndjson"
        let file = try output("file-output", "path: \"\(path)\"")
        _ = try await file.write(events(2))
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        _ = try await file.write(events(3))
        #expect(try String(contentsOfFile: path + ".1", encoding: .utf8).split(separator: "\n").count == 2)
        #expect(try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count == 3)
    }

    @Test func `a device or a pipe takes lines, though it cannot be synced`() async throws {
        let pipe = "\(folder)/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        for path in ["/dev/null", pipe] {
            #expect(try await (try output("file-output", "path: \"\(path)\"")).write(events(3)).isEmpty)
        }
    }

    @Test func `CSV has a header once and quotes what must be quoted`() async throws {
        let path = "\(folder)/events.csv"
        let settings = "path: \"\(path)\", format: csv, fields: [source.ip, \"@timestamp\", threat.feed.name]"
        var event = events(1)[0]
        event[.feedName] = "a, \"b\""
        _ = try await (try output("file-output", settings)).write([event])
        _ = try await (try output("file-output", settings)).write([event])
        let row = "192.0.2.0,2026-11-20T12:00:00Z,\"a, \"\"b\"\"\""
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(whereSeparator: \.isNewline)
        #expect(lines.map(String.init) == ["source.ip,@timestamp,threat.feed.name", row, row])
    }
}
