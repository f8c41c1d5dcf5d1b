import CMicroHTTPD
import Glibc
import Synchronization

/// One open connection; lives from accept to close and serves its requests one after the other.
///
/// Everything but `deadline` belongs to the one server thread that owns the connection, which is why `@unchecked` is right.
final class ServerConnection: @unchecked Sendable {
    unowned(unsafe) let core: ServerCore
    let handle: OpaquePointer
    let socket: Int32
    /// Changes with every request, so that a head kept from an earlier one reads nothing.
    private(set) var generation: UInt64 = 0
    /// The request under way, when it has a body or is answered by a task.
    private var exchange: ServerExchange?
    /// Milliseconds on the server's clock at which the watchdog cuts the connection; `Int.max` while the handler works.
    let deadline: Atomic<Int>
    private let thread: pthread_t
    /// The answer's body when it is written while it is sent.
    private var stream: ServerStream?
    /// Kept alive for the TLS session; nil without TLS.
    let credentials: ServerCredentials?
    private var knownPeer: String??
    private var started = 0
    private var isHead = false

    /// More of a refused body than this is not read to be polite: the connection is cut.
    private static let discardLimit = 32 << 20

    /// Keeps sums with a handler's limit from overflowing.
    private static let limitOfLimits = 1 << 48

    init(core: ServerCore, handle: OpaquePointer) {
        self.core = core
        self.handle = handle
        socket = mhd_socket(handle)
        thread = pthread_self()
        credentials = core.tls?.adopt(handle)
        deadline = Atomic(core.clock.load(ordering: .relaxed) + core.idleDeadline)
    }

    // MARK: The life of a request

    /// First call of the access handler. Answering a request without a body here would make the library close the connection.
    func begin(_ url: UnsafePointer<CChar>, _ method: UnsafePointer<CChar>) -> Bool {
        core.openRequests.add(1, ordering: .relaxed)
        generation &+= 1
        started = core.clock.load(ordering: .relaxed)
        deadline.store(started + core.idleDeadline, ordering: .relaxed)
        let kind = HTTPMethod(bytes: method)
        isHead = kind == .head
        if kind == .get || isHead { return true }
        let head = HTTPRequestHead(method: kind, path: String(cString: url), connection: self)
        let length = head.header("Content-Length")
        let coding = head.header("Transfer-Encoding")
        if length == nil && coding == nil { return true }
        return open(head, length: length, coding: coding)
    }

    /// A part of the body came.
    func receive(_ url: UnsafePointer<CChar>, _ method: UnsafePointer<CChar>, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        if exchange == nil {
            // A GET with a body: rare, allowed, and looked at only now that it shows.
            let head = HTTPRequestHead(method: HTTPMethod(bytes: method), path: String(cString: url), connection: self)
            exchange = prepare(head, length: head.header("Content-Length"), coding: head.header("Transfer-Encoding"))
        }
        guard let exchange else { return false }
        exchange.append(bytes, core.handler)
        deadline.store(started + core.idleDeadline + exchange.received, ordering: .relaxed)
        return exchange.refusal == nil || exchange.received < exchange.limit + Self.discardLimit
    }

    /// The request is complete, or its task has answered.
    func finish(_ url: UnsafePointer<CChar>, _ method: UnsafePointer<CChar>) -> Bool {
        if let exchange {
            if let refusal = exchange.refusal { return queue(refusal) }
            if !exchange.isStarted { return hand(over: exchange) }
            return exchange.takeAnswer().map { queue($0, size: $1) } ?? false
        }
        let head = HTTPRequestHead(method: HTTPMethod(bytes: method), path: String(cString: url), connection: self)
        if let response = core.handler.immediate(head) { return queue(response) }
        let exchange = ServerExchange(head: head.kept(), connection: handle, limit: 0, expected: 0)
        self.exchange = exchange
        return hand(over: exchange)
    }

    /// The answer is sent, or the connection broke.
    func end() {
        exchange?.abandon()
        exchange = nil
        if let stream { end(stream) }
        generation &+= 1
        deadline.store(core.clock.load(ordering: .relaxed) + core.idleDeadline, ordering: .relaxed)
        core.openRequests.subtract(1, ordering: .releasing)
    }

    // MARK: Steps

    /// A request with a body: refuses early what need not be read.
    private func open(_ head: HTTPRequestHead, length: String?, coding: String?) -> Bool {
        let exchange = prepare(head, length: length, coding: coding)
        self.exchange = exchange
        guard let refusal = exchange.refusal else { return true }
        // Nothing has been sent yet, or too much would be: answer at once, which closes the connection. Everything else is
        // read and thrown away first, because closing with unread bytes makes the client lose the answer.
        let announced = length.flatMap(HTTPText.length) ?? 0
        if head.header("Expect") != nil || announced > exchange.limit + Self.discardLimit { return queue(refusal) }
        return true
    }

    private func prepare(_ head: HTTPRequestHead, length: String?, coding: String?) -> ServerExchange {
        let announced = length.flatMap(HTTPText.length)
        var refusal = malformed(head, length: length, announced: announced, coding: coding)
        if refusal == nil { refusal = core.handler.immediate(head) }
        let limit = refusal == nil ? min(max(0, core.handler.bodyLimit(head)), Self.limitOfLimits) : 0
        if refusal == nil, let announced, announced > limit { refusal = core.handler.tooLarge(head, limit: limit) }
        let exchange = ServerExchange(
            head: head.kept(), connection: handle, limit: limit, expected: refusal == nil ? announced ?? 0 : 0,
            folder: refusal == nil ? core.handler.folderForLargeBody(head) : nil)
        exchange.refusal = refusal
        return exchange
    }

    /// Framing that two servers could understand differently is the door to request smuggling.
    private func malformed(_ head: HTTPRequestHead, length: String?, announced: Int?, coding: String?) -> HTTPResponse? {
        let reason: String
        if length != nil, coding != nil {
            reason = "Content-Length and Transfer-Encoding must not both be sent"
        } else if length != nil, announced == nil {
            reason = "Content-Length is not a decimal number of bytes"
        } else if let coding, !HTTPText.same(coding.utf8, "chunked".utf8) {
            reason = "Transfer-Encoding \"\(coding)\" is not understood; send chunked or Content-Length"
        } else if length != nil, head.headers.count(where: { HTTPText.same($0.name.utf8, "content-length".utf8) }) > 1 {
            reason = "Content-Length is given more than once"
        } else {
            return nil
        }
        var response = HTTPResponse(status: 400, text: "Malformed request: \(reason).\n")
        response.headers.append(("Connection", "close"))
        return response
    }

    private func hand(over exchange: ServerExchange) -> Bool {
        deadline.store(.max, ordering: .relaxed)
        guard let request = exchange.takeRequest(core.handler) else { return exchange.refusal.map(queue) ?? false }
        if core.suspend(exchange, request) { return true }
        return queue(HTTPResponse(status: 503, text: "The server is stopping.\n"))
    }

    private func queue(_ response: HTTPResponse) -> Bool {
        let closing = core.draining.load(ordering: .relaxed)
        guard let built = ServerResponse.make(response, closing: closing, isHead: isHead) else { return false }
        return queue(built, size: response.body.count)
    }

    private func queue(_ response: ServerResponse, size: Int) -> Bool {
        deadline.store(core.clock.load(ordering: .relaxed) + core.idleDeadline + size, ordering: .relaxed)
        defer { MHD_destroy_response(response.handle) }
        if let stream = response.stream { begin(stream) }
        return MHD_queue_response(handle, response.status, response.handle) == mhd_yes
    }

    // MARK: Streamed answers

    private func begin(_ stream: ServerStream) {
        self.stream = stream
        core.probe(socket)
        stream.attach(self)
        core.began(stream)
    }

    private func end(_ stream: ServerStream) {
        self.stream = nil
        core.ended(stream)
        stream.detach()
    }

    /// There is something to send: the next part must be taken in time.
    func extend() { hurry(core.idleDeadline) }

    /// There is nothing to send: silence may last.
    func rest() { deadline.store(.max, ordering: .relaxed) }

    /// The connection must be over within so many milliseconds.
    func hurry(_ milliseconds: Int) {
        deadline.store(core.clock.load(ordering: .relaxed) + milliseconds, ordering: .relaxed)
    }

    // MARK: What the request says

    private func isReadable(_ wanted: UInt64) -> Bool { pthread_equal(thread, pthread_self()) != 0 && generation == wanted }

    func header(_ name: String, generation wanted: UInt64) -> String? {
        guard isReadable(wanted), let value = MHD_lookup_connection_value(handle, mhd_headers, name) else { return nil }
        return HTTPText.trimmed(value)
    }

    func headers(generation wanted: UInt64) -> [(name: String, value: String)] {
        guard isReadable(wanted) else { return [] }
        return values(mhd_headers, HTTPText.trimmed)
    }

    func query(generation wanted: UInt64) -> [(name: String, value: String)] {
        guard isReadable(wanted) else { return [] }
        return values(mhd_query, HTTPText.percentDecoded)
    }

    func peer(generation wanted: UInt64) -> String? {
        guard credentials?.isMutual == true, isReadable(wanted) else { return nil }
        if let knownPeer { return knownPeer }
        let peer = ServerTLS.peer(handle)
        knownPeer = peer
        return peer
    }

    private func values(
        _ kind: MHD_ValueKind, _ decode: @escaping (UnsafeBufferPointer<UInt8>) -> String
    ) -> [(name: String, value: String)] {
        var collected = ServerValues(decode: decode)
        withUnsafeMutablePointer(to: &collected) { pointer in
            _ = MHD_get_connection_values_n(handle, kind, collectServerValue, pointer)
        }
        return collected.pairs
    }
}

/// Where `collectServerValue` puts what it is given.
struct ServerValues {
    let decode: (UnsafeBufferPointer<UInt8>) -> String
    var pairs: [(name: String, value: String)] = []
}
