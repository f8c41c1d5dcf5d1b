/// An HTTP client: any number of requests at once over kept connections, all on one thread of its own.
///
/// Dropping the last reference closes it.
public final class HTTPClient: Sendable {
    private let core: ClientCore

    /// Hands out the body's parts on the client's thread, in order; the buffer is valid during the call only. It must be quick, for
    /// it holds up all other requests. false stops the transfer, which then fails with `.cancelled`.
    public typealias ChunkHandler = @Sendable (_ bytes: UnsafeBufferPointer<UInt8>) -> Bool

    /// A client that opens at most so many connections to one host and port; further requests wait for one.
    public init(connectionsPerHost: Int = 16) {
        core = ClientCore(connectionsPerHost: min(max(connectionsPerHost, 1), 10_000))
    }

    deinit { core.close() }

    /// Sends a request and waits for the whole answer, of any status. Cancelling the task aborts the transfer.
    public func send(_ request: HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse {
        try await core.run(ClientTransfer(request, onChunk: nil)).get()
    }

    /// Sends a request and hands out the body of a successful answer (status below 300) as it comes; the answer then has an empty
    /// body. Other answers keep theirs. `responseLimit` counts both.
    public func send(
        _ request: HTTPClientRequest, onChunk: @escaping ChunkHandler
    ) async throws(HTTPClientError) -> HTTPClientResponse {
        try await core.run(ClientTransfer(request, onChunk: onChunk)).get()
    }

    /// Aborts what is under way (`.closed`) and ends the thread; later requests fail with `.closed`.
    public func close() { core.close() }
}
