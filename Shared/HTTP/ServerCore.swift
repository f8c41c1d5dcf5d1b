import CMicroHTTPD
import Glibc
import Synchronization
import Threads

/// What the library's threads, the watchdog and the public `HTTPServer` share.
///
/// The daemon holds it by an unretained pointer, the watchdog by a reference that ends after the daemon has.
final class ServerCore: @unchecked Sendable {
    let handler: any HTTPHandler
    let listener: ServerListener
    /// nil without TLS.
    let tls: ServerTLS?
    /// Milliseconds, moved on by the watchdog: reading it costs no system call.
    let clock: Atomic<Int>
    /// The configuration's `connectionTimeout` in milliseconds.
    let timeout: Int
    /// Milliseconds until a connection without progress is cut.
    let idleDeadline: Int
    let openRequests = Atomic<Int>(0)
    /// Set from `quiesce` on: answers then close their connection.
    let draining = Atomic<Bool>(false)
    let streams = Mutex(ServerStreams())

    private let interval: Int32
    /// Written to once, when the server shall stop.
    private let bell: (read: Int32, write: Int32)
    private let connections = Mutex<[ObjectIdentifier: ServerConnection]>([:])
    private let lingering = ServerLingering()
    private let suspended = Mutex(Suspended())
    private let stopping = Mutex(Stopping())
    // Written once before the watchdog starts; used by it and by `quiesce`.
    private var daemon: OpaquePointer?

    private struct Suspended {
        var isClosed = false
        var exchanges: [ObjectIdentifier: ServerExchange] = [:]
    }

    private struct Stopping {
        var deadline: Int?
        var isQuiesced = false
        var isOver = false
        var waiting: [UnsafeContinuation<Void, Never>] = []
    }

    init(_ configuration: HTTPServerConfiguration, handler: any HTTPHandler) throws(HTTPServerError) {
        ignoreBrokenPipes()
        self.handler = handler
        timeout = min(max(configuration.connectionTimeout, 1), 86_400) * 1000
        interval = Int32(min(max(timeout / 8, 50), 2000))
        idleDeadline = 2 * timeout + 2 * Int(interval)
        clock = Atomic(monotonicMilliseconds())
        tls = try configuration.tls.map { files throws(HTTPServerError) in try ServerTLS(files) }
        listener = try ServerListener(configuration)
        var ends: [Int32] = [-1, -1]
        let hasBell = socketpair(AF_UNIX, ServerListener.stream, 0, &ends) == 0
        bell = (ends[0], ends[1])
        let place = configuration.unixSocket ?? "\(configuration.address):\(listener.port)"
        guard hasBell else {
            let number = errno
            listener.close()
            throw .system(place: place, operation: "socketpair", reason: systemReason(number))
        }
        let threads = min(max(configuration.threads, 1), 256)
        // The library keeps the head, its index and the answer's head in one block, half of it for reading.
        let head = min(max(configuration.headerLimit, 1024), 16 << 20)
        var plan = mhd_plan()
        plan.listen_socket = listener.socket
        plan.threads = UInt32(threads)
        plan.connection_limit = UInt32(min(max(configuration.connectionLimit, threads), 1_000_000))
        plan.timeout_seconds = UInt32(timeout / 1000)
        plan.memory_limit = head
        plan.tls = tls == nil ? 0 : 1
        plan.access = serverAccess
        plan.completed = serverCompleted
        plan.connection = serverConnection
        plan.unescape = serverUnescape
        plan.context = Unmanaged.passUnretained(self).toOpaque()
        daemon = mhd_start(&plan)
        guard daemon != nil else {
            let number = errno
            listener.close()
            closeBell()
            throw .system(place: place, operation: "starting the server", reason: systemReason(number))
        }
        guard startThread({ self.watch() }) else {
            MHD_stop_daemon(daemon)
            listener.close()
            closeBell()
            throw .system(place: place, operation: "starting a thread", reason: systemReason(EAGAIN))
        }
    }

    // MARK: Connections

    var openConnections: Int { connections.withLock { $0.count } }

    func opened(_ connection: ServerConnection) {
        connections.withLock { $0[ObjectIdentifier(connection)] = connection }
    }

    /// The library closes the socket only after this returns, so the watchdog never cuts a stranger's.
    func closed(_ connection: ServerConnection) {
        connections.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(connection)) }
        lingering.take(connection.socket, isRefused: connection.credentials != nil && connection.generation == 0)
    }

    // MARK: Tasks

    /// Suspends the connection and starts the task that answers; false when the server no longer takes requests.
    func suspend(_ exchange: ServerExchange, _ request: HTTPRequest) -> Bool {
        let id = ObjectIdentifier(exchange)
        let taken = suspended.withLock { suspended in
            if suspended.isClosed { return false }
            suspended.exchanges[id] = exchange
            // Under the lock, so that a stop that takes the list finds only suspended connections in it.
            exchange.suspend()
            return true
        }
        guard taken else { return false }
        let core = self
        let task = Task.detached {
            let response = await core.handler.respond(to: request)
            exchange.answer(response, closing: core.draining.load(ordering: .relaxed))
            // Only after waking: a stop must find every connection that is still suspended.
            core.suspended.withLock { _ = $0.exchanges.removeValue(forKey: id) }
        }
        exchange.note(task)
        return true
    }

    // MARK: Stopping

    func quiesce() {
        draining.store(true, ordering: .relaxed)
        // Under the lock, so that a stop cannot free the daemon meanwhile.
        stopping.withLock { stopping in
            guard !stopping.isQuiesced else { return }
            stopping.isQuiesced = true
            MHD_quiesce_daemon(daemon)
            listener.refuse()
        }
    }

    /// Asks the watchdog to stop everything within so many milliseconds; an earlier deadline wins.
    func stop(within milliseconds: Int, waking continuation: UnsafeContinuation<Void, Never>?) {
        let deadline = monotonicMilliseconds() + max(0, milliseconds)
        let isOver = stopping.withLock { stopping in
            if stopping.isOver { return true }
            stopping.deadline = min(stopping.deadline ?? .max, deadline)
            if let continuation { stopping.waiting.append(continuation) }
            var ring: UInt8 = 1
            write(bell.write, &ring, 1)
            return false
        }
        if isOver { continuation?.resume() }
    }

    private func watch() {
        while true {
            lingering.wait(with: bell.read, interval)
            clock.store(monotonicMilliseconds(), ordering: .relaxed)
            if stopping.withLock({ $0.deadline != nil }) { break }
            cutSlow()
            checkStreams()
        }
        quiesce()
        drain()
        MHD_stop_daemon(daemon)
        lingering.end()
        listener.close()
        let waiting = stopping.withLock { stopping in
            stopping.isOver = true
            closeBell()
            return stopping.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    private func closeBell() {
        close(bell.read)
        close(bell.write)
    }

    private func cutSlow() {
        let now = clock.load(ordering: .relaxed)
        connections.withLock { connections in
            for connection in connections.values where connection.deadline.load(ordering: .relaxed) <= now {
                shutdown(connection.socket, shutBoth)
            }
        }
    }

    /// Waits for open requests; at the deadline answers 503 for the tasks that are still at work, for a connection must not be
    /// suspended when the daemon ends.
    private func drain() {
        let hadStreams = endStreams()
        var now = monotonicMilliseconds()
        while openRequests.load(ordering: .acquiring) > 0, now < stopping.withLock({ $0.deadline ?? now }) {
            usleep(1000)
            now = monotonicMilliseconds()
            clock.store(now, ordering: .relaxed)
            cutSlow()
        }
        let left = suspended.withLock { suspended in
            suspended.isClosed = true
            defer { suspended.exchanges = [:] }
            return suspended.exchanges
        }
        let refusal = HTTPResponse(
            status: 503, headers: [("Retry-After", "1")], body: Array("The server stopped before the answer was ready.\n".utf8))
        for exchange in left.values {
            exchange.answer(refusal, closing: true, cancel: true)
        }
        guard hadStreams || !left.isEmpty else { return }
        let end = monotonicMilliseconds() + 500
        while openRequests.load(ordering: .acquiring) > 0, monotonicMilliseconds() < end { usleep(1000) }
    }
}
