import Synchronization

/// One request on its way. Everything but `waiter` belongs to the client's thread.
final class ClientTransfer: @unchecked Sendable {
    let request: HTTPClientRequest
    private let onChunk: HTTPClient.ChunkHandler?
    private let waiter = Mutex(Waiter())

    /// Set when the task was cancelled, perhaps before the transfer began.
    var isCancelled = false
    /// What libcurl uses for it while it runs.
    var easy: ClientEasy?
    private(set) var status = 0
    private(set) var received = 0
    /// Bytes of the request's content that have been sent.
    private var sent = 0
    private(set) var stop: HTTPClientError?
    private(set) var body: [UInt8] = []
    private(set) var lines: [UInt8] = []

    private struct Waiter {
        var continuation: UnsafeContinuation<Result<HTTPClientResponse, HTTPClientError>, Never>?
        var isOver = false
    }

    /// More headers than this are an attack, not an answer.
    private static let headerLimit = 256 * 1024
    private static let reserveLimit = 16 << 20

    init(_ request: HTTPClientRequest, onChunk: HTTPClient.ChunkHandler?) {
        self.request = request
        self.onChunk = onChunk
    }

    func wait(_ continuation: UnsafeContinuation<Result<HTTPClientResponse, HTTPClientError>, Never>) {
        waiter.withLock { $0.continuation = continuation }
    }

    /// Gives the waiting task its result; only the first one counts.
    func finish(_ result: Result<HTTPClientResponse, HTTPClientError>) {
        let continuation = waiter.withLock { waiter in
            defer { waiter.continuation = nil }
            waiter.isOver = true
            return waiter.continuation
        }
        continuation?.resume(returning: result)
    }

    /// A line of the head; false refuses the answer.
    func header(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        if line.starts(with: "HTTP/".utf8) {
            // An interim answer or a redirect came before: only the last head counts.
            lines.removeAll(keepingCapacity: true)
            status = 0
            if let space = line.firstIndex(of: 32) {
                for byte in line[(space + 1)...].prefix(3) where byte &- 48 < 10 { status = status * 10 + Int(byte - 48) }
            }
            return true
        }
        guard lines.count + line.count <= Self.headerLimit else {
            stop = .protocol("the answer's headers are larger than \(Self.headerLimit) bytes; this is no proper server")
            return false
        }
        if line.first == 32 || line.first == 9, let last = lines.lastIndex(of: 10) {
            // A folded line goes on with the one before.
            lines.removeSubrange(last...)
        }
        lines.append(contentsOf: line)
        return true
    }

    /// A part of the body; false refuses it.
    func data(_ bytes: UnsafeBufferPointer<UInt8>, announced: Int) -> Bool {
        guard bytes.count <= request.responseLimit - received else {
            stop = .tooLarge(limit: request.responseLimit)
            return false
        }
        received += bytes.count
        if let onChunk, status < 300 {
            if onChunk(bytes) { return true }
            stop = .cancelled
            return false
        }
        if body.isEmpty, announced > bytes.count {
            body.reserveCapacity(min(announced, request.responseLimit, Self.reserveLimit) + 64)
        }
        body.append(contentsOf: bytes)
        return true
    }

    /// Copies the next part of the request's content; answers how much, 0 at its end.
    func send(into buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
        guard let content = request.content else { return 0 }
        let count = min(buffer.count, content.count - sent)
        content.withBytes { _ = buffer.update(fromContentsOf: $0[sent..<sent + count]) }
        sent += count
        if sent >> 22 != (sent - count) >> 22 { content.release() }
        return count
    }

    /// Goes to a place of the content, where it has to be sent anew; false if there is none.
    func seek(to place: Int) -> Bool {
        guard let content = request.content, (0...content.count).contains(place) else { return false }
        sent = place
        return true
    }

    func takeBody() -> [UInt8] {
        defer { body = [] }
        return body
    }
}
