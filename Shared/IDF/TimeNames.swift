/// The names that times are written with, in English and in any case.
enum Names {
    private static let months: InlineArray<12, StaticString> = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
    ]
    private static let weekdays: InlineArray<7, StaticString> = [
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    ]

    /// 1…12 for the name of a month or its first three letters (and `sept`).
    static func month(_ text: ByteView) -> Int? {
        guard text.count >= 3, text.count <= 9 else { return nil }
        if text.equalsIgnoringCase("sept") { return 9 }
        for index in 0..<12 where isName(text, months[index]) { return index + 1 }
        return nil
    }

    /// True for the name of a day of the week or its first three letters.
    static func isWeekday(_ text: ByteView) -> Bool {
        for index in 0..<7 where isName(text, weekdays[index]) { return true }
        return false
    }

    /// True for what stands between the parts of a time: `Feb 15th at 12:00`, `02-15T12:00`.
    static func isFiller(_ text: ByteView) -> Bool {
        for filler in fillers where text.equalsIgnoringCase(filler) { return true }
        return false
    }

    private static let fillers: [StaticString] = ["t", "at", "st", "nd", "rd", "th", "of"]

    private static func isName(_ text: ByteView, _ name: StaticString) -> Bool {
        guard text.count == 3 || text.count == name.utf8CodeUnitCount else { return false }
        for index in 0..<text.count where text[index].lowercasedASCII != name.utf8Start[index] { return false }
        return true
    }

    /// Seconds ahead of UTC for the abbreviation of a time zone: those of RFC 5322, and those of Europe and Japan.
    /// Abbreviations that mean several zones (`IST`, `BST`) are not among them.
    static func zone(_ text: ByteView) -> Int? {
        guard text.count <= 4 else { return nil }
        for index in 0..<zones.count where text.equalsIgnoringCase(zones[index].name) { return zones[index].hours * 3600 }
        return nil
    }

    private static let zones: [(name: StaticString, hours: Int)] = [
        ("utc", 0), ("gmt", 0), ("z", 0), ("ut", 0), ("wet", 0), ("west", 1),
        ("cet", 1), ("cest", 2), ("met", 1), ("mest", 2), ("mez", 1), ("mesz", 2), ("eet", 2), ("eest", 3), ("msk", 3),
        ("jst", 9), ("est", -5), ("edt", -4), ("cst", -6), ("cdt", -5), ("mst", -7), ("mdt", -6), ("pst", -8), ("pdt", -7),
        ("akst", -9), ("akdt", -8), ("hst", -10),
    ]
}
