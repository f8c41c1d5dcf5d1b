import Glibc
import Synchronization

/// Sockets of closed connections whose peers were still sending. Closing one at once would make the kernel reset the connection, and
/// the peer might lose the answer that says why: what it still sends is read and thrown away for a moment.
final class ServerLingering: Sendable {
    private let sockets = Mutex<[(socket: Int32, end: Int)]>([])

    private static let limit = 256
    /// Milliseconds a peer has for reading its answer and hanging up.
    private static let patience = 2000
    /// Parts of 64 KiB thrown away in one go.
    private static let partLimit = 16

    /// Keeps the socket of a connection that is being closed when its peer has sent more than was read, or may do so because it was
    /// refused in its handshake and does not know yet.
    func take(_ socket: Int32, isRefused: Bool) {
        var byte: UInt8 = 0
        let count = recv(socket, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
        guard count > 0 || isRefused && count < 0 && errno == EAGAIN else { return }
        sockets.withLock { sockets in
            guard sockets.count < Self.limit else { return }
            let copy = fcntl(socket, F_DUPFD_CLOEXEC, 0)
            guard copy >= 0 else { return }
            shutdown(copy, shutSending)
            sockets.append((copy, monotonicMilliseconds() + Self.patience))
        }
    }

    /// Waits until the bell rings or the time is over; meanwhile throws away what comes.
    func wait(with bell: Int32, _ milliseconds: Int32) {
        var waits = [pollfd(fd: bell, events: Int16(POLLIN), revents: 0)]
        waits += sockets.withLock { $0.map { pollfd(fd: $0.socket, events: Int16(POLLIN), revents: 0) } }
        poll(&waits, nfds_t(waits.count), waits.count > 1 ? min(milliseconds, 250) : milliseconds)
        if waits.count > 1 { discard() }
    }

    /// Closes all of them.
    func end() {
        sockets.withLock { sockets in
            for (socket, _) in sockets { close(socket) }
            sockets = []
        }
    }

    private func discard() {
        let now = monotonicMilliseconds()
        sockets.withLock { sockets in
            sockets.removeAll { entry in
                guard Self.isOver(entry.socket) || entry.end <= now else { return false }
                close(entry.socket)
                return true
            }
        }
    }

    private static func isOver(_ socket: Int32) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 1) { buffer in
            for _ in 0..<partLimit {
                let count = recv(socket, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
                if count == 0 { return true }
                if count < 0 { return errno != EAGAIN && errno != EINTR }
            }
            return false
        }
    }
}
