import CMicroHTTPD
import Glibc
import Synchronization

/// The body behind an `HTTPBodyWriter`: filled by any thread, emptied by the connection's, watched by the watchdog.
final class ServerStream: Sendable {
    private let limit: Int
    private let onClose: (@Sendable () -> Void)?
    private let state = Mutex(State())

    enum Phase {
        case open
        /// By its writer: what waits is still sent.
        case finished
        /// By the server: ends properly, but at once.
        case stopped
        /// Nobody reads.
        case broken
    }

    private struct State {
        var phase = Phase.open
        var waiting: [UInt8] = []
        /// How many of the waiting bytes have been taken for sending.
        var taken = 0
        var isClaimed = false
        /// Set while the answer is being sent.
        var connection: ServerConnection?
        /// Whether the library leaves the connection alone until there is something to send.
        var isSuspended = false

        /// Under the lock, so that the connection cannot end meanwhile.
        mutating func wake() {
            guard isSuspended, let connection else { return }
            isSuspended = false
            connection.extend()
            MHD_resume_connection(connection.handle)
        }
    }

    /// A buffer up to this size is kept when it is empty.
    private static let spareLimit = 64 * 1024
    /// Milliseconds a stopping server gives to the last bytes.
    private static let stopTime = 250

    init(limit: Int, onClose: (@Sendable () -> Void)?) {
        self.limit = limit
        self.onClose = onClose
    }

    // MARK: The writer

    func write(_ bytes: [UInt8]) -> Bool {
        state.withLock { state in
            guard state.phase == .open, bytes.count <= limit - (state.waiting.count - state.taken) else { return false }
            if bytes.isEmpty { return true }
            if state.taken > Self.spareLimit, state.taken > state.waiting.count / 2 {
                state.waiting.removeFirst(state.taken)
                state.taken = 0
            }
            state.waiting.append(contentsOf: bytes)
            state.wake()
            return true
        }
    }

    func finish() {
        state.withLock { state in
            guard state.phase == .open else { return }
            state.phase = .finished
            state.wake()
        }
    }

    var isClosed: Bool { state.withLock { $0.phase != .open } }

    // MARK: The connection

    /// Whether this is the first answer with this body: a second one would get half of it.
    func claim() -> Bool {
        state.withLock { state in
            defer { state.isClaimed = true }
            return !state.isClaimed
        }
    }

    func attach(_ connection: ServerConnection) {
        state.withLock { $0.connection = connection }
    }

    /// The answer is sent, or the connection broke.
    func detach() {
        state.withLock { state in
            state.connection = nil
            state.isSuspended = false
        }
        close(.broken)
    }

    /// The next bytes to send, on the connection's thread: how many, or one of the library's marks. With none, the connection is
    /// suspended.
    func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        state.withLock { state in
            switch state.phase {
            case .broken: return mhd_stream_broken
            case .stopped: return mhd_stream_end
            case .open, .finished: break
            }
            let count = min(buffer.count, state.waiting.count - state.taken)
            guard count > 0 else {
                guard state.phase == .open, let connection = state.connection else { return mhd_stream_end }
                state.isSuspended = true
                connection.rest()
                MHD_suspend_connection(connection.handle)
                return 0
            }
            state.waiting.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[state.taken..<(state.taken + count)])) }
            state.taken += count
            if state.taken == state.waiting.count {
                state.waiting.removeAll(keepingCapacity: state.waiting.capacity <= Self.spareLimit)
                state.taken = 0
            }
            state.connection?.extend()
            return count
        }
    }

    // MARK: The server

    /// Drops what waits and wakes the connection, which then ends the body.
    func close(_ phase: Phase) {
        let wasOpen = state.withLock { state in
            guard state.phase == .open || state.phase == .finished else { return false }
            defer { state.phase = phase }
            state.waiting = []
            state.taken = 0
            state.wake()
            if phase == .stopped { state.connection?.hurry(Self.stopTime) }
            return state.phase == .open
        }
        if wasOpen { onClose?() }
    }

    /// Closes the body when its reader has hung up: the library does not look at suspended connections.
    func check() {
        let isGone = state.withLock { state in
            guard state.isSuspended, let connection = state.connection else { return false }
            var wait = pollfd(fd: connection.socket, events: hungUp, revents: 0)
            return poll(&wait, 1, 0) > 0
        }
        if isGone { close(.broken) }
    }
}
