public import Bulk

/// What a request says before its body.
///
/// A head handed to `HTTPHandler.immediate`, `bodyLimit` or `tooLarge` reads its headers, query and peer from the open connection when
/// asked: used after that call has returned it has none of them. A head inside an `HTTPRequest` owns everything and may be kept.
public struct HTTPRequestHead: Sendable {
    /// What is asked.
    public let method: HTTPMethod
    /// The path as sent, not percent-decoded, without the query; starts with `/` (or is `*` for OPTIONS).
    public let path: String
    private let source: Source

    private enum Source: Sendable {
        case live(ServerConnection, generation: UInt64)
        case kept(query: [(name: String, value: String)], headers: [(name: String, value: String)], peer: String?)
    }

    /// A head made by hand, for tests and for routers that hand requests on.
    public init(
        method: HTTPMethod, path: String, query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = [], peer: String? = nil
    ) {
        self.method = method
        self.path = path
        source = .kept(query: query, headers: headers, peer: peer)
    }

    init(method: HTTPMethod, path: String, connection: ServerConnection) {
        self.method = method
        self.path = path
        source = .live(connection, generation: connection.generation)
    }

    /// The query's parts in order of appearance, `+` and percent-encoding decoded; a part without `=` has an empty value.
    public var query: [(name: String, value: String)] {
        switch source {
        case .live(let connection, let generation): connection.query(generation: generation)
        case .kept(let query, _, _): query
        }
    }

    /// All headers in order of appearance.
    public var headers: [(name: String, value: String)] {
        switch source {
        case .live(let connection, let generation): connection.headers(generation: generation)
        case .kept(_, let headers, _): headers
        }
    }

    /// The first header of that name, whatever its case, without surrounding white space; nil when there is none.
    public func header(_ name: String) -> String? {
        switch source {
        case .live(let connection, let generation): connection.header(name, generation: generation)
        case .kept(_, let headers, _): headers.first { HTTPText.same($0.name.utf8, name.utf8) }?.value
        }
    }

    /// All headers of that name, one behind the other with commas between (RFC 9110, 5.3); nil when there is none.
    public func list(_ name: String) -> String? {
        guard let first = header(name) else { return nil }
        let all = headers.filter { HTTPText.same($0.name.utf8, name.utf8) }
        return all.count > 1 ? all.map(\.value).joined(separator: ",") : first
    }

    /// Who the client's certificate says it is, with mutual TLS; nil without. `CN=` and the subject's common name and, after a comma,
    /// the first alternative name that is a host's (`DNS=`) or a URI (`URI=`), escaped as in RFC 4514: `CN=probe,DNS=probe.example`.
    public var peer: String? {
        switch source {
        case .live(let connection, let generation): connection.peer(generation: generation)
        case .kept(_, _, let peer): peer
        }
    }

    /// The announced size of the body in bytes; nil when none is announced (chunked bodies, requests without one).
    public var contentLength: Int? { header("Content-Length").flatMap(HTTPText.length) }

    /// Decodes percent-encoding, for parts of `path`: `a%20b` becomes `a b`; `+` stays, broken escapes stay, bad UTF-8 is repaired.
    public static func percentDecoded(_ text: some StringProtocol) -> String {
        var text = String(text)
        return text.withUTF8 { HTTPText.percentDecoded($0) }
    }

    /// The same head with everything copied out of the connection.
    func kept() -> HTTPRequestHead {
        HTTPRequestHead(method: method, path: path, query: query, headers: headers, peer: peer)
    }
}

/// A whole request.
public struct HTTPRequest: Sendable {
    /// What came before the body.
    public let head: HTTPRequestHead
    /// The body, chunking removed, content encoding (gzip, zstd) not; in a file where the handler named a folder for large ones.
    public let content: BulkBytes
    /// The body in memory. From a server the array has at least 64 bytes of spare capacity beyond its count, as simdjson wants.
    public var body: [UInt8] { content.array }

    /// A request made by the server.
    public init(head: HTTPRequestHead, content: BulkBytes) {
        self.head = head
        self.content = content
    }

    /// A request made by hand.
    public init(head: HTTPRequestHead, body: [UInt8]) { self.init(head: head, content: BulkBytes(body)) }
}
