import Glibc
import IDF

/// Many texts, in one block, sorted by length and bytes.
struct TextSet: Sendable {
    private let bytes: [UInt8]
    /// Where each text ends.
    private let ends: [Int]

    init(_ texts: [[UInt8]]) {
        let sorted = texts.sorted { $0.count != $1.count ? $0.count < $1.count : $0.lexicographicallyPrecedes($1) }
        bytes = Array(sorted.joined())
        var ends: [Int] = []
        for text in sorted { ends.append((ends.last ?? 0) + text.count) }
        self.ends = ends
    }

    func contains(_ value: ByteView) -> Bool {
        guard let wanted = value.baseAddress else { return ends.first == 0 }
        return bytes.withUnsafeBufferPointer { bytes in
            var low = 0
            var high = ends.count
            while low < high {
                let middle = (low + high) >> 1
                let start = middle == 0 ? 0 : ends[middle - 1]
                let length = ends[middle] - start
                var order = length - value.count
                if order == 0, length > 0, let text = bytes.baseAddress { order = Int(memcmp(text + start, wanted, length)) }
                if order == 0 { return true }
                if order < 0 { low = middle + 1 } else { high = middle }
            }
            return false
        }
    }
}

/// Addresses and networks as ranges that neither touch nor overlap, sorted. IPv4 in IPv6 (`::ffff:192.0.2.1`) is IPv4.
struct AddressSet: Sendable {
    private typealias Range = (low: UInt128, high: UInt128)
    private let v4: [Range]
    private let v6: [Range]

    init(_ literals: [Literal]) {
        var v4: [Range] = []
        var v6: [Range] = []
        for literal in literals {
            let (range, isV4): (Range, Bool)
            switch literal {
            case .address(let address): (range, isV4) = Self.range(address, UInt8(address.bitWidth))
            case .network(let network): (range, isV4) = Self.range(network.address, network.prefixLength)
            default: continue
            }
            if isV4 { v4.append(range) } else { v6.append(range) }
        }
        self.v4 = Self.merged(v4)
        self.v6 = Self.merged(v6)
    }

    private static func merged(_ ranges: [Range]) -> [Range] {
        var merged: [Range] = []
        for range in ranges.sorted(by: { $0.low < $1.low }) {
            if let last = merged.last, range.low <= last.high || range.low - last.high == 1 {
                merged[merged.count - 1].high = max(last.high, range.high)
            } else {
                merged.append(range)
            }
        }
        return merged
    }

    @inline(__always)
    private static func range(_ address: IPAddress, _ prefixLength: UInt8) -> (Range, isV4: Bool) {
        let isMapped = !address.isV4 && prefixLength >= 96 && address.bits >> 32 == 0xFFFF
        let low = isMapped ? address.bits & 0xFFFF_FFFF : address.bits
        let free = UInt128(address.bitWidth - Int(prefixLength))
        let hosts: UInt128 = free == 128 ? .max : (1 << free) - 1
        return ((low, low | hosts), address.isV4 || isMapped)
    }

    /// Whether all of the network lies in one of the ranges.
    @inline(__always)
    func contains(_ network: IPNetwork) -> Bool {
        let (wanted, isV4) = Self.range(network.address, network.prefixLength)
        let ranges = isV4 ? v4 : v6
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) >> 1
            if ranges[middle].high < wanted.low { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].low <= wanted.low && wanted.high <= ranges[low].high
    }
}
