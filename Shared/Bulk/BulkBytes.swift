import Glibc

/// Bytes of any number, for input whose size somebody else decides: few lie in memory, many in a nameless file that is mapped, so that
/// only what is being read takes memory.
///
/// A value; copies share the bytes, which never change.
public struct BulkBytes: Sendable {
    private enum Place: Sendable {
        case memory([UInt8])
        case file(MappedFile)
    }
    private let place: Place

    /// Bytes in memory.
    public init(_ bytes: [UInt8]) { place = .memory(bytes) }

    init(_ file: MappedFile) { place = .file(file) }

    /// The bytes of a file as it is now. A large one is copied: whoever cuts it off while it is read would otherwise end this process.
    /// - Parameters:
    ///   - limit: a larger file is refused.
    ///   - folder: where the copy lies, without a name.
    public init(file path: String, limit: Int = .max, folder: String) throws(BulkError) {
        func failure() -> BulkError { BulkError(String(cString: strerror(errno)), isOutOfSpace: false) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        var status = stat()
        var writer = BulkWriter(directory: folder, expected: fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0)
        let piece = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 1 << 18)
        defer { piece.deallocate() }
        while true {
            let got = read(descriptor, piece.baseAddress, piece.count)
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw failure() }
            if got == 0 { break }
            guard got <= limit - writer.count else {
                throw BulkError("larger than \(limit) bytes", isOutOfSpace: false)
            }
            try writer.append(UnsafeBufferPointer(rebasing: piece[..<got]))
        }
        self = try writer.finish()
    }

    /// How many there are.
    public var count: Int {
        switch place {
        case .memory(let bytes): bytes.count
        case .file(let file): file.count
        }
    }

    /// Whether there are none.
    public var isEmpty: Bool { count == 0 }

    /// Whether they lie in a file.
    public var isFile: Bool { if case .file = place { true } else { false } }

    /// All of them in memory: a copy if they lie in a file.
    public var array: [UInt8] {
        switch place {
        case .memory(let bytes): bytes
        case .file(let file): Array(file.view)
        }
    }

    /// Calls with all of them, valid during the call.
    public func withBytes<R, E: Error>(_ body: (UnsafeBufferPointer<UInt8>) throws(E) -> R) throws(E) -> R {
        switch place {
        case .memory(let bytes): return try bytes.withUnsafeBufferPointer(body)
        case .file(let file):
            // The file is unmapped with its last reference.
            defer { withExtendedLifetime(file) {} }
            return try body(file.view)
        }
    }

    /// Gives back the memory of what has been read so far of a file; it is read anew where it is wanted again. Cheap, and allowed at
    /// any time, also within `withBytes`.
    public func release() { if case .file(let file) = place { file.release() } }

    /// The first ones, in memory.
    public func prefix(_ length: Int) -> [UInt8] { withBytes { Array($0.prefix(length)) } }

    /// Calls with one piece after the other, each valid during its call.
    public func eachPiece(_ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        withBytes { bytes in
            for start in stride(from: 0, to: bytes.count, by: Self.piece) {
                body(UnsafeBufferPointer(rebasing: bytes[start..<min(start + Self.piece, bytes.count)]))
                release()
            }
        }
    }

    /// How often a byte is there.
    public func occurrences(of byte: UInt8) -> Int {
        var found = 0
        eachPiece { for one in $0 where one == byte { found += 1 } }
        return found
    }

    /// Calls with each line, without its line feed, and its number from 1, as long as it answers true. A last line feed begins no line;
    /// a UTF-8 byte order mark is no text.
    public func eachLine<E: Error>(_ body: (UnsafeBufferPointer<UInt8>, Int) throws(E) -> Bool) throws(E) {
        try withBytes { (bytes) throws(E) in
            guard let base = bytes.baseAddress else { return }
            var (start, number, kept) = (bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0, 0, 0)
            while start < bytes.count {
                let end = memchr(base + start, 0x0A, bytes.count - start).map { UnsafeRawPointer($0) - UnsafeRawPointer(base) }
                number += 1
                let line = UnsafeBufferPointer(start: base + start, count: (end ?? bytes.count) - start)
                guard try body(line, number), let end else { return }
                start = end + 1
                if start - kept > Self.piece {
                    release()
                    kept = start
                }
            }
        }
    }

    /// How much is read between two releases.
    private static let piece = 4 << 20
}

/// A file that has no name any more, mapped to be read.
final class MappedFile: Sendable {
    /// Zeros behind the bytes, as SIMD readers want them.
    static let padding = 64
    let count: Int
    private nonisolated(unsafe) let base: UnsafeMutableRawPointer

    /// - Parameter descriptor: holds `count` bytes and the padding; stays open.
    init?(_ descriptor: Int32, count: Int) {
        guard let base = mmap(nil, count + Self.padding, PROT_READ, MAP_SHARED, descriptor, 0), base != MAP_FAILED else {
            return nil
        }
        self.base = base
        self.count = count
        madvise(base, count + Self.padding, MADV_SEQUENTIAL)
    }

    deinit { munmap(base, count + Self.padding) }

    var view: UnsafeBufferPointer<UInt8> { .init(start: base.assumingMemoryBound(to: UInt8.self), count: count) }

    func release() { madvise(base, count + Self.padding, MADV_DONTNEED) }
}
