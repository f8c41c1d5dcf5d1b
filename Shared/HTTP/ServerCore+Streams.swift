import Glibc
import Synchronization

/// The answers under way that are written while they are sent.
struct ServerStreams {
    var isClosed = false
    var open: [ObjectIdentifier: ServerStream] = [:]
}

extension ServerCore {
    /// A body begins on a connection; a stopping server ends it at once.
    func began(_ stream: ServerStream) {
        let isClosed = streams.withLock { streams in
            if !streams.isClosed { streams.open[ObjectIdentifier(stream)] = stream }
            return streams.isClosed
        }
        if isClosed { stream.close(.stopped) }
    }

    /// Makes the kernel look for a silent peer, for one that vanished without a word would otherwise be listened to for ever. It is
    /// given up after `connectionTimeout` or a little more.
    func probe(_ socket: Int32) {
        let seconds = Int32(clamping: timeout / 1000)
        let settings = [
            (SOL_SOCKET, SO_KEEPALIVE, 1), (Int32(IPPROTO_TCP), TCP_KEEPIDLE, max(1, seconds / 2)),
            (Int32(IPPROTO_TCP), TCP_KEEPINTVL, max(1, seconds / 8)), (Int32(IPPROTO_TCP), TCP_KEEPCNT, 4),
        ]
        for (level, name, value) in settings { ServerListener.set(socket, level, name, value) }
    }

    func ended(_ stream: ServerStream) {
        streams.withLock { _ = $0.open.removeValue(forKey: ObjectIdentifier(stream)) }
    }

    func checkStreams() {
        // Outside of the lock, for whoever is told may ask for more.
        for stream in streams.withLock({ Array($0.open.values) }) { stream.check() }
    }

    /// Ends all bodies and every one to come; whether there were any.
    func endStreams() -> Bool {
        let open = streams.withLock { streams in
            streams.isClosed = true
            return streams.open
        }
        for stream in open.values { stream.close(.stopped) }
        return !open.isEmpty
    }
}
