import Glibc

/// A moment in UTC, to the nanosecond, between 1677-09-21 and 2262-04-11.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    public let nanoseconds: Int64

    /// Makes a moment from nanoseconds since 1970-01-01T00:00:00Z.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Makes a moment from seconds since 1970-01-01T00:00:00Z; seconds out of range come out as the nearest moment there is.
    public init(unixSeconds: Int64) {
        let product = unixSeconds.multipliedReportingOverflow(by: 1_000_000_000)
        nanoseconds = product.overflow ? (unixSeconds < 0 ? .min : .max) : product.partialValue
    }

    /// Reads a time in RFC 3339 or another machine-written spelling of ISO 8601 (`2026-11-20`, `20261120T120000+0200`,
    /// `2026-11-20 12:00:00 UTC`); blanks around it do no harm, a time without a zone is UTC.
    /// `nil` for everything else, and for what is out of range.
    public init?(_ text: ByteView) {
        guard let time = CivilTime(iso: text.trimmed()) else { return nil }
        self.init(time)
    }

    /// The moment of a date and time; `nil` when it is out of range.
    init?(_ time: CivilTime) {
        self.init(unixSeconds: time.unixSeconds, plus: time.nanosecond)
    }

    private init?(unixSeconds: Int64, plus nanosecond: Int) {
        let product = unixSeconds.multipliedReportingOverflow(by: 1_000_000_000)
        let sum = product.partialValue.addingReportingOverflow(Int64(nanosecond))
        guard !product.overflow, !sum.overflow else { return nil }
        nanoseconds = sum.partialValue
    }

    /// The moment of the call, to the microsecond.
    public static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec) / 1000 * 1000)
    }

    /// Seconds since 1970-01-01T00:00:00Z, the fraction cut towards the past.
    public var unixSeconds: Int64 {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return rest < 0 ? seconds - 1 : seconds
    }

    /// True when `left` is the earlier moment.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// Appends `2026-11-20T12:00:00Z` (RFC 3339); a fraction only when it is not zero, without trailing zeros.
    public func appendText(to out: inout [UInt8]) {
        civil.appendText(to: &out)
    }

    var civil: CivilTime {
        let seconds = unixSeconds
        // Wraps only for the last fraction of a second before the earliest moment, where the difference is right again.
        return CivilTime(unixSeconds: seconds, nanosecond: Int(nanoseconds &- seconds &* 1_000_000_000))
    }
}

extension Timestamp: CustomStringConvertible {
    /// The moment in RFC 3339, `2026-11-20T12:00:00Z`.
    public var description: String {
        var text: [UInt8] = []
        appendText(to: &text)
        return String(decoding: text, as: UTF8.self)
    }
}

extension Timestamp {
    /// Reads seconds since 1970 as `CivilTime.unixSeconds` does; `nil` also for what is out of range.
    public static func unixSeconds(_ text: ByteView) -> Timestamp? { CivilTime.unixSeconds(text).flatMap(Timestamp.init) }

    /// Reads a Windows file time as `CivilTime.windowsNT` does; `nil` also for what is out of range, zero among it.
    public static func windowsNT(_ text: ByteView) -> Timestamp? { CivilTime.windowsNT(text).flatMap(Timestamp.init) }

    /// Reads seconds or milliseconds since 1970 as `CivilTime.epochMillis` does.
    public static func epochMillis(_ text: ByteView) -> Timestamp? { CivilTime.epochMillis(text).flatMap(Timestamp.init) }
}

extension UnsafeBufferPointer where Element == UInt8 {
    /// The text as a decimal whole number with an optional sign and leading zeros; `nil` for anything else or out of range.
    @inline(__always)
    var wholeNumber: Int64? {
        guard count > 0 else { return nil }
        let isNegative = self[0] == UInt8(ascii: "-")
        var index = isNegative || self[0] == UInt8(ascii: "+") ? 1 : 0
        guard index < count else { return nil }
        if count &- index <= 18 {
            var value: Int64 = 0
            while index < count {
                let digit = self[index] &- 0x30
                guard digit < 10 else { return nil }
                value = value &* 10 &+ Int64(digit)
                index &+= 1
            }
            return isNegative ? -value : value
        }
        var value: Int64 = 0
        while index < count {
            let digit = self[index] &- 0x30
            guard digit < 10 else { return nil }
            let product = value.multipliedReportingOverflow(by: 10)
            // Downwards, because the lowest number has no positive counterpart.
            let sum = product.partialValue.subtractingReportingOverflow(Int64(digit))
            guard !product.overflow, !sum.overflow else { return nil }
            value = sum.partialValue
            index &+= 1
        }
        if isNegative { return value }
        return value == .min ? nil : -value
    }
}
