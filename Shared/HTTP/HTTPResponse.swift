/// An answer.
public struct HTTPResponse: Sendable {
    /// The status code, 200 to 999; anything else is sent as 500.
    public var status: Int
    /// Headers in order. `Content-Length`, `Transfer-Encoding` and `Date` are the server's and ignored here; a name or value that
    /// is not allowed in HTTP (line ends) turns the whole answer into a 500, so that nothing is smuggled or silently lost.
    public var headers: [(name: String, value: String)]
    /// The body; not sent for HEAD, 204 and 304. A 304 announces its length all the same, so the best body for it is the one a
    /// 200 would have; an empty one is announced as 0, which caches ignore (RFC 9111, section 3.2).
    public var body: [UInt8]
    /// Writes the body while it is sent, in place of `body`. One writer serves one answer; a second one becomes a 500. Where no body
    /// is sent the writer is closed, and so is the connection.
    public var stream: HTTPBodyWriter?

    /// An answer of bytes.
    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// An answer whose body is written while it is sent, in chunks; HTTP/1.0 clients get it until the connection closes.
    public init(status: Int = 200, headers: [(name: String, value: String)] = [], stream: HTTPBodyWriter) {
        self.init(status: status, headers: headers)
        self.stream = stream
    }

    /// An answer of text; `contentType` is sent as `Content-Type`.
    public init(status: Int = 200, text: String, contentType: String = "text/plain; charset=utf-8") {
        self.init(status: status, headers: [("Content-Type", contentType)], body: Array(text.utf8))
    }
}
