import Glibc

/// Takes bytes in, one piece after the other: into memory, and into a file as soon as they are many.
public struct BulkWriter: ~Copyable {
    /// Where many bytes go; nil: everything stays in memory.
    private let directory: String?
    private let threshold: Int
    private var memory: [UInt8] = []
    private var descriptor: Int32 = -1
    /// Bytes taken so far.
    public private(set) var count = 0

    /// More than this goes into a file.
    public static let usualThreshold = 8 << 20

    /// A place for bytes.
    /// - Parameters:
    ///   - directory: folder of the file, which never has a name there; nil keeps everything in memory.
    ///   - expected: how many bytes are announced; a guess, no more than `usualThreshold` is set aside.
    public init(directory: String?, expected: Int = 0, threshold: Int = Self.usualThreshold) {
        self.directory = directory
        self.threshold = threshold
        if expected > 0 { memory.reserveCapacity(min(expected, Self.usualThreshold) + MappedFile.padding) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// A folder for large files that outlives nothing: that of `TMPDIR`, else `/var/tmp`, which is on disk where `/tmp` is memory.
    public static var temporaryDirectory: String {
        guard let path = getenv("TMPDIR").map({ String(cString: $0) }), !path.isEmpty else { return "/var/tmp" }
        return path
    }

    /// Takes a piece.
    public mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) throws(BulkError) {
        if descriptor < 0 {
            guard let directory, count + bytes.count > threshold else {
                memory.append(contentsOf: bytes)
                count += bytes.count
                return
            }
            descriptor = try Self.openFile(in: directory)
            let taken = memory
            memory = []
            try taken.withUnsafeBufferPointer { (all) throws(BulkError) in try write(all) }
        }
        try write(bytes)
        count += bytes.count
    }

    /// The bytes taken; the writer is empty then.
    public mutating func finish() throws(BulkError) -> BulkBytes {
        defer { reset() }
        guard descriptor >= 0 else {
            if memory.capacity - memory.count < MappedFile.padding { memory.reserveCapacity(count + MappedFile.padding) }
            return BulkBytes(memory)
        }
        guard ftruncate(descriptor, count + MappedFile.padding) == 0, let file = MappedFile(descriptor, count: count) else {
            throw failure()
        }
        return BulkBytes(file)
    }

    /// Forgets the bytes taken.
    public mutating func reset() {
        if descriptor >= 0 { close(descriptor) }
        (memory, descriptor, count) = ([], -1, 0)
    }

    private func write(_ bytes: UnsafeBufferPointer<UInt8>) throws(BulkError) {
        var left = bytes[...]
        while !left.isEmpty {
            let done = Glibc.write(descriptor, UnsafeBufferPointer(rebasing: left).baseAddress, left.count)
            if done < 0, errno == EINTR { continue }
            guard done > 0 else { throw failure() }
            left = left.dropFirst(done)
        }
    }

    private func failure() -> BulkError {
        let isFull = errno == ENOSPC || errno == EDQUOT
        return BulkError(
            "cannot keep more than \(threshold) bytes in \(directory ?? ""): \(String(cString: strerror(errno)))"
                + (isFull ? "; free space there" : ""), isOutOfSpace: isFull)
    }

    private static func openFile(in directory: String) throws(BulkError) -> Int32 {
        // O_TMPFILE, which Swift does not import; not every file system has it.
        var descriptor = open(directory, 0o20_000_000 | O_DIRECTORY | O_RDWR | O_CLOEXEC, 0o600)
        if descriptor < 0, errno != ENOENT, errno != EACCES {
            var path = Array("\(directory)/bulk-XXXXXX".utf8CString)
            descriptor = mkstemp(&path)
            if descriptor >= 0 {
                unlink(path)
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            }
        }
        guard descriptor >= 0 else {
            throw BulkError(
                "cannot make a file in \(directory): \(String(cString: strerror(errno))); set TMPDIR to a folder that may be written to",
                isOutOfSpace: errno == ENOSPC)
        }
        return descriptor
    }
}

/// Why many bytes could not be kept.
public struct BulkError: Error, Sendable, CustomStringConvertible {
    /// What, where, why, and what to do.
    public let description: String
    /// Whether the disk is full.
    public let isOutOfSpace: Bool

    init(_ description: String, isOutOfSpace: Bool) {
        self.description = description
        self.isOutOfSpace = isOutOfSpace
    }
}
