extension CivilTime {
    /// Reads the spellings of ISO 8601 that machines write, without blanks around:
    /// `2026-11-20`, `2026-11-20T12:00:00Z`, `2026-11-20 12:00`, `20261120T120000.5+0200`, `2026-11-20 12:00:00 UTC`.
    /// A time without a zone is UTC. `nil` for everything else, and for days and times that do not exist.
    init?(iso text: ByteView) {
        guard text.count >= 8, text.count <= 48 else { return nil }
        var reader = ISOReader(text: text)
        guard let time = reader.read(), time.isReal else { return nil }
        self = time
    }
}

private struct ISOReader {
    let text: ByteView
    var index = 0

    init(text: ByteView) {
        self.text = text
    }

    mutating func read() -> CivilTime? {
        var time = CivilTime()
        let high = two(0)
        let low = two(2)
        guard high >= 0, low >= 0 else { return nil }
        time.year = high * 100 + low
        let isBasic = text[4] != UInt8(ascii: "-")
        if isBasic {
            time.month = two(4)
            time.day = two(6)
            index = 8
        } else {
            guard text.count >= 10, text[7] == UInt8(ascii: "-") else { return nil }
            time.month = two(5)
            time.day = two(8)
            index = 10
        }
        guard time.month >= 0, time.day >= 0 else { return nil }
        if index == text.count { return time }
        let separator = text[index] | 0x20
        guard separator == UInt8(ascii: "t") || separator == UInt8(ascii: " ") else { return nil }
        index += 1
        guard clock(&time, isBasic: isBasic), zone(&time) else { return nil }
        return time
    }

    private mutating func clock(_ time: inout CivilTime, isBasic: Bool) -> Bool {
        time.hour = two(index)
        index += 2
        if !isBasic || text.peek(index) == UInt8(ascii: ":") {
            guard text.peek(index) == UInt8(ascii: ":") else { return false }
            time.minute = two(index + 1)
            index += 3
            if text.peek(index) == UInt8(ascii: ":") {
                time.second = two(index + 1)
                index += 3
            }
        } else {
            time.minute = two(index)
            index += 2
            if text.peek(index).isDigit {
                time.second = two(index)
                index += 2
            }
        }
        guard time.hour >= 0, time.minute >= 0, time.second >= 0 else { return false }
        if text.peek(index) == UInt8(ascii: ".") || text.peek(index) == UInt8(ascii: ",") {
            index += 1
            let fraction = text.fraction(at: index)
            guard fraction.digits > 0 else { return false }
            time.nanosecond = fraction.nanoseconds
            index += fraction.digits
        }
        return true
    }

    private mutating func zone(_ time: inout CivilTime) -> Bool {
        if index == text.count { return true }
        if text[index] == UInt8(ascii: " ") { index += 1 }
        let sign = text.peek(index)
        let rest = text.from(index)
        if sign | 0x20 == UInt8(ascii: "z") { return rest.count == 1 }
        if sign | 0x20 == UInt8(ascii: "u") || sign | 0x20 == UInt8(ascii: "g") {
            return rest.equalsIgnoringCase("utc") || rest.equalsIgnoringCase("gmt")
        }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return false }
        let hours = two(index + 1)
        guard hours >= 0 else { return false }
        var minutes = 0
        switch rest.count {
        case 3: break
        case 5: minutes = two(index + 3)
        case 6 where rest[3] == UInt8(ascii: ":"): minutes = two(index + 4)
        default: return false
        }
        guard minutes >= 0, minutes < 60 else { return false }
        time.offset = (hours * 60 + minutes) * (sign == UInt8(ascii: "-") ? -60 : 60)
        return true
    }

    /// The value of two digits, -1 where there are none.
    @inline(__always)
    private func two(_ at: Int) -> Int {
        guard at &+ 2 <= text.count else { return -1 }
        let tens = text[at] &- 0x30
        let ones = text[at &+ 1] &- 0x30
        return tens < 10 && ones < 10 ? Int(tens) &* 10 &+ Int(ones) : -1
    }
}

extension UnsafeBufferPointer where Element == UInt8 {
    /// The digits from `index` on as the fraction of a second, and how many they are; what is finer than a nanosecond is cut.
    func fraction(at index: Int) -> (nanoseconds: Int, digits: Int) {
        var nanoseconds = 0
        var unit = 100_000_000
        var at = index
        while peek(at).isDigit {
            nanoseconds &+= Int(self[at] &- 0x30) &* unit
            unit /= 10
            at &+= 1
        }
        return (nanoseconds, at &- index)
    }
}
