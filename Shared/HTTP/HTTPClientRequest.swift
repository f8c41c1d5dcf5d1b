public import Bulk

/// What a client asks for. Header names and values that HTTP does not allow make `send` fail, nothing is smuggled.
public struct HTTPClientRequest: Sendable {
    /// What to do; `.other` cannot be sent.
    public var method: HTTPMethod
    /// The absolute URL, percent-encoded.
    public var url: String
    /// Headers in order. Without a `User-Agent`, `IntelMQ-Fleet` is sent; without a `Content-Type`, none.
    public var headers: [(name: String, value: String)]
    /// The body; it is sent from this array, without a copy, and with its length announced.
    public var body: [UInt8]?
    /// A body that may lie in a file, sent in place of `body`: what has been sent of it takes no memory.
    public var content: BulkBytes?
    /// Milliseconds for everything, from waiting for a free connection to the last byte; 0 = no bound, for endless answers, which
    /// also want a `responseLimit` of `.max`.
    public var timeoutMilliseconds: Int
    /// Milliseconds for name look-up, connection and TLS.
    public var connectTimeoutMilliseconds: Int
    /// Most bytes of answer (after decompression) that are taken.
    public var responseLimit: Int
    /// Redirects to follow; with 0 a redirect is an answer like any other.
    public var followRedirects: Int
    /// User for Basic authentication; never forwarded to another host.
    public var username: String?
    /// Password for Basic authentication.
    public var password: String?
    /// Schemes of the URL and of redirects; libcurl's others (ftp, sftp, imap, …) must be named here to work.
    public var allowedSchemes: [String]
    /// Whether the server's certificate and name are checked.
    public var verifyTLS: Bool
    /// PEM file of the authorities to trust in place of the system's. This and the two files below are read for every new connection.
    public var caFile: String?
    /// PEM file of the client's certificate, for mutual TLS.
    public var certificateFile: String?
    /// PEM file of the client's private key, for mutual TLS.
    public var keyFile: String?
    /// Proxy as URL, with credentials if it wants some; nil = none, whatever the environment says.
    public var proxy: String?
    /// Path of a Unix socket to connect to in place of the URL's host.
    public var unixSocket: String?
    /// Asks for a compressed answer and decompresses it.
    public var decompress: Bool

    /// A request; the defaults are 30 s in all, 5 s to connect, 64 MiB of answer, no redirects, checked TLS, no proxy.
    public init(
        method: HTTPMethod = .get, url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
        timeoutMilliseconds: Int = 30_000, connectTimeoutMilliseconds: Int = 5_000, responseLimit: Int = 64 << 20,
        followRedirects: Int = 0, username: String? = nil, password: String? = nil,
        allowedSchemes: [String] = ["http", "https"], verifyTLS: Bool = true, caFile: String? = nil,
        certificateFile: String? = nil, keyFile: String? = nil, proxy: String? = nil, unixSocket: String? = nil,
        decompress: Bool = false
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeoutMilliseconds = timeoutMilliseconds
        self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
        self.responseLimit = responseLimit
        self.followRedirects = followRedirects
        self.username = username
        self.password = password
        self.allowedSchemes = allowedSchemes
        self.verifyTLS = verifyTLS
        self.caFile = caFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.proxy = proxy
        self.unixSocket = unixSocket
        self.decompress = decompress
    }
}

extension HTTPClientRequest {
    /// The query part of a URL, percent-encoded; empty without parts.
    public static func query(_ parts: [(name: String, value: String)]) -> String {
        func encoded(_ text: String) -> String { String(decoding: text.utf8.flatMap(HTTPText.percentEncoded), as: UTF8.self) }
        let pairs = parts.map { "\(encoded($0.name))=\(encoded($0.value))" }
        return pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&")
    }
}
