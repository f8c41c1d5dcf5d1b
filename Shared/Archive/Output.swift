import Bulk

/// What is unpacked; it stops at a limit.
struct Output: ~Copyable {
    private var writer: BulkWriter
    private let room = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 1 << 16)
    private let limit: Int
    private let fileName: String

    /// - Parameters:
    ///   - expected: a guess, often made by a stranger, and therefore no more than a first size.
    ///   - input: bytes that are unpacked; far more than they could become is not set aside.
    init(limit: Int, expected: Int, input: Int, fileName: String, folder: String?) {
        self.limit = min(max(limit, 0), 1 << 50)
        self.fileName = fileName
        let plausible = min(max(expected, 4096), 4096 + input.multipliedReportingOverflow(by: 32).partialValue)
        writer = BulkWriter(directory: folder, expected: min(plausible, self.limit))
    }

    deinit { room.deallocate() }

    /// Bytes so far.
    var count: Int { writer.count }

    /// Calls `body` with room; it returns how many bytes it filled.
    mutating func fill(_ body: (UnsafeMutableBufferPointer<UInt8>) -> Int) throws(ArchiveError) {
        let filled = UnsafeBufferPointer(rebasing: room[..<body(room)])
        if filled.count > limit - writer.count { throw .tooLarge(fileName, limit: limit) }
        do throws(BulkError) { try writer.append(filled) } catch { throw ArchiveError(.notKept, "\(fileName): \(error)") }
    }

    /// The result.
    mutating func finish() throws(ArchiveError) -> BulkBytes {
        do throws(BulkError) { return try writer.finish() } catch { throw ArchiveError(.notKept, "\(fileName): \(error)") }
    }
}
