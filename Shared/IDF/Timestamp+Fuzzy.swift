extension Timestamp {
    /// Reads a time as people and programs write it: `Mon, 21 Nov 2026 10:00:00 GMT`, `2020/01/02 3:04pm`, `Jan 2 2020`,
    /// `02/Jan/2024:03:04:05 +0100`, `20200102T030405Z`, `21.11.2026`; words it does not know are passed over.
    ///
    /// Year, month and day must all be there. Of three numbers the month comes first (`1/2/2024` is 2 January) unless
    /// the first is a year or cannot be a month. Seconds since 1970 are no such text. `nil` for everything else.
    public init?(fuzzy text: ByteView) {
        guard let time = CivilTime(fuzzy: text) else { return nil }
        self.init(time)
    }
}

extension CivilTime {
    /// Reads a time as `Timestamp.init(fuzzy:)` does, in the years 1…9999.
    public init?(fuzzy text: ByteView) {
        if let time = CivilTime(iso: text.trimmed()) {
            self = time
            return
        }
        var reader = FuzzyReader(text: text)
        guard let time = reader.read(), time.isReal else { return nil }
        self = time
    }

    /// Reads a time that says month and day but no year: `02-15`, `2/15 12:00`, `15 Feb`, `Feb 15 12:00:05 CET`.
    ///
    /// It is the latest such day that is not after `moment`, with a day's grace, because the clock that wrote it may be of
    /// another zone. Unlike a complete date it may have no words around it. `nil` for everything else.
    public init?(withoutYear text: ByteView, notAfter moment: Timestamp) {
        var reader = FuzzyReader(text: text)
        guard reader.readWithoutYear() else { return nil }
        var time = reader.time
        let last = moment.unixSeconds + 86_400
        let latest = CivilTime(unixSeconds: last, nanosecond: 0).year + 1
        // From one 29 February to the next it is eight years at most.
        for year in stride(from: latest, to: latest - 11, by: -1) {
            time.year = year
            if time.isReal, time.unixSeconds <= last {
                self = time
                return
            }
        }
        return nil
    }
}

/// Goes over the text once and collects up to three parts of a date, one time of day and one distance from UTC.
private struct FuzzyReader {
    let text: ByteView
    var index = 0
    var parts = SIMD4<Int>()
    /// How many digits each part had; 0 for the name of a month.
    var digits = SIMD4<Int>()
    var count = 0
    var time = CivilTime()
    var hasClock = false
    var hasOffset = false
    /// True when the date is one word: `20240102`, `2024-01-02`.
    var isOnePiece = false
    /// True when parts of the date are joined by `-` or `/`, or one is the name of a month.
    var isJoined = false
    /// True when there is a word that belongs to no time.
    var hasOtherWords = false

    init(text: ByteView) {
        self.text = text
    }

    mutating func read() -> CivilTime? { collect() && resolveDate() ? time : nil }

    /// Reads month, day and time of day of a text that has no year.
    mutating func readWithoutYear() -> Bool {
        guard collect(), count == 2, isJoined, !hasOtherWords, digits[0] <= 2, digits[1] <= 2 else { return false }
        let dayFirst = digits[1] == 0 || digits[0] > 0 && parts[0] > 12
        guard digits[dayFirst ? 0 : 1] > 0 else { return false }
        time.month = parts[dayFirst ? 1 : 0]
        time.day = parts[dayFirst ? 0 : 1]
        return true
    }

    private mutating func collect() -> Bool {
        while index < text.count {
            let byte = text[index]
            if byte.isDigit {
                guard number() else { return false }
            } else if byte.isLetter {
                guard word() else { return false }
            } else if hasClock, byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-"), text.peek(index + 1).isDigit {
                guard offset() else { return false }
            } else {
                index += 1
            }
        }
        return true
    }

    private mutating func number() -> Bool {
        let start = index
        let found = digitRun()
        if text.peek(index) == UInt8(ascii: ":"), found.width != 8 || count > 0 {
            // Only an hour stands before a colon: the rest is no time (an IPv6 address, say).
            return found.width <= 2 && text.peek(index + 1).isDigit && clock(hour: found.value)
        }
        if found.width <= 2 {
            if meridiem(hour: found.value) { return true }
            if unit(found.value) { return true }
        }
        if found.width % 2 == 0, found.width <= 6, count == 3, !hasClock, !isOnePiece {
            // After a date of several pieces, digits joined to the last one are a fourth part of it, no time of day.
            let before = text.peek(start - 1)
            if before == UInt8(ascii: "-") || before == UInt8(ascii: "/") || before == UInt8(ascii: ".") { return false }
        }
        switch found.width {
        case 14 where count == 0, 12 where count == 0, 8 where count == 0:
            var rest = found.value
            if found.width == 14 {
                time.second = rest % 100
                rest /= 100
                takeFraction()
            }
            if found.width >= 12 {
                time.minute = rest % 100
                time.hour = rest / 100 % 100
                hasClock = true
                rest /= 10_000
            }
            isOnePiece = true
            return add(rest / 10_000, 4) && add(rest / 100 % 100, 2) && add(rest % 100, 2)
        case 6 where count == 3 && !hasClock:
            return setClock(found.value / 10_000, found.value / 100 % 100, found.value % 100)
        case 6 where count == 0:
            return add(found.value / 10_000, 2) && add(found.value / 100 % 100, 2) && add(found.value % 100, 2)
        case 4 where count == 3 && !hasClock:
            return setClock(found.value / 100, found.value % 100, 0)
        case 2 where count == 3 && !hasClock:
            return setClock(found.value, 0, 0)
        case 1, 2, 4:
            return add(found.value, found.width) && moreParts()
        default:
            return false
        }
    }

    /// Takes what is joined to a part of a date: the rest of `02/Jan/2024`, `2024-01-02`, `2.1.2024`.
    private mutating func moreParts() -> Bool {
        let separator = text.peek(index)
        guard separator == UInt8(ascii: "-") || separator == UInt8(ascii: "/") || separator == UInt8(ascii: ".") else {
            return true
        }
        let isFirst = count == 1
        defer { isOnePiece = isFirst && count == 3 }
        while count < 3, text.peek(index) == separator {
            let next = text.peek(index + 1)
            if next.isDigit {
                index += 1
                let found = digitRun()
                isJoined = separator != UInt8(ascii: ".")
                guard found.width <= 2 || found.width == 4, add(found.value, found.width) else { return false }
            } else if next.isLetter {
                index += 1
                guard let month = Names.month(letterRun()) else { return false }
                isJoined = true
                guard add(month, 0) else { return false }
            } else {
                return true
            }
        }
        return true
    }

    private mutating func clock(hour: Int) -> Bool {
        index += 1
        let minute = digitRun()
        guard minute.width <= 2 else { return false }
        time.hour = hour
        time.minute = minute.value
        time.second = 0
        time.nanosecond = 0
        if text.peek(index) == UInt8(ascii: ":"), text.peek(index + 1).isDigit {
            index += 1
            let second = digitRun()
            guard second.width <= 2 else { return false }
            time.second = second.value
            takeFraction()
        }
        hasClock = true
        _ = meridiem(hour: hour)
        return true
    }

    private mutating func setClock(_ hour: Int, _ minute: Int, _ second: Int) -> Bool {
        time.hour = hour
        time.minute = minute
        time.second = second
        hasClock = true
        takeFraction()
        return true
    }

    private mutating func takeFraction() {
        let mark = text.peek(index)
        guard mark == UInt8(ascii: ".") || mark == UInt8(ascii: ","), text.peek(index + 1).isDigit else { return }
        let fraction = text.fraction(at: index + 1)
        time.nanosecond = fraction.nanoseconds
        index += 1 + fraction.digits
    }

    /// Takes `am` or `pm` after an hour, with or without a blank between.
    private mutating func meridiem(hour: Int) -> Bool {
        let at = text.peek(index) == UInt8(ascii: " ") ? index + 1 : index
        let half = text.peek(at) | 0x20
        guard half == UInt8(ascii: "a") || half == UInt8(ascii: "p"), text.peek(at + 1) | 0x20 == UInt8(ascii: "m") else {
            return false
        }
        guard !text.peek(at + 2).isLetter, hour >= 1, hour <= 12 else { return false }
        time.hour = hour % 12 + (half == UInt8(ascii: "p") ? 12 : 0)
        hasClock = true
        index = at + 2
        return true
    }

    /// Takes the letter of `10h36m28s`.
    private mutating func unit(_ value: Int) -> Bool {
        let next = text.peek(index + 1)
        guard !next.isLetter || next | 0x20 == UInt8(ascii: "z") else { return false }
        switch text.peek(index) | 0x20 {
        case UInt8(ascii: "h"): time.hour = value
        case UInt8(ascii: "m") where hasClock: time.minute = value
        case UInt8(ascii: "s") where hasClock: time.second = value
        default: return false
        }
        hasClock = true
        index += 1
        return true
    }

    private mutating func word() -> Bool {
        let found = letterRun()
        if let month = Names.month(found) {
            isJoined = true
            return add(month, 0) && moreParts()
        }
        let zone = Names.zone(found)
        if hasClock, !hasOffset, let zone { time.offset = zone }
        if zone == nil, !Names.isWeekday(found), !Names.isFiller(found) { hasOtherWords = true }
        return true
    }

    private mutating func offset() -> Bool {
        let sign = text[index] == UInt8(ascii: "-") ? -1 : 1
        index += 1
        let hours = digitRun()
        var minutes = hours.value % 100
        switch hours.width {
        case 4: break
        case 1, 2:
            minutes = hours.value * 100
            if text.peek(index) == UInt8(ascii: ":"), text.peek(index + 1).isDigit {
                index += 1
                minutes = digitRun().value
                guard minutes < 60 else { return false }
            } else {
                minutes = 0
            }
        default: return false
        }
        let whole = hours.width == 4 ? hours.value / 100 : hours.value
        guard minutes < 60, whole < 24 else { return false }
        time.offset = sign * (whole * 3600 + minutes * 60)
        hasOffset = true
        return true
    }

    private mutating func add(_ value: Int, _ width: Int) -> Bool {
        guard count < 3 else { return false }
        parts[count] = value
        digits[count] = width
        count += 1
        return true
    }

    /// Says which part is the year, the month and the day.
    private mutating func resolveDate() -> Bool {
        guard count == 3 else { return false }
        let order: (year: Int, month: Int, day: Int)
        if digits[0] == 0 {
            order = isYear(1) ? (1, 0, 2) : (2, 0, 1)
        } else if digits[1] == 0 {
            order = isYear(0) ? (0, 1, 2) : (2, 1, 0)
        } else if digits[2] == 0 {
            order = isYear(1) ? (1, 2, 0) : (0, 2, 1)
        } else if isYear(0) {
            order = (0, 1, 2)
        } else if parts[0] > 12 {
            order = (2, 1, 0)
        } else {
            order = (2, 0, 1)
        }
        let year = parts[order.year]
        time.year = digits[order.year] <= 2 ? CivilTime.year(ofTwoDigits: year) : year
        time.month = parts[order.month]
        time.day = parts[order.day]
        // Two names of months leave none of the parts to be a day or a year.
        return digits[order.year] > 0 && digits[order.day] > 0 && digits[order.day] <= 2 && digits[order.month] <= 2
    }

    private func isYear(_ part: Int) -> Bool {
        digits[part] > 2 || parts[part] > 31
    }

    /// A run of digits; a value of more than 18 digits counts as having too many anyway.
    private mutating func digitRun() -> (value: Int, width: Int) {
        let start = index
        var value = 0
        while text.peek(index).isDigit {
            if index - start < 18 { value = value * 10 + Int(text[index] - 0x30) }
            index += 1
        }
        return (value, index - start)
    }

    private mutating func letterRun() -> ByteView {
        let start = index
        while text.peek(index).isLetter { index += 1 }
        return text.part(start, index)
    }
}
