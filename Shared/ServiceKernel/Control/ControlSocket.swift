package import HTTP

/// The control socket of a service or of its statusd, from the side of whoever calls.
package struct ControlSocket: Sendable {
    /// Where it is.
    package let path: String
    private let client: HTTPClient

    /// A socket at that path; nothing is opened yet.
    package init(_ path: String) {
        self.path = path
        client = HTTPClient(connectionsPerHost: 8)
    }

    /// One call; any status is an answer.
    package func call(
        _ method: HTTPMethod, _ path: String, _ query: [(String, String)] = [], body: [UInt8] = [],
        timeoutMilliseconds: Int = 300_000
    ) async throws(HTTPClientError) -> HTTPClientResponse {
        try await client.send(request(method, path, query, body, timeoutMilliseconds))
    }

    /// One call whose answer comes in pieces, until it ends or `onChunk` answers false.
    package func stream(
        _ path: String, _ query: [(String, String)], onChunk: @escaping HTTPClient.ChunkHandler
    ) async throws(HTTPClientError) -> HTTPClientResponse {
        var request = request(.get, path, query, [], 0)
        request.responseLimit = .max
        return try await client.send(request, onChunk: onChunk)
    }

    private func request(
        _ method: HTTPMethod, _ path: String, _ query: [(String, String)], _ body: [UInt8], _ timeout: Int
    ) -> HTTPClientRequest {
        HTTPClientRequest(
            method: method, url: "http://localhost\(path)\(Self.text(query))",
            headers: [("Content-Type", "application/octet-stream")], body: method == .get || method == .delete ? nil : body,
            timeoutMilliseconds: timeout, unixSocket: self.path)
    }

    /// A query as it stands in a URL, with its question mark; nothing for none.
    package static func text(_ query: [(String, String)]) -> String {
        query.isEmpty ? "" : "?" + query.map { "\(escaped($0.0))=\(escaped($0.1))" }.joined(separator: "&")
    }

    private static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return text.utf8.map { byte in
            let isPlain =
                byte >= 0x30 && byte <= 0x39 || byte >= 0x41 && byte <= 0x5A || byte >= 0x61 && byte <= 0x7A
                || "-_.~".utf8.contains(byte)
            return isPlain
                ? String(UnicodeScalar(byte)) : "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
        }.joined()
    }
}
