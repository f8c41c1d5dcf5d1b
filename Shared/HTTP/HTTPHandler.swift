public import Bulk

/// What a server does with its requests.
///
/// HEAD is handed on as `.head`: answer it as GET (see `HTTPMethod.route`), the server leaves the body away and keeps its length.
public protocol HTTPHandler: Sendable {
    /// Answers on the server's own thread, without suspension: for look-ups, health, and refusals by the head alone (wrong media
    /// type 415, unknown path 404, wrong method 405). nil = read the body (up to `bodyLimit`) and call `respond`. Must not block.
    func immediate(_ head: HTTPRequestHead) -> HTTPResponse?

    /// The largest body in bytes accepted for this request; a larger one is answered by `tooLarge`.
    func bodyLimit(_ head: HTTPRequestHead) -> Int

    /// The answer to a body over the limit (413).
    func tooLarge(_ head: HTTPRequestHead, limit: Int) -> HTTPResponse

    /// Folder for the body of this request if it is large: it then lies in a file without a name instead of in memory. nil: in memory.
    func folderForLargeBody(_ head: HTTPRequestHead) -> String?

    /// The answer when the body cannot be kept in that folder (507).
    func cannotKeep(_ head: HTTPRequestHead, _ error: BulkError) -> HTTPResponse

    /// Called in a task while the connection is suspended; the answer resumes it. The task is cancelled when the server stops
    /// and its deadline has passed; the client has then been answered 503.
    func respond(to request: HTTPRequest) async -> HTTPResponse
}

extension HTTPHandler {
    /// Bodies stay in memory.
    public func folderForLargeBody(_ head: HTTPRequestHead) -> String? { nil }

    /// A 507 in plain text that says why.
    public func cannotKeep(_ head: HTTPRequestHead, _ error: BulkError) -> HTTPResponse {
        HTTPResponse(status: 507, text: "The body cannot be kept: \(error).\n")
    }

    /// A 413 in plain text that names the limit.
    public func tooLarge(_ head: HTTPRequestHead, limit: Int) -> HTTPResponse {
        HTTPResponse(status: 413, text: "The body is larger than the limit of \(limit) bytes; send smaller ones.\n")
    }
}
