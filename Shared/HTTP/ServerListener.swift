import Glibc

/// A listening socket and, for a Unix socket, the file that belongs to it.
struct ServerListener: Sendable {
    let socket: Int32
    let port: UInt16
    private let path: String?
    private let inode: ino_t

    private static let backlog: Int32 = 1024
    /// Kind of every socket here: never inherited, never blocking.
    static let stream = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)

    init(_ configuration: HTTPServerConfiguration) throws(HTTPServerError) {
        if let path = configuration.unixSocket {
            (socket, inode) = try Self.listen(path: path, mode: configuration.unixSocketMode)
            self.path = path
            port = 0
        } else {
            (socket, port) = try Self.listen(configuration)
            path = nil
            inode = 0
        }
    }

    /// Refuses new connections; the number stays taken until `close`, for the server's threads may still be using it.
    func refuse() { shutdown(socket, shutBoth) }

    func close() {
        Glibc.close(socket)
        var status = stat()
        if let path, lstat(path, &status) == 0, status.st_ino == inode { unlink(path) }
    }

    // MARK: TCP

    private static func listen(_ configuration: HTTPServerConfiguration) throws(HTTPServerError) -> (Int32, UInt16) {
        var host = configuration.address
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        let place = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(configuration.port)" : "\(host):\(configuration.port)"
        guard !host.isEmpty, !host.utf8.contains(0) else {
            throw .badAddress(place: place, reason: "the address is empty or has a NUL byte")
        }
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(configuration.port), &hints, &list)
        guard code == 0, let found = list else {
            throw .badAddress(place: place, reason: String(cString: gai_strerror(code)))
        }
        defer { freeaddrinfo(found) }
        let socket = Glibc.socket(found.pointee.ai_family, stream, 0)
        guard socket >= 0 else { throw .system(place: place, operation: "socket", reason: systemReason(errno)) }
        set(socket, SOL_SOCKET, SO_REUSEADDR, 1)
        if configuration.reusePort { set(socket, SOL_SOCKET, SO_REUSEPORT, 1) }
        if found.pointee.ai_family == AF_INET6 { set(socket, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
        guard bind(socket, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0, Glibc.listen(socket, backlog) == 0 else {
            let number = errno
            Glibc.close(socket)
            throw failure(number, place: place)
        }
        return (socket, boundPort(socket))
    }

    static func set(_ socket: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func boundPort(_ socket: Int32) -> UInt16 {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &storage) { bytes in
            guard let base = bytes.baseAddress,
                getsockname(socket, base.assumingMemoryBound(to: sockaddr.self), &size) == 0
            else { return 0 }
            // The port stands at the same place in sockaddr_in and sockaddr_in6, in network order.
            return UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        }
    }

    private static func failure(_ number: Int32, place: String) -> HTTPServerError {
        switch number {
        case EADDRINUSE: .inUse(place: place)
        case EACCES, EPERM: .permission(place: place)
        case EADDRNOTAVAIL: .badAddress(place: place, reason: "no interface of this machine has that address")
        default: .system(place: place, operation: "bind", reason: systemReason(number))
        }
    }

    // MARK: Unix socket

    private static func listen(path: String, mode: UInt32) throws(HTTPServerError) -> (Int32, ino_t) {
        guard let address = unixAddress(path) else {
            throw .badSocketPath(path: path, reason: "the path must have 1 to 107 bytes and no NUL; choose a shorter directory")
        }
        let place = "unix:\(path)"
        let socket = Glibc.socket(AF_UNIX, stream, 0)
        guard socket >= 0 else { throw .system(place: place, operation: "socket", reason: systemReason(errno)) }
        do throws(HTTPServerError) {
            try removeStale(path, address)
            guard call(address, { bind(socket, $0, $1) }) == 0 else {
                if errno == ENOENT {
                    throw .badSocketPath(path: path, reason: "its directory does not exist; create it")
                }
                throw failure(errno, place: place)
            }
            var status = stat()
            guard chmod(path, mode) == 0, Glibc.listen(socket, backlog) == 0, lstat(path, &status) == 0 else {
                throw failure(errno, place: place)
            }
            return (socket, status.st_ino)
        } catch {
            Glibc.close(socket)
            throw error
        }
    }

    /// A socket file nobody listens on is left over from a process that was killed.
    private static func removeStale(_ path: String, _ address: sockaddr_un) throws(HTTPServerError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw .badSocketPath(path: path, reason: "there is a file that is no socket; remove it or choose another path")
        }
        let probe = Glibc.socket(AF_UNIX, stream, 0)
        defer { Glibc.close(probe) }
        guard call(address, { connect(probe, $0, $1) }) != 0, errno == ECONNREFUSED else { throw .inUse(place: "unix:\(path)") }
        unlink(path)
    }

    private static func unixAddress(_ path: String) -> sockaddr_un? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count < MemoryLayout.size(ofValue: address.sun_path), !bytes.contains(0) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return address
    }

    private static func call(_ address: sockaddr_un, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        withUnsafeBytes(of: address) { bytes in
            guard let base = bytes.baseAddress else { return -1 }
            return body(base.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
    }
}
