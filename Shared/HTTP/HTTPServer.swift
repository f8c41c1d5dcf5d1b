/// An HTTP/1.1 server on its own threads; it accepts connections from `init` until `quiesce` or `stop`.
///
/// Dropping the last reference stops it at once, in the background.
public final class HTTPServer: Sendable {
    private let core: ServerCore

    /// Listens and starts. From then on the process ignores SIGPIPE.
    ///
    /// - Throws: when the address is in use, forbidden or not of this machine, when the TLS files cannot be used, or when the system
    ///   lacks sockets or threads.
    public init(_ configuration: HTTPServerConfiguration, handler: any HTTPHandler) throws(HTTPServerError) {
        core = try ServerCore(configuration, handler: handler)
    }

    deinit { core.stop(within: 0, waking: nil) }

    /// The TCP port, also when the configuration left it open; 0 with a Unix socket.
    public var port: UInt16 { core.listener.port }

    /// Connections open now.
    public var openConnections: Int { core.openConnections }

    /// Requests begun and not yet answered completely.
    public var openRequests: Int { core.openRequests.load(ordering: .relaxed) }

    /// Reads the TLS files anew, that of the clients' authorities included. New connections get what is in them, open ones keep what
    /// they began with. Without TLS it does nothing. Reads files: not for the server's own threads.
    ///
    /// - Throws: `HTTPServerError.tls` when a file cannot be used; the server then goes on with what it had.
    public func reloadTLS() throws(HTTPServerError) { try core.tls?.reload() }

    /// Refuses new connections. Open ones go on, streams too; each is closed after its next answer, which says `Connection: close`.
    public func quiesce() { core.quiesce() }

    /// Refuses new connections, ends streamed answers at once, waits until open requests are answered, at the latest until the deadline, and ends all threads.
    /// Requests whose task is still at work then are answered 503 and their tasks cancelled. May be called several times.
    public func stop(deadline: Duration = .seconds(10)) async {
        let (seconds, attoseconds) = deadline.components
        let milliseconds = min(max(seconds, 0), 1_000_000) * 1000 + attoseconds / 1_000_000_000_000_000
        await withUnsafeContinuation { core.stop(within: Int(milliseconds), waking: $0) }
    }
}
