import Foundation
import HTTP
import IDF
import Synchronization
import TestSupport

/// The program under test, as the build has left it beside the test bundle.
enum Program {
    static let path: String = {
        let bundle = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        return bundle.appendingPathComponent("intelmq").path
    }()

    struct Result: Sendable {
        let code: Int32
        let out: String
        let err: String
    }

    /// Runs the program to its end, on a thread of its own: a test that blocks would hold up all others.
    static func run(_ arguments: [String], input: String = "") async throws -> Result {
        try await blocking { try runAndWait(arguments, input: input) }
    }

    static func blocking<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            Thread { continuation.resume(with: Swift.Result { try body() }) }.start()
        }
    }

    private static func runAndWait(_ arguments: [String], input: String) throws -> Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: sourceTree)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID.v7().description)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = ["in", "out", "err"].map { folder.appendingPathComponent($0) }
        try Data(input.utf8).write(to: files[0])
        for file in files[1...] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        process.standardError = try FileHandle(forWritingTo: files[2])
        try process.run()
        process.waitUntilExit()
        return Result(
            code: process.terminationStatus, out: try String(contentsOf: files[1], encoding: .utf8),
            err: try String(contentsOf: files[2], encoding: .utf8))
    }

    /// Starts a service with this configuration and waits until it is ready.
    static func serve(_ name: String, _ configuration: String, in folder: Folder, port: Int) async throws -> Process {
        let file = try folder.write("\(name)-\(port).yaml", configuration)
        let worker = configuration.split(separator: "\n").first { $0.hasPrefix("worker:") }!.split(separator: " ")[1]
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = [String(worker), "serve", "--config", file]
        process.currentDirectoryURL = URL(fileURLWithPath: sourceTree)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        for _ in 0..<3000 {
            if let answer = try? await client.send(HTTPClientRequest(url: "http://127.0.0.1:\(port)/readyz")),
                answer.status == 200
            {
                return process
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Failure("\(name) is not ready")
    }

    static let client = HTTPClient(connectionsPerHost: 16)

    static func post(_ path: String, port: Int, _ body: [UInt8], type: String = "application/json") async throws
        -> HTTPClientResponse
    {
        try await client.send(
            HTTPClientRequest(
                method: .post, url: "http://127.0.0.1:\(port)\(path)", headers: [("Content-Type", type)], body: body))
    }

    /// What the statusd of a node answers.
    static func statusd(
        _ node: String, in fleet: String, _ path: String, _ method: HTTPMethod = .get
    ) async throws -> HTTPClientResponse {
        try await client.send(
            HTTPClientRequest(
                method: method, url: "http://localhost\(path)", body: method == .get ? nil : [],
                unixSocket: "\(fleet)/state/\(node)/statusd.sock"))
    }

    /// The processes of a node's worker.
    static func workers(of node: String, in fleet: String) async throws -> [Int32] {
        let status = try JSONValue(parsing: try await statusd(node, in: fleet, "/v1/status").body)
        let processes = status["processes"]?.items ?? []
        return processes.compactMap { $0["pid"]?.integer.map { Int32($0) } }
    }

    /// The sum of a counter over its labels.
    static func metric(_ name: String, port: Int) async throws -> Int {
        let page = String(
            decoding: try await client.send(HTTPClientRequest(url: "http://127.0.0.1:\(port)/metrics")).body, as: UTF8.self)
        return page.split(separator: "\n").filter { $0.hasPrefix(name) }.reduce(0) {
            $0 + (Int($1.split(separator: " ").last ?? "") ?? 0)
        }
    }

    /// Ends what a failed test has left running: the processes of the `.pid` files in a folder.
    static func killAll(in folder: String) {
        for name in files(in: folder, ending: ".pid") {
            guard let text = try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8),
                let pid = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))
            else { continue }
            kill(pid, SIGKILL)
        }
    }

    /// Ports that nobody listens on: below those that the kernel gives to connections, and never the same twice.
    static func freePorts(_ count: Int) -> [Int] {
        var found: [Int] = []
        while found.count < count {
            let port = nextPort.withLock { next in
                defer { next = next >= 32_000 ? 10_000 : next + 1 }
                return next
            }
            if isFree(port) { found.append(port) }
        }
        return found
    }

    private static let nextPort = Mutex(10_000 + Int(getpid()) * 37 % 20_000)

    private static func isFree(_ port: Int) -> Bool {
        let one = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(one) }
        var yes: Int32 = 1
        setsockopt(one, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(one, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A folder that goes with the test.
final class Folder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("intelmq-\(UUID.v7())").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
        return "\(path)/\(name)"
    }
}
