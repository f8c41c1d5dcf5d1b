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

    /// Appends the 16 bytes.
    public func appendBytes(to out: inout [UInt8]) {
        withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { out.append(contentsOf: $0) }
    }

    /// Reads the 36-character form; upper-case digits are accepted.
    public init?(_ text: ByteView) {
        guard text.count == 36, text[8] == 0x2D, text[13] == 0x2D, text[18] == 0x2D, text[23] == 0x2D else { return nil }
        // Every digit is below 16; what is none leaves its mark.
        var seen: UInt8 = 0
        func number(_ start: Int, _ end: Int) -> UInt64 {
            var value: UInt64 = 0
            for index in start..<end {
                let digit = text[index].hexValue
                seen |= digit
                value = value << 4 | UInt64(digit & 15)
            }
            return value
        }
        let high = number(0, 8) << 32 | number(9, 13) << 16 | number(14, 18)
        let low = number(19, 23) << 48 | number(24, 36)
        guard seen < 16 else { return nil }
        self.init(high: high, low: low)
    }

    /// Reads the 36-character form.
    public init?(_ text: String) {
        var text = text
        guard let made = text.withUTF8({ UUID($0) }) else { return nil }
        self = made
    }

    /// Appends the 36-character form in lower case.
    public func append(to out: inout [UInt8]) { withText { out.append(contentsOf: $0) } }

    func append(to out: inout ByteWriter) { withText { out.append(contentsOf: $0) } }

    @inline(__always)
    private func withText(_ body: (ByteView) -> Void) {
        let first = Self.digits(UInt32(truncatingIfNeeded: high >> 32))
        let second = Self.digits(UInt32(truncatingIfNeeded: high))
        let third = Self.digits(UInt32(truncatingIfNeeded: low >> 32))
        let last = Self.digits(UInt32(truncatingIfNeeded: low))
        withUnsafeTemporaryAllocation(byteCount: 36, alignment: 8) { text in
            text.storeBytes(of: first.bigEndian, as: UInt64.self)
            text.storeBytes(of: UInt32(truncatingIfNeeded: second >> 32).bigEndian, toByteOffset: 9, as: UInt32.self)
            text.storeBytes(of: UInt32(truncatingIfNeeded: second).bigEndian, toByteOffset: 14, as: UInt32.self)
            text.storeBytes(of: UInt32(truncatingIfNeeded: third >> 32).bigEndian, toByteOffset: 19, as: UInt32.self)
            text.storeBytes(of: UInt32(truncatingIfNeeded: third).bigEndian, toByteOffset: 24, as: UInt32.self)
            text.storeBytes(of: last.bigEndian, toByteOffset: 28, as: UInt64.self)
            (text[8], text[13], text[18], text[23]) = (0x2D, 0x2D, 0x2D, 0x2D)
            body(ByteView(text.bindMemory(to: UInt8.self)))
        }
    }

    /// The eight hexadecimal digits of a number as characters, the first one in the highest byte; all of them made at once.
    private static func digits(_ value: UInt32) -> UInt64 {
        var halves = UInt64(value)
        halves = (halves | halves << 16) & 0x0000_FFFF_0000_FFFF
        halves = (halves | halves << 8) & 0x00FF_00FF_00FF_00FF
        halves = (halves | halves << 4) & 0x0F0F_0F0F_0F0F_0F0F
        let letters = (halves &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return halves &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
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
