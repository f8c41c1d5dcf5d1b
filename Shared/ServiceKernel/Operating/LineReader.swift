import Bulk
import Glibc

/// Reads a file or a pipe line by line, as the lines come.
struct LineReader {
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    /// Where the next line begins in the buffer.
    private var start = 0
    private var isAtEnd = false
    /// Number of the line read last, from 1.
    private(set) var number = 0
    /// Why reading ended early.
    private(set) var failure: String?

    /// - Parameter descriptor: stays open; below 0 when it could not be opened, which `errno` tells.
    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        if descriptor < 0 { fail() }
    }

    /// The first bytes that have not been read yet, fewer at the end.
    mutating func peek(_ length: Int) -> ArraySlice<UInt8> {
        while buffer.count - start < length, !isAtEnd { fill() }
        return buffer[start...].prefix(length)
    }

    /// The next line without its line feed; nil at the end.
    mutating func next() -> [UInt8]? {
        var searched = start
        while true {
            if let end = lineFeed(from: searched) {
                defer { start = end + 1 }
                number += 1
                return Array(buffer[start..<end])
            }
            guard !isAtEnd else { break }
            searched = buffer.count - start
            fill()
        }
        guard start < buffer.count, failure == nil else { return nil }
        defer { start = buffer.count }
        number += 1
        return Array(buffer[start...])
    }

    /// All that has not been read yet; if it is much, in a file in the folder.
    mutating func rest(folder: String) throws(BulkError) -> BulkBytes {
        var writer = BulkWriter(directory: folder)
        while true {
            try buffer[start...].withUnsafeBufferPointer { (bytes) throws(BulkError) in try writer.append(bytes) }
            start = buffer.count
            if isAtEnd { return try writer.finish() }
            fill()
        }
    }

    private func lineFeed(from place: Int) -> Int? {
        buffer.withUnsafeBytes { all in
            guard place < all.count, let base = all.baseAddress, let found = memchr(base + place, 0x0A, all.count - place) else {
                return nil
            }
            return UnsafeRawPointer(found) - base
        }
    }

    private mutating func fill() {
        buffer.removeFirst(start)
        start = 0
        let count = buffer.count
        let step = 1 << 18
        buffer.append(contentsOf: repeatElement(0, count: step))
        let got = buffer.withUnsafeMutableBytes { all in
            var got = -1
            repeat { got = read(descriptor, all.baseAddress.map { $0 + count }, step) } while got < 0 && errno == EINTR
            return got
        }
        if got < 0 { fail() }
        buffer.removeLast(step - max(0, got))
        isAtEnd = got <= 0
    }

    private mutating func fail() {
        failure = String(cString: strerror(errno))
        isAtEnd = true
    }
}
