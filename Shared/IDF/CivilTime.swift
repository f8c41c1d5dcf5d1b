/// A date and a time of day as people write them, with the distance of their clock from UTC.
///
/// Its years are 1…9999: what is written for "never" (1601, 9999) is a time, too, though too far off for a `Timestamp`.
public struct CivilTime: Equatable, Sendable {
    var year = 1900
    var month = 1
    var day = 1
    var hour = 0
    var minute = 0
    var second = 0
    var nanosecond = 0
    /// Seconds the clock is ahead of UTC (east is positive).
    var offset = 0

    init(year: Int = 1900, month: Int = 1, day: Int = 1) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The moment in UTC; a nanosecond count of 0…999999999 belongs to it.
    init(unixSeconds: Int64, nanosecond: Int) {
        var days = Int(unixSeconds / 86_400)
        var rest = Int(unixSeconds % 86_400)
        if rest < 0 {
            rest += 86_400
            days -= 1
        }
        // Years are counted from March, so that the leap day is the last of its year; eras are of 400 years.
        days += 719_468
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shifted + 2) / 5 + 1
        month = shifted < 10 ? shifted + 3 : shifted - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        hour = rest / 3600
        minute = rest / 60 % 60
        second = rest % 60
        self.nanosecond = nanosecond
    }

    /// True when there is such a day and such a time of day. Leap seconds are none: no clock of ours could say them.
    var isReal: Bool {
        year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1
            && (day <= 28 || day <= CivilTime.days(inMonth: month, of: year))
            && hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60
            && offset > -86_400 && offset < 86_400
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    var unixSeconds: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return Int64(days * 86_400 + hour * 3600 + minute * 60 + second - offset)
    }

    /// The same moment on the clock of UTC; `nil` when that leaves the years 1…9999.
    public var inUTC: CivilTime? {
        if offset == 0 { return self }
        let moved = CivilTime(unixSeconds: unixSeconds, nanosecond: nanosecond)
        return moved.year >= 1 && moved.year <= 9999 ? moved : nil
    }

    static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }

    /// The year that two digits mean, as POSIX has it: 69…99 are of the last century, 00…68 of this one.
    static func year(ofTwoDigits digits: Int) -> Int {
        digits < 69 ? 2000 + digits : 1900 + digits
    }

    /// Appends `2026-11-20T12:00:00.5Z`, which is right only for a time on the clock of UTC.
    /// `quote` (the byte `"`, or 0 for none) goes before and after.
    func appendText(to out: inout [UInt8], quote: UInt8 = 0) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { buffer in
            var end = 0
            func put(_ byte: UInt8) {
                buffer[end] = byte
                end &+= 1
            }
            func putTwo(_ value: Int) {
                let digits = UInt8(truncatingIfNeeded: value)
                put(0x30 &+ digits / 10)
                put(0x30 &+ digits % 10)
            }
            if quote != 0 { put(quote) }
            putTwo(year / 100)
            putTwo(year % 100)
            put(UInt8(ascii: "-"))
            putTwo(month)
            put(UInt8(ascii: "-"))
            putTwo(day)
            put(UInt8(ascii: "T"))
            putTwo(hour)
            put(UInt8(ascii: ":"))
            putTwo(minute)
            put(UInt8(ascii: ":"))
            putTwo(second)
            if nanosecond > 0 {
                put(UInt8(ascii: "."))
                var rest = nanosecond
                var unit = 100_000_000
                while rest > 0 {
                    put(0x30 &+ UInt8(truncatingIfNeeded: rest / unit))
                    rest %= unit
                    unit /= 10
                }
            }
            put(UInt8(ascii: "Z"))
            if quote != 0 { put(quote) }
            out.append(contentsOf: ByteView(rebasing: ByteView(buffer)[0..<end]))
        }
    }
}

extension CivilTime: CustomStringConvertible {
    /// The moment in UTC in RFC 3339, `2026-11-20T12:00:00Z`; the date as written where UTC leaves the years 1…9999.
    public var description: String {
        var text: [UInt8] = []
        (inUTC ?? self).appendText(to: &text)
        return String(decoding: text, as: UTF8.self)
    }
}
