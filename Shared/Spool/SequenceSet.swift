/// A set of sequence numbers as sorted ranges that neither overlap nor touch: acknowledgements come nearly in order, so it stays small.
struct SequenceSet: Sendable, Equatable {
    /// No sequence number of a sound spool is greater.
    static let greatest: Int64 = 1 << 60

    private(set) var ranges: [ClosedRange<Int64>] = []

    var isEmpty: Bool { ranges.isEmpty }

    init() {}

    init(_ range: ClosedRange<Int64>) { ranges = [range] }

    /// The index of the first range that ends at or after `value`.
    private func index(endingAtOrAfter value: Int64) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < value { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func contains(_ value: Int64) -> Bool {
        let at = index(endingAtOrAfter: value)
        return at < ranges.count && ranges[at].lowerBound <= value
    }

    /// The range that holds `value`.
    func range(around value: Int64) -> ClosedRange<Int64>? {
        let at = index(endingAtOrAfter: value)
        return at < ranges.count && ranges[at].lowerBound <= value ? ranges[at] : nil
    }

    mutating func insert(_ value: Int64) { insert(value...value) }

    mutating func insert(_ range: ClosedRange<Int64>) {
        let start = index(endingAtOrAfter: range.lowerBound == .min ? .min : range.lowerBound - 1)
        var merged = range
        var end = start
        while end < ranges.count, ranges[end].lowerBound <= (merged.upperBound == .max ? .max : merged.upperBound + 1) {
            merged = min(merged.lowerBound, ranges[end].lowerBound)...max(merged.upperBound, ranges[end].upperBound)
            end += 1
        }
        ranges.replaceSubrange(start..<end, with: CollectionOfOne(merged))
    }

    /// Takes away the range that begins at or before `value` and goes beyond it.
    mutating func removeFirst() -> ClosedRange<Int64>? { ranges.isEmpty ? nil : ranges.removeFirst() }

    func intersection(_ other: SequenceSet) -> SequenceSet {
        var result = SequenceSet()
        var left = 0
        var right = 0
        while left < ranges.count, right < other.ranges.count {
            let a = ranges[left]
            let b = other.ranges[right]
            if a.overlaps(b) { result.ranges.append(a.clamped(to: b)) }
            if a.upperBound < b.upperBound { left += 1 } else { right += 1 }
        }
        return result
    }

    // The form in the file: pairs of little-endian 64-bit numbers. All of them: a range left out would be delivered again and
    // counted twice. There are no more ranges than packets handed out at the same time.

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        for range in ranges {
            for value in [range.lowerBound, range.upperBound] {
                withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
            }
        }
        return bytes
    }

    init(encoded bytes: [UInt8]) {
        for start in stride(from: 0, to: bytes.count - 15, by: 16) {
            func number(_ at: Int) -> Int64 {
                Int64(bitPattern: (0..<8).reduce(0) { $0 | UInt64(bytes[at + $1]) << UInt64(8 * $1) })
            }
            let lower = number(start)
            let upper = number(start + 8)
            if lower > 0, lower <= upper, upper <= SequenceSet.greatest { insert(lower...upper) }
        }
    }
}
