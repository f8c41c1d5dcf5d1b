import HTTP
import Synchronization

/// A number that a test shares with whatever counts.
final class SharedCount: Sendable {
    private let value = Atomic<Int>(0)
    func count() { value.add(1, ordering: .relaxed) }
    var now: Int { value.load(ordering: .relaxed) }
}

/// Counts and gates that a test shares with its handler.
final class Shared: Sendable {
    let cancelled = Atomic<Int>(0)
    let responded = Atomic<Int>(0)
    let escaped = Mutex<HTTPRequestHead?>(nil)
}

/// A small service with every kind of answer.
struct TestHandler: HTTPHandler {
    let shared = Shared()
    var limit = 1_000_000

    func immediate(_ head: HTTPRequestHead) -> HTTPResponse? {
        switch (head.method.route, head.path) {
        case (.get, "/hello"): return HTTPResponse(text: "hello\n")
        case (.get, "/echo"):
            let query = head.query.map { "\($0.name)=\($0.value)" }.joined(separator: ";")
            return HTTPResponse(text: "\(query)|\(head.header("x-test") ?? "none")")
        case (.get, "/head"):
            shared.escaped.withLock { $0 = head }
            return HTTPResponse(text: "kept")
        case (.get, "/big"): return HTTPResponse(status: 200, body: [UInt8](repeating: 66, count: 3_000_000))
        case (.get, "/status"):
            return HTTPResponse(status: Int(head.query.first?.value ?? "") ?? 200, body: Array("seven b".utf8))
        case (.get, "/inject"): return HTTPResponse(status: 200, headers: [("X-Evil", "a\r\nSet-Cookie: b")], body: [])
        case (.get, "/redirect"):
            let left = Int(head.query.first?.value ?? "") ?? 0
            return HTTPResponse(status: 302, headers: [("Location", left > 0 ? "/redirect?n=\(left - 1)" : "/hello")], body: [])
        case (.get, "/redirect-ftp"): return HTTPResponse(status: 302, headers: [("Location", "ftp://127.0.0.1/")], body: [])
        case (.get, "/slow"), (.get, "/never"), (.get, "/facts"), (.post, "/post"), (.post, "/slow"), (.put, "/post"): return nil
        case (.post, "/json"):
            return head.header("Content-Type") == "application/json" ? nil : HTTPResponse(status: 415, text: "JSON only")
        case (.post, _): return HTTPResponse(status: 404, text: "no such path")
        default: return HTTPResponse(status: head.method == .get ? 404 : 405, text: "no")
        }
    }

    func bodyLimit(_ head: HTTPRequestHead) -> Int { limit }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        shared.responded.add(1, ordering: .relaxed)
        switch request.head.path {
        case "/slow": try? await Task.sleep(for: .milliseconds(200))
        case "/never":
            while !Task.isCancelled { try? await Task.sleep(for: .milliseconds(20)) }
            shared.cancelled.add(1, ordering: .relaxed)
        case "/facts":
            return HTTPResponse(text: "\(request.head.header("X-Test") ?? "none")|\(request.head.query.map(\.value))")
        default: break
        }
        let spare = request.body.capacity - request.body.count >= 64 ? "spare" : "tight"
        let sum = request.body.reduce(into: UInt64(0)) { $0 = $0 &* 31 &+ UInt64($1) }
        return HTTPResponse(text: "\(request.head.method.rawValue) \(request.body.count) \(sum) \(spare)")
    }
}

/// What `respond` says of a body.
func expected(_ method: String, _ body: [UInt8]) -> String {
    "\(method) \(body.count) \(body.reduce(into: UInt64(0)) { $0 = $0 &* 31 &+ UInt64($1) }) spare"
}

/// A body whose bytes differ.
func noise(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7919 &>> 3) } }

/// Runs a test against a fresh server and stops it afterwards.
func withServer<Answer>(
    _ handler: TestHandler = TestHandler(), _ configuration: HTTPServerConfiguration = .init(),
    _ body: (HTTPServer) async throws -> Answer
) async throws -> Answer {
    let server = try HTTPServer(configuration, handler: handler)
    do {
        let answer = try await body(server)
        await server.stop(deadline: .seconds(2))
        return answer
    } catch {
        await server.stop(deadline: .zero)
        throw error
    }
}
