extension FieldType {
    static func boolean(_ value: ByteView, into out: inout [UInt8]) -> Bool {
        if value.equalsIgnoringCase("true") {
            out.append("true")
            return true
        }
        guard value.equalsIgnoringCase("false") else { return false }
        out.append("false")
        return true
    }

    @inline(__always)
    static func integer(_ value: ByteView, _ range: ClosedRange<Int64>, into out: inout [UInt8]) -> Bool {
        guard let number = value.wholeNumber, range.contains(number) else { return false }
        let first = value[0] == UInt8(ascii: "-") ? value.peek(1) : value[0]
        if first &- 0x31 < 9 {
            out.append(contentsOf: value)
        } else {
            JSONText.append(number, to: &out)
        }
        return true
    }

    static func asn(_ value: ByteView, into out: inout [UInt8]) -> Bool {
        var digits = value
        if value.count > 2, value[0] | 0x20 == UInt8(ascii: "a"), value[1] | 0x20 == UInt8(ascii: "s") {
            digits = value.from(2).trimmed()
        }
        return integer(digits, 1...4_294_967_295, into: &out)
    }

    static func float(_ value: ByteView, _ range: ClosedRange<Double>, into out: inout [UInt8]) -> Bool {
        guard isDecimal(value) else { return false }
        if let number = shortDecimal(value) {
            guard range.contains(number) else { return false }
            out.append(contentsOf: value)
            return true
        }
        var number = 0.0
        if let whole = value.wholeNumber, whole.magnitude < 9_007_199_254_740_992 {
            number = Double(whole)
        } else {
            guard let parsed = Double(String(decoding: value, as: UTF8.self)) else { return false }
            number = parsed
        }
        guard range.contains(number) else { return false }
        // Minus zero is zero.
        return JSONText.append(number == 0 ? 0 : number, to: &out)
    }

    /// The value of a number as coordinates have it, `-48.208488`, when the text is its shortest form already: at most 15 digits
    /// (those are exact in a double, and so is the power of ten), none of them a zero too many.
    private static func shortDecimal(_ value: ByteView) -> Double? {
        guard value.count <= 17, value[value.count &- 1] &- 0x31 < 9 else { return nil }
        let start = value[0] == UInt8(ascii: "-") ? 1 : 0
        guard value.peek(start) &- 0x31 < 9 else { return nil }
        var digits: Int64 = 0
        var count = 0
        var divisor: Int64 = 0
        for index in start..<value.count {
            if value[index] == UInt8(ascii: "."), divisor == 0 {
                divisor = 1
                continue
            }
            guard value[index].isDigit else { return nil }
            digits = digits &* 10 &+ Int64(value[index] &- 0x30)
            divisor = divisor &* 10
            count &+= 1
        }
        guard divisor > 0, count <= 15 else { return nil }
        let number = Double(digits) / Double(divisor)
        return start == 1 ? -number : number
    }

    /// True for digits with an optional sign, point and exponent: no hexadecimal, infinity or not-a-number.
    private static func isDecimal(_ value: ByteView) -> Bool {
        var index = value[0] == UInt8(ascii: "-") || value[0] == UInt8(ascii: "+") ? 1 : 0
        var digits = 0
        while value.peek(index).isDigit {
            index &+= 1
            digits &+= 1
        }
        if value.peek(index) == UInt8(ascii: ".") {
            index &+= 1
            while value.peek(index).isDigit {
                index &+= 1
                digits &+= 1
            }
        }
        guard digits > 0 else { return false }
        if value.peek(index) | 0x20 == UInt8(ascii: "e") {
            index &+= 1
            if value.peek(index) == UInt8(ascii: "-") || value.peek(index) == UInt8(ascii: "+") { index &+= 1 }
            guard value.peek(index).isDigit else { return false }
            while value.peek(index).isDigit { index &+= 1 }
        }
        return index == value.count
    }

    static func time(_ value: ByteView, into out: inout [UInt8]) -> Bool {
        // Not by way of Timestamp: far-off times (9999-12-31 for "never") are values, too.
        guard let time = (CivilTime(iso: value) ?? CivilTime(fuzzy: value))?.inUTC else { return false }
        time.appendText(to: &out, quote: UInt8(ascii: "\""))
        return true
    }
}
