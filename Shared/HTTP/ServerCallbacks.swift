import CMicroHTTPD
import Glibc

// What the library calls on its own threads: functions, because a closure would inherit the isolation of where it is written.

/// Called when a connection opens and closes.
func serverConnection(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ event: MHD_ConnectionNotificationCode
) {
    guard let context, let connection, let slot else { return }
    let core = Unmanaged<ServerCore>.fromOpaque(context).takeUnretainedValue()
    if event == mhd_opened {
        let record = ServerConnection(core: core, handle: connection)
        slot.pointee = Unmanaged.passRetained(record).toOpaque()
        core.opened(record)
    } else if let pointer = slot.pointee {
        slot.pointee = nil
        core.closed(Unmanaged<ServerConnection>.fromOpaque(pointer).takeRetainedValue())
    }
}

/// Called with the head, with every part of the body, at the end of the request and after each resumption.
func serverAccess(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _ url: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _ upload: UnsafePointer<CChar>?,
    _ size: UnsafeMutablePointer<Int>?, _ request: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let connection, let url, let method, let size, let request else { return mhd_no }
    guard let state = request.pointee else {
        guard let pointer = mhd_socket_context(connection) else { return mhd_no }
        request.pointee = pointer
        return Unmanaged<ServerConnection>.fromOpaque(pointer)._withUnsafeGuaranteedRef { $0.begin(url, method) }
            ? mhd_yes : mhd_no
    }
    return Unmanaged<ServerConnection>.fromOpaque(state)._withUnsafeGuaranteedRef { record in
        guard size.pointee > 0, let upload else { return record.finish(url, method) }
        let count = size.pointee
        size.pointee = 0
        return upload.withMemoryRebound(to: UInt8.self, capacity: count) { bytes in
            record.receive(url, method, UnsafeBufferPointer(start: bytes, count: count))
        }
    } ? mhd_yes : mhd_no
}

/// Called when a request is over, answered or broken.
func serverCompleted(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ request: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ reason: MHD_RequestTerminationCode
) {
    guard let request, let state = request.pointee else { return }
    request.pointee = nil
    Unmanaged<ServerConnection>.fromOpaque(state)._withUnsafeGuaranteedRef { $0.end() }
}

/// Leaves path and query as they were sent: only their user knows which parts to decode, and when.
func serverUnescape(_ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _ text: UnsafeMutablePointer<CChar>?)
    -> Int
{
    text.map { strlen($0) } ?? 0
}

/// Called with each header or part of the query.
func collectServerValue(
    _ context: UnsafeMutableRawPointer?, _ kind: MHD_ValueKind, _ name: UnsafePointer<CChar>?, _ nameSize: Int,
    _ value: UnsafePointer<CChar>?, _ valueSize: Int
) -> MHD_Result {
    guard let context, let name else { return mhd_yes }
    let values = context.assumingMemoryBound(to: ServerValues.self)
    let decode = values.pointee.decode
    let key = name.withMemoryRebound(to: UInt8.self, capacity: nameSize) { decode(.init(start: $0, count: nameSize)) }
    let text = value?.withMemoryRebound(to: UInt8.self, capacity: valueSize) { decode(.init(start: $0, count: valueSize)) }
    values.pointee.pairs.append((key, text ?? ""))
    return mhd_yes
}

/// Called when a streamed body is to be sent on; without bytes it suspends the connection.
func readServerStream(
    _ context: UnsafeMutableRawPointer?, _ position: UInt64, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int
) -> Int {
    guard let context, let buffer else { return mhd_stream_broken }
    return Unmanaged<ServerStream>.fromOpaque(context)._withUnsafeGuaranteedRef {
        $0.read(UnsafeMutableRawBufferPointer(start: buffer, count: size))
    }
}

/// Called when an answer with a streamed body is over, perhaps without having been sent.
func freeServerStream(_ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    Unmanaged<ServerStream>.fromOpaque(context).takeRetainedValue().close(.broken)
}

/// Called when a large body has been sent or dropped.
func freeServerBody(_ body: UnsafeMutableRawPointer?) {
    guard let body else { return }
    Unmanaged<ServerBody>.fromOpaque(body).release()
}
