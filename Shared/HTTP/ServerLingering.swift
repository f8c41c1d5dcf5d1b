import Glibc
import Synchronization

/// Sockets of closed connections whose peers were still sending. Closing one at once would make the kernel reset the connection, and
/// the peer might lose the answer that says why: what it still sends is read and thrown away for a moment.
final class ServerLingering: Sendable {
    private struct Entry {
        let socket: Int32
        /// When patience ends, on the server's clock.
        let end: Int
        var discarded = 0
    }

    private let entries = Mutex<[Entry]>([])

    private static let limit = 256
    /// Milliseconds a peer has for reading its answer and hanging up.
    private static let patience = 2000
    /// Bytes thrown away in one go, and in all.
    private static let turnLimit = 1 << 20
    private static let discardLimit = 4 << 20

    /// Keeps the socket of a connection that is being closed when its peer has sent more than was read, or may do so because it was
    /// refused in its handshake and does not know yet.
    func take(_ socket: Int32, isRefused: Bool) {
        var byte: UInt8 = 0
        let count = recv(socket, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
        guard count > 0 || isRefused && count < 0 && errno == EAGAIN else { return }
        entries.withLock { entries in
            guard entries.count < Self.limit else { return }
            let copy = fcntl(socket, F_DUPFD_CLOEXEC, 0)
            guard copy >= 0 else { return }
            shutdown(copy, shutSending)
            entries.append(Entry(socket: copy, end: monotonicMilliseconds() + Self.patience))
        }
    }

    /// Waits until the bell rings or the time is over; meanwhile throws away what comes.
    func wait(with bell: Int32, _ milliseconds: Int32) {
        var waits = [pollfd(fd: bell, events: Int16(POLLIN), revents: 0)]
        waits += entries.withLock { $0.map { pollfd(fd: $0.socket, events: Int16(POLLIN), revents: 0) } }
        poll(&waits, nfds_t(waits.count), waits.count > 1 ? min(milliseconds, 250) : milliseconds)
        if waits.count > 1 { discard() }
    }

    /// Closes all of them.
    func end() {
        entries.withLock { entries in
            for entry in entries { close(entry.socket) }
            entries = []
        }
    }

    private func discard() {
        let now = monotonicMilliseconds()
        entries.withLock { entries in
            for index in entries.indices.reversed() where Self.isOver(&entries[index]) || entries[index].end <= now {
                close(entries.remove(at: index).socket)
            }
        }
    }

    private static func isOver(_ entry: inout Entry) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 1) { buffer in
            let turn = min(entry.discarded + turnLimit, discardLimit)
            while entry.discarded < turn {
                let count = recv(entry.socket, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
                if count == 0 { return true }
                if count < 0 { return errno != EAGAIN && errno != EINTR }
                entry.discarded += count
            }
            return entry.discarded >= discardLimit
        }
    }
}
