/// A growing result that stops at a limit.
struct Output {
    /// Bytes of capacity kept behind the result.
    static let spare = 64

    private(set) var bytes: [UInt8]
    /// Bytes in use; `bytes` is filled further while it grows.
    private(set) var count = 0
    private let limit: Int

    /// `expected` is a guess, often made by a stranger, and therefore no more than a first size.
    init(limit: Int, expected: Int, input: Int) {
        self.limit = min(max(limit, 0), 1 << 50)
        // One more than expected, so that the end of the data is met without growing.
        let plausible = min(max(expected, 4096), 4096 + input.multipliedReportingOverflow(by: 32).partialValue)
        let first = min(plausible, self.limit) + 1
        bytes = []
        bytes.reserveCapacity(first + Self.spare)
        bytes.append(contentsOf: repeatElement(0, count: first))
    }

    /// True when more than the limit was written.
    var isOverLimit: Bool { count > limit }

    /// Calls `body` with room for at least one byte; it returns how many it filled.
    mutating func fill(_ body: (UnsafeMutableBufferPointer<UInt8>) -> Int) {
        if count == bytes.count {
            let size = min(bytes.count * 2, limit + 1)
            bytes.reserveCapacity(size + Self.spare)
            bytes.append(contentsOf: repeatElement(0, count: max(size - bytes.count, 1)))
        }
        count += bytes.withUnsafeMutableBufferPointer { body(.init(rebasing: $0[count...])) }
    }

    /// The result.
    consuming func finish() -> [UInt8] {
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
