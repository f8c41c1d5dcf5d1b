/// A body that is written while it is sent. Bounded: a piece that does not fit is not taken.
///
/// Any thread may write; nothing here blocks. Dropping the last reference finishes the body.
public final class HTTPBodyWriter: Sendable {
    let stream: ServerStream

    /// A writer for one answer.
    ///
    /// - Parameters:
    ///   - limit: bytes waiting at most; a single larger piece is never taken.
    ///   - onClose: called once when nobody reads any more although `finish` was not called: the client has gone, the answer was never
    ///     sent or had no body (HEAD), or the server stops. It runs on one of the server's threads and must be quick.
    public init(limit: Int = 1 << 20, onClose: (@Sendable () -> Void)? = nil) {
        stream = ServerStream(limit: max(1, limit), onClose: onClose)
    }

    deinit { stream.finish() }

    /// Adds a piece to what is being sent; false when it does not fit or the body is closed.
    public func write(_ bytes: [UInt8]) -> Bool { stream.write(bytes) }

    /// Ends the body after what is waiting; later pieces are not taken.
    public func finish() { stream.finish() }

    /// Whether no more pieces are taken: the client has gone, the server stops, or `finish` was called.
    public var isClosed: Bool { stream.isClosed }
}
