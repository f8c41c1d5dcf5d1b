extension CivilTime {
    /// Reads seconds since 1970 in decimal (`1441008970`, `1590360328.48742`, `-1`), to the nanosecond.
    /// `nil` for anything else, exponents too, and for what is out of range.
    public static func unixSeconds(_ text: ByteView) -> CivilTime? {
        let trimmed = text.trimmed()
        var point = 0
        while point < trimmed.count, trimmed[point] != UInt8(ascii: ".") { point += 1 }
        guard var seconds = trimmed.part(0, point).wholeNumber else { return nil }
        if point == trimmed.count { return real(seconds, 0) }
        let fraction = trimmed.fraction(at: point + 1)
        guard point + 1 + fraction.digits == trimmed.count else { return nil }
        guard trimmed[0] == UInt8(ascii: "-"), fraction.nanoseconds > 0 else { return real(seconds, fraction.nanoseconds) }
        guard seconds > .min else { return nil }
        seconds -= 1
        return real(seconds, 1_000_000_000 - fraction.nanoseconds)
    }

    /// Reads a Windows file time: steps of 100 ns since 1601-01-01. `nil` for anything else and for what is out of range.
    public static func windowsNT(_ text: ByteView) -> CivilTime? {
        guard let steps = text.trimmed().wholeNumber else { return nil }
        var (seconds, rest) = steps.quotientAndRemainder(dividingBy: 10_000_000)
        if rest < 0 {
            seconds -= 1
            rest += 10_000_000
        }
        return real(seconds - 11_644_473_600, Int(rest) * 100)
    }

    /// Reads seconds (10 digits) or milliseconds (12 or 13 digits) since 1970; the fraction of a second is dropped.
    /// `nil` for any other number of digits.
    public static func epochMillis(_ text: ByteView) -> CivilTime? {
        let trimmed = text.trimmed()
        guard trimmed.peek(0).isDigit, let number = trimmed.wholeNumber else { return nil }
        switch trimmed.count {
        case 10: return real(number, 0)
        case 12, 13: return real(number / 1000, 0)
        default: return nil
        }
    }

    private static func real(_ seconds: Int64, _ nanosecond: Int) -> CivilTime? {
        let time = CivilTime(unixSeconds: seconds, nanosecond: nanosecond)
        return time.isReal ? time : nil
    }
}
