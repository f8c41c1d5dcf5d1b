/// Writes JSON text (RFC 8259) as UTF-8 bytes.
public enum JSONText {
    /// Appends `text` as a quoted JSON string: `"`, `\` and control characters escaped, everything else as it is.
    /// Bytes that are not UTF-8 are left out, so that the result always is.
    public static func appendQuoted(_ text: ByteView, to out: inout [UInt8]) {
        let scan = scan(text)
        if scan.isPlain {
            out.appendQuotedPlain(text)
            return
        }
        if scan.isASCII || firstBadByte(text) == text.count {
            appendQuotedText(text, to: &out)
        } else {
            text.withoutBadBytes { appendQuotedText($0, to: &out) }
        }
    }

    /// The same for text that is known to be UTF-8 and likely to need escapes.
    static func appendQuotedText(_ text: ByteView, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        appendEscaped(text, to: &out)
        out.append(UInt8(ascii: "\""))
    }

    /// Appends `text` as a quoted JSON string.
    public static func appendQuoted(_ text: some StringProtocol, to out: inout [UInt8]) {
        var copy = String(text)
        copy.withUTF8 { appendQuoted($0, to: &out) }
    }

    /// Appends a whole number in decimal.
    public static func append(_ value: Int64, to out: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { buffer in
            var rest = value.magnitude
            var start = 20
            repeat {
                start &-= 1
                buffer[start] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            if value < 0 {
                start &-= 1
                buffer[start] = UInt8(ascii: "-")
            }
            out.append(contentsOf: ByteView(rebasing: ByteView(buffer)[start..<20]))
        }
    }

    /// Appends a number in the shortest form that reads back as the same value, whole numbers without a fraction.
    /// Returns false and appends nothing for infinities and what is not a number, which JSON cannot say.
    public static func append(_ value: Double, to out: inout [UInt8]) -> Bool {
        guard value.isFinite else { return false }
        if value == value.rounded(), value.magnitude < 9_007_199_254_740_992 {
            append(Int64(value), to: &out)
            return true
        }
        var text = value.description
        text.withUTF8 { bytes in
            let end = bytes.count > 2 && bytes[bytes.count - 1] == 0x30 && bytes[bytes.count - 2] == 0x2E ? 2 : 0
            out.append(contentsOf: bytes.part(0, bytes.count - end))
        }
        return true
    }

    private struct Scan {
        var isPlain: Bool
        var isASCII: Bool
    }

    /// Looks for bytes that need care, eight at a time: in a word, the high bit of a byte is set where that byte is one.
    @inline(__always)
    private static func scan(_ text: ByteView) -> Scan {
        let high: UInt64 = 0x8080_8080_8080_8080
        let ones: UInt64 = 0x0101_0101_0101_0101
        let raw = UnsafeRawBufferPointer(text)
        let count = text.count
        var special: UInt64 = 0
        var wide: UInt64 = 0
        var index = 0
        while index &+ 8 <= count {
            let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let quote = word ^ (ones &* 0x22)
            let backslash = word ^ (ones &* 0x5C)
            special |= (word &- ones &* 0x20) & ~word
            special |= (quote &- ones) & ~quote
            special |= (backslash &- ones) & ~backslash
            wide |= word
            index &+= 8
        }
        special &= high
        wide &= high
        while index < count {
            let byte = text[index]
            if byte < 0x20 || byte == 0x22 || byte == 0x5C { special = 1 }
            if byte >= 0x80 { wide = 1 }
            index &+= 1
        }
        return Scan(isPlain: special == 0 && wide == 0, isASCII: wide == 0)
    }

    private static func appendEscaped(_ text: ByteView, to out: inout [UInt8]) {
        var start = 0
        while start < text.count {
            let part = text.part(start, min(start + 4096, text.count))
            start += part.count
            // An escape takes at most six bytes; words are written whole.
            withUnsafeTemporaryAllocation(byteCount: part.count * 6 + 8, alignment: 8) { buffer in
                let count = escape(UnsafeRawBufferPointer(part), into: buffer)
                out.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
            }
        }
    }

    /// Writes the escaped text, eight bytes at a time where none of them needs it; answers how many bytes were written.
    private static func escape(_ text: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer) -> Int {
        let high: UInt64 = 0x8080_8080_8080_8080
        let ones: UInt64 = 0x0101_0101_0101_0101
        var index = 0
        var end = 0
        while index < text.count {
            if index &+ 8 <= text.count {
                let word = UInt64(littleEndian: text.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                let quote = word ^ (ones &* 0x22)
                let backslash = word ^ (ones &* 0x5C)
                let control = (word &- ones &* 0x20) & ~word
                let special = (control | (quote &- ones) & ~quote | (backslash &- ones) & ~backslash) & high
                out.storeBytes(of: word.littleEndian, toByteOffset: end, as: UInt64.self)
                // The lowest mark is exact; those above it need not be.
                let plain = special == 0 ? 8 : special.trailingZeroBitCount >> 3
                index &+= plain
                end &+= plain
                if special == 0 { continue }
            }
            end &+= escape(text[index], into: out, at: end)
            index &+= 1
        }
        return end
    }

    @inline(__always)
    private static func escape(_ byte: UInt8, into out: UnsafeMutableRawBufferPointer, at end: Int) -> Int {
        guard byte < 0x20 || byte == 0x22 || byte == 0x5C else {
            out[end] = byte
            return 1
        }
        out[end] = UInt8(ascii: "\\")
        switch byte {
        case 0x22, 0x5C: out[end &+ 1] = byte
        case 0x08: out[end &+ 1] = UInt8(ascii: "b")
        case 0x09: out[end &+ 1] = UInt8(ascii: "t")
        case 0x0A: out[end &+ 1] = UInt8(ascii: "n")
        case 0x0C: out[end &+ 1] = UInt8(ascii: "f")
        case 0x0D: out[end &+ 1] = UInt8(ascii: "r")
        default:
            out[end &+ 1] = UInt8(ascii: "u")
            out[end &+ 2] = 0x30
            out[end &+ 3] = 0x30
            out[end &+ 4] = byte < 0x10 ? 0x30 : 0x31
            let digit = byte & 15
            out[end &+ 5] = digit < 10 ? 0x30 + digit : 0x57 + digit
            return 6
        }
        return 2
    }

    /// Whether the bytes are UTF-8, and not none.
    static func isText(_ text: ByteView) -> Bool { !text.isEmpty && (text.isASCII || firstBadByte(text) == text.count) }

    /// The index of the first byte that is no part of well-formed UTF-8; the length of the text where all is well.
    static func firstBadByte(_ text: ByteView) -> Int {
        var index = 0
        while index < text.count {
            if text[index] < 0x80 {
                index &+= 1
                continue
            }
            let width = text.characterWidth(at: index)
            if width == 0 { return index }
            index &+= width
        }
        return index
    }
}

extension UnsafeBufferPointer where Element == UInt8 {
    /// The length of the well-formed UTF-8 character at `index`, 0 where there is none (RFC 3629, table of section 4).
    func characterWidth(at index: Int) -> Int {
        let first = self[index]
        let second = peek(index + 1)
        switch first {
        case 0...0x7F: return 1
        case 0xC2...0xDF: return second & 0xC0 == 0x80 ? 2 : 0
        case 0xE0...0xEF:
            let low: UInt8 = first == 0xE0 ? 0xA0 : 0x80
            let high: UInt8 = first == 0xED ? 0x9F : 0xBF
            return second >= low && second <= high && peek(index + 2) & 0xC0 == 0x80 ? 3 : 0
        case 0xF0...0xF4:
            let low: UInt8 = first == 0xF0 ? 0x90 : 0x80
            let high: UInt8 = first == 0xF4 ? 0x8F : 0xBF
            guard second >= low, second <= high else { return 0 }
            return peek(index + 2) & 0xC0 == 0x80 && peek(index + 3) & 0xC0 == 0x80 ? 4 : 0
        default: return 0
        }
    }

    /// Lends a copy of the text in which bytes that are not UTF-8 are left out.
    func withoutBadBytes<R>(_ body: (ByteView) -> R) -> R {
        var good: [UInt8] = []
        good.reserveCapacity(count)
        var index = 0
        while index < count {
            let width = characterWidth(at: index)
            if width > 0 { good.append(contentsOf: part(index, index + width)) }
            index += Swift.max(width, 1)
        }
        return good.withUnsafeBufferPointer(body)
    }
}
