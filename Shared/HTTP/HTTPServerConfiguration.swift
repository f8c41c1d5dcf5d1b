/// Where and how a server listens.
public struct HTTPServerConfiguration: Sendable {
    /// An IPv4 or IPv6 address or a host name of this machine; `0.0.0.0` or `::` for all interfaces.
    public var address: String
    /// TCP port; 0 takes any free one, told by `HTTPServer.port`.
    public var port: UInt16
    /// Path of a Unix socket to listen on in place of address and port. At most 107 bytes; a stale file is replaced.
    public var unixSocket: String?
    /// Permissions of the Unix socket's file.
    public var unixSocketMode: UInt32
    /// Files to speak TLS with; nil speaks plain HTTP.
    public var tls: HTTPServerTLS?
    /// Threads that read and write connections.
    public var threads: Int
    /// Connections open at once; further ones wait in the kernel's queue.
    public var connectionLimit: Int
    /// Seconds a connection may be idle. One that trickles is cut, too: a head must be complete within twice that time, and a body
    /// or its answer may not fall below 1 kB/s for longer than that. A TLS handshake must be complete within that time. A streamed
    /// answer may be silent as long as it likes.
    public var connectionTimeout: Int
    /// Bytes a request's line and headers may take together with the head of its answer; more is answered 431 or 414. The block
    /// is cleared after every request, so a larger one costs speed: 16 KiB is fastest, 128 KiB halves the rate of look-ups.
    public var headerLimit: Int
    /// Lets several processes listen on the same port (SO_REUSEPORT).
    public var reusePort: Bool

    /// A configuration; every default is the documented one.
    public init(
        address: String = "127.0.0.1", port: UInt16 = 0, unixSocket: String? = nil, unixSocketMode: UInt32 = 0o660,
        tls: HTTPServerTLS? = nil, threads: Int = 1, connectionLimit: Int = 1000, connectionTimeout: Int = 30,
        headerLimit: Int = 32 * 1024, reusePort: Bool = false
    ) {
        self.address = address
        self.port = port
        self.unixSocket = unixSocket
        self.unixSocketMode = unixSocketMode
        self.tls = tls
        self.threads = threads
        self.connectionLimit = connectionLimit
        self.connectionTimeout = connectionTimeout
        self.headerLimit = headerLimit
        self.reusePort = reusePort
    }
}
