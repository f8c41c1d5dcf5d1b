import Glibc

/// Bytes that somebody else owns, to be looked at only while the owner lends them; text in them is UTF-8.
public typealias ByteView = UnsafeBufferPointer<UInt8>

extension UnsafeBufferPointer where Element == UInt8 {
    /// The bytes from `start` up to, not including, `end`.
    @inline(__always)
    func part(_ start: Int, _ end: Int) -> ByteView {
        ByteView(rebasing: self[start..<end])
    }

    /// The bytes from `start` on.
    @inline(__always)
    func from(_ start: Int) -> ByteView {
        ByteView(rebasing: self[start..<count])
    }

    /// The byte at `index`, zero beyond the end: lets parsers look ahead without asking for the length.
    @inline(__always)
    func peek(_ index: Int) -> UInt8 {
        index < count ? self[index] : 0
    }

    /// The text without the white space at its ends (what Unicode calls white space, and the four ASCII separators).
    @inline(__always)
    func trimmed() -> ByteView {
        guard count > 0 else { return self }
        let first = self[0]
        let last = self[count - 1]
        if first > 0x20, first < 0x80, last > 0x20, last < 0x80 { return self }
        return trimmedSlowly()
    }

    private func trimmedSlowly() -> ByteView {
        var start = 0
        var end = count
        while start < end {
            let width = part(start, end).leadingBlank
            if width == 0 { break }
            start += width
        }
        while start < end {
            let width = part(start, end).trailingBlank
            if width == 0 { break }
            end -= width
        }
        return part(start, end)
    }

    /// The length in bytes of the white space character the text starts with, 0 where there is none.
    private var leadingBlank: Int {
        if self[0].isBlank { return 1 }
        if count >= 2, isWide(blankAt: 0, width: 2) { return 2 }
        if count >= 3, isWide(blankAt: 0, width: 3) { return 3 }
        return 0
    }

    private var trailingBlank: Int {
        if self[count - 1].isBlank { return 1 }
        if count >= 2, isWide(blankAt: count - 2, width: 2) { return 2 }
        if count >= 3, isWide(blankAt: count - 3, width: 3) { return 3 }
        return 0
    }

    private func isWide(blankAt index: Int, width: Int) -> Bool {
        let first = self[index]
        let second = self[index + 1]
        if width == 2 { return first == 0xC2 && (second == 0x85 || second == 0xA0) }
        let third = self[index + 2]
        switch (first, second) {
        case (0xE1, 0x9A): return third == 0x80
        case (0xE2, 0x80): return (0x80...0x8A).contains(third) || third == 0xA8 || third == 0xA9 || third == 0xAF
        case (0xE2, 0x81): return third == 0x9F
        case (0xE3, 0x80): return third == 0x80
        default: return false
        }
    }

    /// True when the bytes are exactly those of `text`.
    @inline(__always)
    func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount, let start = baseAddress else { return count == 0 && text.utf8CodeUnitCount == 0 }
        return memcmp(start, text.utf8Start, count) == 0
    }

    /// True when the bytes start with those of `text`.
    @inline(__always)
    func starts(with text: StaticString) -> Bool {
        guard count >= text.utf8CodeUnitCount, let start = baseAddress else { return false }
        return memcmp(start, text.utf8Start, text.utf8CodeUnitCount) == 0
    }

    /// True when the bytes are those of `text`, which is ASCII in lower case, in any case.
    func equalsIgnoringCase(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for index in 0..<count where self[index].lowercasedASCII != text.utf8Start[index] { return false }
        return true
    }

    /// Whether a backslash is among the bytes: then the inside of a JSON string must be unescaped.
    var hasBackslash: Bool { count > 0 && memchr(baseAddress!, 0x5C, count) != nil }

    /// True when no byte has its high bit set.
    var isASCII: Bool {
        var index = 0
        let raw = UnsafeRawBufferPointer(self)
        while index &+ 8 <= count {
            if raw.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 != 0 { return false }
            index &+= 8
        }
        while index < count {
            if self[index] >= 0x80 { return false }
            index &+= 1
        }
        return true
    }
}

extension UInt8 {
    /// ASCII white space, and the four separators that Unicode counts as such.
    @inline(__always)
    var isBlank: Bool { self == 0x20 || (0x09...0x0D).contains(self) || (0x1C...0x1F).contains(self) }

    /// `0`…`9`.
    @inline(__always)
    var isDigit: Bool { self &- 0x30 < 10 }

    /// `A`…`Z`, `a`…`z`.
    @inline(__always)
    var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }

    @inline(__always)
    var isUpper: Bool { self &- 0x41 < 26 }

    @inline(__always)
    var isLower: Bool { self &- 0x61 < 26 }

    @inline(__always)
    var lowercasedASCII: UInt8 { isUpper ? self | 0x20 : self }

    @inline(__always)
    var uppercasedASCII: UInt8 { isLower ? self & 0xDF : self }

    /// The value of a hexadecimal digit, 255 for any other byte.
    @inline(__always)
    var hexValue: UInt8 {
        if isDigit { return self &- 0x30 }
        let letter = (self | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : 255
    }
}

extension Array where Element == UInt8 {
    /// Appends text that needs no escaping between quotes.
    @inline(__always)
    mutating func appendQuotedPlain(_ text: ByteView) {
        guard text.count <= 126, let start = text.baseAddress else {
            append(UInt8(ascii: "\""))
            append(contentsOf: text)
            append(UInt8(ascii: "\""))
            return
        }
        // One growth check instead of three.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 128) { buffer in
            buffer[0] = UInt8(ascii: "\"")
            memcpy(buffer.baseAddress! + 1, start, text.count)
            buffer[text.count &+ 1] = UInt8(ascii: "\"")
            append(contentsOf: ByteView(rebasing: ByteView(buffer)[0..<(text.count &+ 2)]))
        }
    }

    /// Appends the bytes of a literal.
    @inline(__always)
    mutating func append(_ text: StaticString) {
        append(contentsOf: ByteView(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
