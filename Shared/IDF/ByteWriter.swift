import Glibc

/// Writes into memory that was set aside for all of it: what is put together of many short pieces asks for room once, not for each.
struct ByteWriter {
    private var next: UnsafeMutableRawPointer
    private let end: UnsafeMutableRawPointer

    fileprivate init(_ room: UnsafeMutableBufferPointer<UInt8>) {
        next = UnsafeMutableRawPointer(room.baseAddress!)
        end = next + room.count
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        precondition(next < end, "more bytes than were reckoned")
        next.storeBytes(of: byte, as: UInt8.self)
        next += 1
    }

    @inline(__always)
    mutating func append(contentsOf bytes: ByteView) {
        guard let start = bytes.baseAddress else { return }
        precondition(bytes.count <= end - next, "more bytes than were reckoned")
        memcpy(next, start, bytes.count)
        next += bytes.count
    }

    /// Appends the bytes of a literal.
    @inline(__always)
    mutating func append(_ text: StaticString) {
        append(contentsOf: ByteView(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    fileprivate func count(from start: UnsafeMutableRawPointer) -> Int { next - start }
}

extension Array where Element == UInt8 {
    /// Appends what `body` writes, `limit` bytes at most; more stops the program.
    @inline(__always)
    mutating func append(atMost limit: Int, _ body: (inout ByteWriter) -> Void) {
        guard limit > 0 else { return }
        append(addingCapacity: limit) { span in
            span.withUnsafeMutableBufferPointer { room, count in
                var writer = ByteWriter(room)
                body(&writer)
                count = writer.count(from: UnsafeMutableRawPointer(room.baseAddress!))
            }
        }
    }
}
