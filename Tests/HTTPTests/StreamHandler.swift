import HTTP
import Synchronization

/// Answers with streams and keeps what a test needs to write them.
struct StreamHandler: HTTPHandler {
    final class Writers: Sendable {
        private let all = Mutex<[HTTPBodyWriter]>([])
        let told = SharedCount()
        let sent = SharedCount()

        var now: [HTTPBodyWriter] { all.withLock { $0 } }
        func add(_ writer: HTTPBodyWriter) { all.withLock { $0.append(writer) } }
        func drop() { all.withLock { $0 = [] } }
    }

    let writers = Writers()
    var limit = 64 * 1024

    private func answer() -> HTTPResponse {
        let writers = writers
        let writer = HTTPBodyWriter(limit: limit) { writers.told.count() }
        writers.add(writer)
        return HTTPResponse(headers: [("Content-Type", "text/plain")], stream: writer)
    }

    func immediate(_ head: HTTPRequestHead) -> HTTPResponse? {
        switch head.path {
        case "/hello": return HTTPResponse(text: "hello\n")
        case "/now": return answer()
        case "/again":
            guard let writer = writers.now.first else { return HTTPResponse(status: 404) }
            return HTTPResponse(stream: writer)
        case "/empty":
            var response = answer()
            response.status = 204
            return response
        case "/bad":
            var response = answer()
            response.headers.append(("X", "a\r\nb"))
            return response
        default: return nil
        }
    }

    func bodyLimit(_ head: HTTPRequestHead) -> Int { 0 }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        if request.head.path == "/late" { try? await Task.sleep(for: .milliseconds(300)) }
        return answer()
    }
}
