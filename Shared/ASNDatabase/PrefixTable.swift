/// Networks of one IP version, asked for the most specific one that contains an address.
///
/// The networks lie sorted by first address, then length, in plain arrays: 13 bytes a network for IPv4, 25 for IPv6. The last
/// network that starts at or before an address contains it, or else one of the networks around that network does.
struct PrefixTable<Key: FixedWidthInteger & UnsignedInteger & Sendable>: Sendable {
    /// One network: its first address, its announcer, its prefix length.
    struct Row: Sendable {
        let start: Key
        let system: UInt32
        let length: UInt8
    }

    private static var none: UInt32 { .max }
    private static var bucketShift: Int { Key.bitWidth - 16 }

    private let starts: [Key]
    private let systems: [UInt32]
    private let lengths: [UInt8]
    /// The next larger network around each network.
    private let parents: [UInt32]
    /// For each value of the upper 16 bits, the number of networks that start below it.
    private let buckets: [UInt32]

    var count: Int { starts.count }

    /// Takes rows in any order, host bits cleared. A network listed twice keeps the lower system number.
    init(rows: consuming [Row]) {
        let inOrder = { (left: Row, right: Row) in
            (left.start, left.length, left.system) < (right.start, right.length, right.system)
        }
        var sorted = rows
        if !zip(sorted, sorted.dropFirst()).allSatisfy({ inOrder($0, $1) }) {
            sorted.sort(by: inOrder)
        }
        var starts: [Key] = []
        var systems: [UInt32] = []
        var lengths: [UInt8] = []
        var parents: [UInt32] = []
        starts.reserveCapacity(sorted.count)
        systems.reserveCapacity(sorted.count)
        lengths.reserveCapacity(sorted.count)
        parents.reserveCapacity(sorted.count)
        for row in sorted {
            var around = starts.isEmpty ? Self.none : UInt32(starts.count - 1)
            if around != Self.none, starts[Int(around)] == row.start, lengths[Int(around)] == row.length { continue }
            while around != Self.none, !Self.contains(starts[Int(around)], lengths[Int(around)], row.start) {
                around = parents[Int(around)]
            }
            starts.append(row.start)
            systems.append(row.system)
            lengths.append(row.length)
            parents.append(around)
        }
        self.starts = starts
        self.systems = systems
        self.lengths = lengths
        self.parents = parents
        buckets = Self.buckets(of: starts)
    }

    private static func buckets(of starts: [Key]) -> [UInt32] {
        guard !starts.isEmpty else { return [] }
        var buckets = [UInt32](repeating: 0, count: 65_537)
        for start in starts {
            buckets[Int(truncatingIfNeeded: start >> bucketShift) + 1] += 1
        }
        for index in 1..<buckets.count {
            buckets[index] += buckets[index - 1]
        }
        return buckets
    }

    private static func contains(_ start: Key, _ length: UInt8, _ key: Key) -> Bool {
        (start ^ key) >> (Key.bitWidth - Int(length)) == 0
    }

    /// The most specific network that contains the address.
    func row(containing key: Key) -> Row? {
        guard !starts.isEmpty else { return nil }
        let bucket = Int(truncatingIfNeeded: key >> Self.bucketShift)
        var low = Int(buckets[bucket])
        var high = Int(buckets[bucket + 1])
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= key { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        var index = UInt32(low - 1)
        while index != Self.none {
            let position = Int(index)
            if Self.contains(starts[position], lengths[position], key) {
                return Row(start: starts[position], system: systems[position], length: lengths[position])
            }
            index = parents[position]
        }
        return nil
    }
}
