import Archive
import Collectors
import Foundation
import HTTP
import IDF
import ServiceKernel
import Synchronization
import Testing
import YAML

/// A server that answers as it is told and remembers what it was asked.
private final class Feed: HTTPHandler {
    let answer: @Sendable (HTTPRequestHead) -> HTTPResponse
    let asked = Mutex<[String]>([])

    init(_ answer: @escaping @Sendable (HTTPRequestHead) -> HTTPResponse) { self.answer = answer }

    func immediate(_ head: HTTPRequestHead) -> HTTPResponse? {
        asked.withLock { $0.append(head.header("If-None-Match") ?? "-") }
        return answer(head)
    }
    func bodyLimit(_ head: HTTPRequestHead) -> Int { 0 }
    func respond(to request: HTTPRequest) async -> HTTPResponse { HTTPResponse(status: 404) }
}

@Suite struct CollectorTests {
    private let state = FileManager.default.temporaryDirectory.appendingPathComponent("intelmq-\(UUID.v7())").path
    private let log = Log.worker("test", level: .critical)

    init() throws { try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true) }

    private func collector(_ name: String, _ settings: String) throws -> any Collector {
        let document = try YAMLDocument.parse(Array("worker: \(name)\nsettings: {\(settings)}\n".utf8), file: "test.yaml")
        return try ConfigurationReader.read(document, roster: Roster(collectors)).worker as! any Collector
    }

    private func round(_ collector: any Collector, failing: Bool = false) async throws -> [Report] {
        let reports = Mutex<[Report]>([])
        try await collector.collect(WorkerContext(stateDirectory: state, log: log)) { report throws(Rejection) in
            if failing { throw .unavailable("nobody takes it") }
            reports.withLock { $0.append(report) }
        }
        return reports.withLock { $0 }
    }

    private func gzip(_ text: String) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/gzip")
        process.arguments = ["-c"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        input.fileHandleForWriting.write(Data(text.utf8))
        try input.fileHandleForWriting.close()
        return Array(output.fileHandleForReading.readDataToEndOfFile())
    }

    @Test func `a feed is handed on once per change, and again if nobody took it`() async throws {
        let feed = Feed { head in
            head.header("If-None-Match") == "\"1\""
                ? HTTPResponse(status: 304)
                : HTTPResponse(status: 200, headers: [("ETag", "\"1\"")], body: Array("192.0.2.1\n".utf8))
        }
        let server = try HTTPServer(HTTPServerConfiguration(), handler: feed)
        let http = try collector(
            "http-collector", "url: \"http://127.0.0.1:\(server.port)/list.txt\", feed: {name: List, code: l, accuracy: 90}")
        await #expect(throws: Rejection.self) { try await round(http, failing: true) }
        let first = try await round(http)
        #expect(first.map { String(decoding: $0.content.array, as: UTF8.self) } == ["192.0.2.1\n"])
        #expect(first[0].fields[.feedName] == "List" && first[0].fields[Key<String>("threat.feed.code")] == "l")
        #expect(throws: ConfigurationError.self) {
            try collector("http-collector", "url: \"http://a.example/\", feed: {nam: List}")
        }
        #expect(first[0].fileName == "list.txt")
        #expect(try await round(http).isEmpty)
        #expect(feed.asked.withLock { $0 } == ["-", "-", "\"1\""])
        await server.stop()
    }

    @Test func `gzip is unpacked, a truncated one is an error and comes again`() async throws {
        let whole = try gzip(String(repeating: "192.0.2.1\n", count: 5000))
        let cut = Mutex(true)
        let feed = Feed { _ in HTTPResponse(status: 200, body: cut.withLock { $0 } ? Array(whole.dropLast(20)) : whole) }
        let server = try HTTPServer(HTTPServerConfiguration(), handler: feed)
        let http = try collector("http-collector", "url: \"http://127.0.0.1:\(server.port)/list.csv.gz\"")
        let error = await #expect(throws: Rejection.self) { try await round(http) }
        #expect(error?.isTemporary == true)
        cut.withLock { $0 = false }
        let reports = try await round(http)
        #expect(reports.map(\.content.count) == [50000])
        #expect(reports[0].fileName == "list.csv")
        await server.stop()
    }

    @Test func `an answer over the limit is refused and the limit named`() async throws {
        let server = try HTTPServer(
            HTTPServerConfiguration(),
            handler: Feed { _ in HTTPResponse(status: 200, body: .init(repeating: 65, count: 100_000)) })
        let http = try collector("http-collector", "url: \"http://127.0.0.1:\(server.port)/\", size-limit: 10 KiB")
        let error = await #expect(throws: Rejection.self) { try await round(http) }
        #expect(error?.detail.contains("10240") == true)
        await server.stop()
    }

    @Test func `credentials of the URL stay out of the report and of errors`() async throws {
        let server = try HTTPServer(HTTPServerConfiguration(), handler: Feed { _ in HTTPResponse(status: 500) })
        let http = try collector("http-collector", "url: \"http://user:secret@127.0.0.1:\(server.port)/x?apikey=hidden&a=1\"")
        let error = await #expect(throws: Rejection.self) { try await round(http) }
        #expect(error?.detail.contains("secret") == false)
        #expect(error?.detail.contains("hidden") == false)
        await server.stop()
    }

    @Test func `files of a folder are read once per change`() async throws {
        let folder = state + "/in"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try "a,b\n".write(toFile: folder + "/one.csv", atomically: true, encoding: .utf8)
        try "no\n".write(toFile: folder + "/other.txt", atomically: true, encoding: .utf8)
        let files = try collector("file-collector", "path: \"\(folder)\", settle: 0")
        let first = try await round(files)
        #expect(first.map(\.fileName) == ["one.csv"])
        #expect(first[0].fields[.feedURL] == "file://localhost\(folder)/one.csv")
        #expect(try await round(files).isEmpty)
        try "a,b\nc,d\n".write(toFile: folder + "/one.csv", atomically: true, encoding: .utf8)
        #expect(try await round(files).count == 1)
        let deleting = try collector("file-collector", "path: \"\(folder)\", postfix: .txt, delete: true, settle: 0")
        #expect(try await round(deleting).count == 1)
        #expect(!FileManager.default.fileExists(atPath: folder + "/other.txt"))
    }

    @Test func `a file that nobody takes does not keep the others back, and comes again`() async throws {
        let folder = state + "/in"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in ["a", "b"] { try "\(name)\n".write(toFile: "\(folder)/\(name).csv", atomically: true, encoding: .utf8) }
        let files = try collector("file-collector", "path: \"\(folder)\", settle: 0")
        let taken = Mutex<[String]>([])
        await #expect(throws: Rejection.self) {
            try await files.collect(WorkerContext(stateDirectory: state, log: log)) { report throws(Rejection) in
                if report.fileName == "a.csv" { throw .malformed("too large") }
                taken.withLock { $0.append(report.fileName ?? "") }
            }
        }
        #expect(taken.withLock { $0 } == ["b.csv"])
        #expect(try await round(files).map(\.fileName) == ["a.csv"])
    }
}
