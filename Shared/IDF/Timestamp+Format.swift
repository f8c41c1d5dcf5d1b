extension Timestamp {
    /// Reads a time by a pattern as `CivilTime.parse` does; `nil` also for what is out of range.
    public static func parse(_ text: ByteView, format: String, atMidnight: Bool = false) -> Timestamp? {
        CivilTime.parse(text, format: format, atMidnight: atMidnight).flatMap(Timestamp.init)
    }
}

extension CivilTime {
    /// Reads a time by a pattern as `strptime` has them.
    ///
    /// Known are `%Y %m %d %H %M %S %f %z %Z %b %B %a %A %y %j %p %I %T %D %F %R %s %%`; white space stands for white space,
    /// everything else for itself in any case. Numbers may lack leading zeros; a year has four digits.
    /// What the pattern does not say is 1900-01-01T00:00:00Z. `nil` when the text does not fit, or the pattern is none.
    /// - Parameter atMidnight: takes the date as written and leaves time of day and zone away.
    public static func parse(_ text: ByteView, format: String, atMidnight: Bool = false) -> CivilTime? {
        var copy = format
        return copy.withUTF8 { pattern in
            var reader = FormatReader(text: text)
            guard reader.read(pattern), reader.index == text.count else { return nil }
            return reader.result(atMidnight: atMidnight)?.inUTC
        }
    }
}

private struct FormatReader {
    let text: ByteView
    var index = 0
    var time = CivilTime()
    var dayOfYear = 0
    var isAfternoon: Bool?
    var unixSeconds: CivilTime?

    init(text: ByteView) {
        self.text = text
    }

    mutating func read(_ pattern: ByteView) -> Bool {
        var at = 0
        while at < pattern.count {
            let byte = pattern[at]
            at += 1
            if byte == UInt8(ascii: "%") {
                guard at < pattern.count, directive(pattern[at]) else { return false }
                at += 1
            } else if byte.isBlank {
                while pattern.peek(at).isBlank { at += 1 }
                guard text.peek(index).isBlank else { return false }
                while text.peek(index).isBlank { index += 1 }
            } else {
                guard index < text.count, text[index].lowercasedASCII == byte.lowercasedASCII else { return false }
                index += 1
            }
        }
        return true
    }

    mutating func result(atMidnight: Bool) -> CivilTime? {
        if let unixSeconds { return unixSeconds }
        if let isAfternoon {
            guard time.hour >= 1, time.hour <= 12 else { return nil }
            time.hour = time.hour % 12 + (isAfternoon ? 12 : 0)
        }
        if dayOfYear > 0 {
            time.month = 1
            while time.month < 12, dayOfYear > CivilTime.days(inMonth: time.month, of: time.year) {
                dayOfYear -= CivilTime.days(inMonth: time.month, of: time.year)
                time.month += 1
            }
            time.day = dayOfYear
        }
        guard time.isReal else { return nil }
        return atMidnight ? CivilTime(year: time.year, month: time.month, day: time.day) : time
    }

    private mutating func directive(_ letter: UInt8) -> Bool {
        switch letter {
        case UInt8(ascii: "Y"): return number(4, exactly: true, 1...9999) { $0.year = $1 }
        case UInt8(ascii: "m"): return number(2, 1...12) { $0.month = $1 }
        case UInt8(ascii: "d"), UInt8(ascii: "e"):
            if text.peek(index) == UInt8(ascii: " ") { index += 1 }
            return number(2, 1...31) { $0.day = $1 }
        case UInt8(ascii: "H"), UInt8(ascii: "I"): return number(2, 0...23) { $0.hour = $1 }
        case UInt8(ascii: "M"): return number(2, 0...59) { $0.minute = $1 }
        case UInt8(ascii: "S"): return number(2, 0...59) { $0.second = $1 }
        case UInt8(ascii: "y"): return number(2, exactly: true, 0...99) { $0.year = CivilTime.year(ofTwoDigits: $1) }
        case UInt8(ascii: "j"):
            guard let found = digits(3), found > 0, found <= 366 else { return false }
            dayOfYear = found
            return true
        case UInt8(ascii: "f"):
            let fraction = text.fraction(at: index)
            guard fraction.digits > 0 else { return false }
            time.nanosecond = fraction.nanoseconds
            index += fraction.digits
            return true
        case UInt8(ascii: "b"), UInt8(ascii: "B"), UInt8(ascii: "h"):
            guard let month = Names.month(letters()) else { return false }
            time.month = month
            return true
        case UInt8(ascii: "a"), UInt8(ascii: "A"): return Names.isWeekday(letters())
        case UInt8(ascii: "p"): return meridiem()
        case UInt8(ascii: "z"): return zoneOffset()
        case UInt8(ascii: "Z"):
            guard let offset = Names.zone(letters()) else { return false }
            time.offset = offset
            return true
        case UInt8(ascii: "s"): return epoch()
        case UInt8(ascii: "T"): return read(ByteView(start: ("%H:%M:%S" as StaticString).utf8Start, count: 8))
        case UInt8(ascii: "D"): return read(ByteView(start: ("%m/%d/%y" as StaticString).utf8Start, count: 8))
        case UInt8(ascii: "F"): return read(ByteView(start: ("%Y-%m-%d" as StaticString).utf8Start, count: 8))
        case UInt8(ascii: "R"): return read(ByteView(start: ("%H:%M" as StaticString).utf8Start, count: 5))
        case UInt8(ascii: "%"):
            guard text.peek(index) == letter else { return false }
            index += 1
            return true
        default: return false
        }
    }

    private mutating func number(
        _ width: Int, exactly: Bool = false, _ range: ClosedRange<Int>, _ store: (inout CivilTime, Int) -> Void
    ) -> Bool {
        let start = index
        guard let found = digits(width), range.contains(found), !exactly || index - start == width else { return false }
        store(&time, found)
        return true
    }

    private mutating func digits(_ width: Int) -> Int? {
        let start = index
        var value = 0
        while index - start < width, text.peek(index).isDigit {
            value = value * 10 + Int(text[index] - 0x30)
            index += 1
        }
        return index > start ? value : nil
    }

    private mutating func letters() -> ByteView {
        let start = index
        while text.peek(index).isLetter { index += 1 }
        return text.part(start, index)
    }

    private mutating func meridiem() -> Bool {
        let found = letters()
        isAfternoon = found.equalsIgnoringCase("pm")
        return isAfternoon == true || found.equalsIgnoringCase("am")
    }

    private mutating func zoneOffset() -> Bool {
        let sign = text.peek(index)
        index += 1
        if sign | 0x20 == UInt8(ascii: "z") { return true }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), text.peek(index + 1).isDigit else { return false }
        guard let hours = digits(2), hours < 24 else { return false }
        if text.peek(index) == UInt8(ascii: ":") { index += 1 }
        guard text.peek(index + 1).isDigit, let minutes = digits(2), minutes < 60 else { return false }
        time.offset = (hours * 60 + minutes) * (sign == UInt8(ascii: "-") ? -60 : 60)
        return true
    }

    private mutating func epoch() -> Bool {
        let start = index
        if text.peek(index) == UInt8(ascii: "-") { index += 1 }
        while text.peek(index).isDigit { index += 1 }
        unixSeconds = CivilTime.unixSeconds(text.part(start, index))
        return unixSeconds != nil
    }
}
