import CMicroHTTPD

/// An answer in the library's form. Made on any thread, destroyed by whoever queues or drops it.
struct ServerResponse: @unchecked Sendable {
    let handle: OpaquePointer
    let status: UInt32
    /// The body that is written while it is sent.
    let stream: ServerStream?

    /// Up to this size a copy is cheaper than keeping the array alive.
    private static let copyLimit = 4096
    /// What the library sets aside for a streamed body; chunks are made in the connection's own memory.
    private static let blockSize = 4096

    /// nil only when memory is exhausted.
    static func make(_ response: HTTPResponse, closing: Bool, isHead: Bool = false) -> ServerResponse? {
        let valid = 200...999 ~= response.status
        let stream = response.stream?.stream
        if let stream, !stream.claim() {
            return make(HTTPResponse(status: 500, text: "The answer's stream is already being sent.\n"), closing: true)
        }
        guard let handle = stream.map(wrap) ?? wrap(response.body) else { return nil }
        if let stream, isHead || response.status == 204 || response.status == 304 {
            // The library would send the last chunk of a body that must not be there; without chunks it closes the connection.
            stream.close(.stopped)
            mhd_unchunk(handle)
        }
        for (name, value) in response.headers where !isOurs(name) {
            // The library takes tabs for an attack, too, and an empty value for none.
            if value.isEmpty { continue }
            guard HTTPText.isToken(name), HTTPText.isFieldValue(value), MHD_add_response_header(handle, name, value) == mhd_yes
            else {
                MHD_destroy_response(handle)
                return make(HTTPResponse(status: 500, text: "The answer had a header that cannot be sent.\n"), closing: true)
            }
        }
        if closing { MHD_add_response_header(handle, "Connection", "close") }
        return ServerResponse(handle: handle, status: valid ? UInt32(response.status) : 500, stream: stream)
    }

    private static func isOurs(_ name: String) -> Bool {
        switch name.utf8.count {
        case 4: HTTPText.same(name.utf8, "date".utf8)
        case 14: HTTPText.same(name.utf8, "content-length".utf8)
        case 17: HTTPText.same(name.utf8, "transfer-encoding".utf8)
        default: false
        }
    }

    private static func wrap(_ stream: ServerStream) -> OpaquePointer? {
        let box = Unmanaged.passRetained(stream)
        let handle = MHD_create_response_from_callback(
            mhd_stream_size, blockSize, readServerStream, box.toOpaque(), freeServerStream)
        if handle == nil { freeServerStream(box.toOpaque()) }
        return handle
    }

    private static func wrap(_ body: [UInt8]) -> OpaquePointer? {
        if body.count <= copyLimit {
            return body.withUnsafeBytes { bytes in
                MHD_create_response_from_buffer(bytes.count, UnsafeMutableRawPointer(mutating: bytes.baseAddress), mhd_copy)
            }
        }
        // The array lives in the box, unchanged, until the library calls `freeServerBody`: its storage does not move.
        let box = Unmanaged.passRetained(ServerBody(body))
        let handle = body.withUnsafeBytes { bytes in
            MHD_create_response_from_buffer_with_free_callback_cls(
                bytes.count, UnsafeMutableRawPointer(mutating: bytes.baseAddress), freeServerBody, box.toOpaque())
        }
        if handle == nil { box.release() }
        return handle
    }
}

/// Keeps a large body alive while it is being sent.
final class ServerBody: Sendable {
    let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }
}
