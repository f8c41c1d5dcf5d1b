import Bulk
import CMicroHTTPD
import Synchronization

/// A request with a body, or one that a task answers.
///
/// The members outside `state` belong to the connection's thread until the task is started, which reads only `head`.
final class ServerExchange: @unchecked Sendable {
    let head: HTTPRequestHead
    private let connection: OpaquePointer
    /// Bytes of body the handler allows.
    let limit: Int
    /// Bytes of body that came, kept or thrown away.
    private(set) var received = 0
    /// Set when the request is refused without asking `respond`; the rest of the body is then thrown away.
    var refusal: HTTPResponse?
    /// Whether the task has the request.
    private(set) var isStarted = false
    private var body: BulkWriter
    private let state = Mutex(State.working(nil))

    private enum State {
        case working(Task<Void, Never>?)
        case answered(ServerResponse, size: Int)
        case over
    }

    init(head: HTTPRequestHead, connection: OpaquePointer, limit: Int, expected: Int, folder: String? = nil) {
        self.connection = connection
        self.head = head
        self.limit = limit
        body = BulkWriter(directory: folder, expected: expected)
    }

    func append(_ bytes: UnsafeBufferPointer<UInt8>, _ handler: any HTTPHandler) {
        received += bytes.count
        guard refusal == nil else { return }
        if bytes.count > limit - body.count {
            refuse(handler.tooLarge(head, limit: limit))
        } else {
            do { try body.append(bytes) } catch { refuse(handler.cannotKeep(head, error)) }
        }
    }

    private func refuse(_ response: HTTPResponse) {
        body.reset()
        refusal = response
    }

    /// The whole body is there: it takes the request out of the exchange, once, or refuses it.
    func takeRequest(_ handler: any HTTPHandler) -> HTTPRequest? {
        isStarted = true
        do { return HTTPRequest(head: head, content: try body.finish()) } catch {
            refusal = handler.cannotKeep(head, error)
            return nil
        }
    }

    /// Leaves the connection alone until the answer is there; on the connection's thread.
    func suspend() { MHD_suspend_connection(connection) }

    /// Notes the task, so that a stop can cancel it; one that has answered already needs no note.
    func note(_ task: Task<Void, Never>) {
        state.withLock { if case .working = $0 { $0 = .working(task) } }
    }

    /// Stores the answer and wakes the connection; only the first answer counts. Waking happens under the lock so that whoever
    /// sees the exchange answered knows the connection is no longer suspended.
    func answer(_ response: HTTPResponse, closing: Bool, cancel: Bool = false) {
        let made = ServerResponse.make(response, closing: closing, isHead: head.method == .head)
        let (task, won) = state.withLock { state -> (Task<Void, Never>?, Bool) in
            guard case .working(let task) = state else { return (nil, false) }
            state = made.map { .answered($0, size: response.body.count) } ?? .over
            MHD_resume_connection(connection)
            return (task, true)
        }
        if !won, let made { MHD_destroy_response(made.handle) }
        if cancel { task?.cancel() }
    }

    /// The answer, once.
    func takeAnswer() -> (ServerResponse, size: Int)? {
        state.withLock { state in
            guard case .answered(let response, let size) = state else { return nil }
            state = .over
            return (response, size)
        }
    }

    /// The connection is gone: an answer that was never sent is freed, a later one is not stored.
    func abandon() {
        let unsent: ServerResponse? = state.withLock { state in
            defer { state = .over }
            if case .answered(let response, _) = state { return response }
            return nil
        }
        // Outside of the lock: whoever writes a streamed body is told.
        if let unsent { MHD_destroy_response(unsent.handle) }
    }
}
