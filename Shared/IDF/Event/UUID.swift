import Glibc
import Synchronization

/// A UUID (RFC 9562). New ones are version 7: they begin with the time, so that stores append instead of scatter.
public struct UUID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The first and the last eight bytes, big-endian.
    public let high: UInt64, low: UInt64

    /// Makes a UUID from its two halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Time and counter of the last one made: milliseconds and 12 bits that count within them.
    private static let last = Atomic<UInt64>(0)
    /// How many were made; spread by `mixed`, and by a random start that differs from process to process.
    private static let drawn = Atomic<UInt64>(0)
    private static let start = UInt64.random(in: .min ... .max)

    /// A new UUIDv7: greater than every one this process made before. Without a lock: parsers on several threads make one a row.
    public static func v7() -> UUID {
        var clock = timespec()
        clock_gettime(CLOCK_REALTIME, &clock)
        let now = (UInt64(clock.tv_sec) * 1000 + UInt64(clock.tv_nsec) / 1_000_000) << 12
        var before = last.load(ordering: .relaxed)
        while true {
            let next = max(now, before + 1)
            let (done, found) = last.weakCompareExchange(expected: before, desired: next, ordering: .relaxed)
            if done {
                let number = drawn.wrappingAdd(1, ordering: .relaxed).newValue
                return UUID(
                    high: (next >> 12) << 16 | 0x7000 | next & 0xFFF,
                    low: mixed(start &+ number &* 0x9E37_79B9_7F4A_7C15) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
            }
            before = found
        }
    }

    /// The finaliser of SplitMix64: every bit of the number decides every bit of the result.
    private static func mixed(_ number: UInt64) -> UInt64 {
        var number = (number ^ number >> 30) &* 0xBF58_476D_1CE4_E5B9
        number = (number ^ number >> 27) &* 0x94D0_49BB_1331_11EB
        return number ^ number >> 31
    }

    /// A UUID made of other data (version 8): the same data give the same UUID, so what is done twice is recognised.
    public static func derived(from bytes: [UInt8]) -> UUID {
        let (high, low) = digest(of: bytes)
        return UUID(
            high: high & 0xFFFF_FFFF_FFFF_0FFF | 0x8000, low: low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
    }

    /// The UUID of a part: it keeps the time and order of the whole (version 7) and is the same whenever it is made.
    public func part(_ number: Int) -> UUID {
        let low = Self.mixed(self.low ^ UInt64(truncatingIfNeeded: number) &* 0x9E37_79B9_7F4A_7C15)
        return UUID(high: high, low: low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
    }

    /// The 16 bytes.
    public var bytes: [UInt8] { withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { Array($0) } }

    /// Reads the 36-character form; upper-case digits are accepted.
    public init?(_ text: ByteView) {
        guard text.count == 36 else { return nil }
        var halves: (UInt64, UInt64) = (0, 0)
        var digits = 0
        for (index, byte) in text.enumerated() {
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == 0x2D else { return nil }
                continue
            }
            let value: UInt8
            switch byte {
            case 0x30...0x39: value = byte - 0x30
            case 0x61...0x66: value = byte - 0x61 + 10
            case 0x41...0x46: value = byte - 0x41 + 10
            default: return nil
            }
            if digits < 16 { halves.0 = halves.0 << 4 | UInt64(value) } else { halves.1 = halves.1 << 4 | UInt64(value) }
            digits += 1
        }
        self.init(high: halves.0, low: halves.1)
    }

    /// Reads the 36-character form.
    public init?(_ text: String) {
        var text = text
        guard let made = text.withUTF8({ UUID($0) }) else { return nil }
        self = made
    }

    /// Appends the 36-character form in lower case.
    public func append(to out: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 36) { text in
            var place = 0
            for index in 0..<32 {
                if index == 8 || index == 12 || index == 16 || index == 20 {
                    text[place] = 0x2D
                    place += 1
                }
                let half = index < 16 ? high : low
                let digit = UInt8(truncatingIfNeeded: half >> UInt64((15 - index & 15) * 4)) & 15
                text[place] = digit < 10 ? digit + 0x30 : digit + 0x57
                place += 1
            }
            out.append(contentsOf: UnsafeBufferPointer(text))
        }
    }

    /// The 36-character form.
    public var description: String {
        var out: [UInt8] = []
        append(to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// Order of the bytes: for version 7 the order of making.
    public static func < (a: UUID, b: UUID) -> Bool { (a.high, a.low) < (b.high, b.low) }
}
