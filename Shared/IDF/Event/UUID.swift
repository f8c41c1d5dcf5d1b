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

    private struct Generator {
        var millisecond: UInt64 = 0
        var counter: UInt64 = 0
        var random: [UInt64] = []

        mutating func draw() -> UInt64 {
            if random.isEmpty {
                random = [UInt64](repeating: 0, count: 512)
                let got = random.withUnsafeMutableBytes { getentropyAll($0) }
                precondition(got, "the kernel gives no random numbers")
            }
            return random.removeLast()
        }
    }

    private static let generator = Mutex(Generator())

    /// A new UUIDv7: greater than every one this process made before.
    public static func v7() -> UUID {
        generator.withLock { state in
            var clock = timespec()
            clock_gettime(CLOCK_REALTIME, &clock)
            let now = UInt64(clock.tv_sec) * 1000 + UInt64(clock.tv_nsec) / 1_000_000
            if now > state.millisecond {
                state.millisecond = now
                // Room to count upwards within the millisecond.
                state.counter = state.draw() & 0x7FF
            } else {
                state.counter += 1
                if state.counter > 0xFFF {
                    state.counter = 0
                    state.millisecond += 1
                }
            }
            let high = state.millisecond << 16 | 0x7000 | state.counter
            return UUID(high: high, low: state.draw() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
        }
    }

    /// A UUID made of other data (version 8): the same data give the same UUID, so what is done twice is recognised.
    public static func derived(from bytes: [UInt8]) -> UUID {
        let (high, low) = digest(of: bytes)
        return UUID(
            high: high & 0xFFFF_FFFF_FFFF_0FFF | 0x8000, low: low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
    }

    /// The UUID of a part: it keeps the time and order of the whole (version 7) and is the same whenever it is made.
    public func part(_ number: Int) -> UUID {
        var low = self.low ^ UInt64(truncatingIfNeeded: number) &* 0x9E37_79B9_7F4A_7C15
        low = (low ^ low >> 30) &* 0xBF58_476D_1CE4_E5B9
        low = (low ^ low >> 27) &* 0x94D0_49BB_1331_11EB
        return UUID(high: high, low: (low ^ low >> 31) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
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

private func getentropyAll(_ buffer: UnsafeMutableRawBufferPointer) -> Bool {
    var done = 0
    while done < buffer.count {
        let step = min(256, buffer.count - done)
        guard getentropy(buffer.baseAddress! + done, step) == 0 else { return false }
        done += step
    }
    return true
}
