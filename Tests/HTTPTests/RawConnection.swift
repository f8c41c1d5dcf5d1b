import Glibc

/// A bare TCP connection to loopback, for saying what no proper client says.
final class RawConnection {
    private let socket: Int32
    private var buffer: [UInt8] = []
    private var hasEnded = false

    init?(port: UInt16) {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        var patience = timeval(tv_sec: 8, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        if code != 0 {
            Glibc.close(socket)
            return nil
        }
    }

    deinit { Glibc.close(socket) }

    /// Sends text; false when the other side has hung up.
    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    /// Says that nothing more will be sent.
    func finish() { shutdown(socket, 1) }

    /// Everything until the other side closes (or eight seconds of silence).
    func readAll() async -> String {
        while await fill() {}
        defer { buffer = [] }
        return String(decoding: buffer, as: UTF8.self)
    }

    /// Whether the other side closes within eight seconds.
    func isClosed() async -> Bool {
        while await fill() {}
        return hasEnded
    }

    /// One answer with a Content-Length; nil when the connection ends before.
    func readAnswer(hasBody: Bool = true) async -> (head: String, body: String)? {
        while true {
            if let end = endOfHead() {
                let head = String(decoding: buffer[..<end], as: UTF8.self)
                let line = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
                let length = hasBody ? line.flatMap { Int($0.split(separator: " ")[1]) } ?? 0 : 0
                let start = end + 4
                while buffer.count < start + length {
                    if await !fill() { return nil }
                }
                defer { buffer.removeFirst(start + length) }
                return (head, String(decoding: buffer[start..<(start + length)], as: UTF8.self))
            }
            if await !fill() { return nil }
        }
    }

    private func endOfHead() -> Int? {
        let mark = Array("\r\n\r\n".utf8)
        var index = 0
        while index + 4 <= buffer.count {
            if buffer[index] == mark[0], buffer[index..<(index + 4)].elementsEqual(mark) { return index }
            index += 1
        }
        return nil
    }

    /// Waits without blocking the thread: it may be the one the server's tasks need.
    private func fill() async -> Bool {
        var part = [UInt8](repeating: 0, count: 65_536)
        let end = ContinuousClock.now + .seconds(8)
        var isLast = false
        while true {
            let count = recv(socket, &part, part.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                buffer.append(contentsOf: part[..<count])
                return true
            }
            if count == 0 || errno != EAGAIN {
                hasEnded = true
                return false
            }
            if isLast { return false }
            // Looks once more after the last sleep, which may have been long on a busy machine.
            isLast = ContinuousClock.now >= end
            try? await Task.sleep(for: .milliseconds(1))
        }
    }
}

/// A listening socket on loopback that hears what a client says first.
final class RawListener: Sendable {
    private let socket: Int32
    let port: UInt16

    init?() {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let socket = socket
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, size) == 0 && listen(socket, 1) == 0 ? getsockname(socket, $0, &size) : -1
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        if code != 0 {
            Glibc.close(socket)
            return nil
        }
    }

    deinit { Glibc.close(socket) }

    /// Takes one connection, gives back the first bytes that come, and hangs up.
    func first() async -> [UInt8] {
        var wait = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        while poll(&wait, 1, 0) == 0 { try? await Task.sleep(for: .milliseconds(5)) }
        let peer = accept(socket, nil, nil)
        defer { Glibc.close(peer) }
        wait.fd = peer
        while poll(&wait, 1, 0) == 0 { try? await Task.sleep(for: .milliseconds(5)) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(peer, &bytes, bytes.count, 0)
        return Array(bytes.prefix(max(0, count)))
    }
}
