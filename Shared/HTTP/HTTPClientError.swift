/// Why there is no answer. The sentences name host and port, never user, password, path or query.
public enum HTTPClientError: Error, CustomStringConvertible, Sendable {
    /// The name does not resolve or nobody listens there.
    case connect(String)
    /// A time limit passed.
    case timeout(String)
    /// The other side's certificate is not trusted, or TLS failed otherwise.
    case tls(String)
    /// The answer has more bytes than the request's `responseLimit`.
    case tooLarge(limit: Int)
    /// The connection broke before the answer was complete; what was asked may have been done.
    case interrupted(String)
    /// The answer is not what the protocol allows.
    case `protocol`(String)
    /// More redirects than `followRedirects`.
    case tooManyRedirects(limit: Int)
    /// The request cannot be sent as it is: URL, scheme, method, header or file.
    case badRequest(String)
    /// The task was cancelled, or the chunk callback asked to stop.
    case cancelled
    /// The client is closed.
    case closed

    /// One sentence: what, where, why, and what to do.
    public var description: String {
        switch self {
        case .connect(let text), .timeout(let text), .tls(let text), .interrupted(let text), .protocol(let text),
            .badRequest(let text):
            text
        case .tooLarge(let limit):
            "the answer is larger than the limit of \(limit) bytes; ask for less or raise the limit"
        case .tooManyRedirects(let limit):
            "the server redirected more than \(limit) times; check the address or allow more redirects"
        case .cancelled: "the request was cancelled"
        case .closed: "the HTTP client is closed"
        }
    }

    /// Whether the same request may succeed later without anybody changing anything.
    public var isTransient: Bool {
        switch self {
        case .connect, .timeout, .interrupted: true
        default: false
        }
    }
}
