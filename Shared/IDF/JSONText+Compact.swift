extension JSONText {
    /// How deep arrays and objects may be nested in a value that is taken over as it is: a packet may be 32 levels deep, and a
    /// value lies in the sixth.
    static let maximumDepth = 24

    /// Appends a JSON text without the white space between its parts, so that it never breaks a line.
    /// Returns false and leaves `out` as it was when `text` is no JSON text (RFC 8259), is nested deeper than 24 levels,
    /// or holds a number no double can hold.
    public static func appendCompact(_ text: ByteView, to out: inout [UInt8]) -> Bool {
        let mark = out.count
        var compactor = Compactor(text: text)
        guard compactor.run(into: &out) else {
            out.removeLast(out.count - mark)
            return false
        }
        return true
    }

    private struct Compactor {
        let text: ByteView
        var index = 0
        /// One entry for each open array or object: true for an object.
        var open: [Bool] = []

        init(text: ByteView) {
            self.text = text
        }

        mutating func run(into out: inout [UInt8]) -> Bool {
            while true {
                guard value(into: &out) else { return false }
                // A value is complete: close what ends here, or go on with the next member.
                while true {
                    skipBlanks()
                    guard let isObject = open.last else { return index == text.count }
                    let byte = text.peek(index)
                    index += 1
                    if byte == UInt8(ascii: ",") {
                        out.append(byte)
                        if isObject, !key(into: &out) { return false }
                        break
                    }
                    guard byte == UInt8(ascii: isObject ? "}" : "]") else { return false }
                    out.append(byte)
                    open.removeLast()
                }
            }
        }

        /// Reads a scalar, or the openings up to and including the first scalar or empty container.
        private mutating func value(into out: inout [UInt8]) -> Bool {
            while true {
                skipBlanks()
                let byte = text.peek(index)
                switch byte {
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    guard open.count < maximumDepth else { return false }
                    let isObject = byte == UInt8(ascii: "{")
                    out.append(byte)
                    index += 1
                    skipBlanks()
                    let end = UInt8(ascii: isObject ? "}" : "]")
                    if text.peek(index) == end {
                        out.append(end)
                        index += 1
                        return true
                    }
                    open.append(isObject)
                    if isObject, !key(into: &out) { return false }
                case UInt8(ascii: "\""): return string(into: &out)
                case UInt8(ascii: "t"): return literal("true", into: &out)
                case UInt8(ascii: "f"): return literal("false", into: &out)
                case UInt8(ascii: "n"): return literal("null", into: &out)
                default: return number(into: &out)
                }
            }
        }

        private mutating func key(into out: inout [UInt8]) -> Bool {
            skipBlanks()
            guard string(into: &out) else { return false }
            skipBlanks()
            guard text.peek(index) == UInt8(ascii: ":") else { return false }
            index += 1
            out.append(UInt8(ascii: ":"))
            return true
        }

        private mutating func string(into out: inout [UInt8]) -> Bool {
            let start = index
            guard text.peek(index) == UInt8(ascii: "\"") else { return false }
            index += 1
            while index < text.count {
                let byte = text[index]
                switch byte {
                case UInt8(ascii: "\""):
                    index += 1
                    out.append(contentsOf: text.part(start, index))
                    return true
                case UInt8(ascii: "\\"):
                    guard escape() else { return false }
                case 0..<0x20:
                    return false
                default:
                    let width = text.characterWidth(at: index)
                    guard width > 0 else { return false }
                    index += width
                }
            }
            return false
        }

        private mutating func escape() -> Bool {
            switch text.peek(index + 1) {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
                UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                index += 2
                return true
            case UInt8(ascii: "u"):
                // Half a surrogate pair is no character: no reader would take it.
                guard let first = unit(index), !(0xDC00...0xDFFF).contains(first) else { return false }
                index += 6
                guard (0xD800...0xDBFF).contains(first) else { return true }
                guard let second = unit(index), (0xDC00...0xDFFF).contains(second) else { return false }
                index += 6
                return true
            default: return false
            }
        }

        /// The code unit that the escape at `start` stands for.
        private func unit(_ start: Int) -> UInt16? {
            guard text.peek(start) == UInt8(ascii: "\\"), text.peek(start + 1) == UInt8(ascii: "u") else { return nil }
            var value: UInt16 = 0
            for place in 2...5 {
                let digit = text.peek(start + place).hexValue
                guard digit < 16 else { return nil }
                value = value << 4 | UInt16(digit)
            }
            return value
        }

        private mutating func number(into out: inout [UInt8]) -> Bool {
            let start = index
            if text.peek(index) == UInt8(ascii: "-") { index += 1 }
            let first = text.peek(index)
            let whole = digits()
            guard whole > 0, whole == 1 || first != 0x30 else { return false }
            if text.peek(index) == UInt8(ascii: ".") {
                index += 1
                guard digits() > 0 else { return false }
            }
            if text.peek(index) | 0x20 == UInt8(ascii: "e") {
                index += 1
                if text.peek(index) == UInt8(ascii: "+") || text.peek(index) == UInt8(ascii: "-") { index += 1 }
                guard digits() > 0 else { return false }
            }
            let found = text.part(start, index)
            if found.count > 18 || whole < found.count {
                guard let value = Double(String(decoding: found, as: UTF8.self)), value.isFinite else { return false }
            }
            out.append(contentsOf: found)
            return true
        }

        private mutating func digits() -> Int {
            let start = index
            while text.peek(index).isDigit { index += 1 }
            return index - start
        }

        private mutating func literal(_ word: StaticString, into out: inout [UInt8]) -> Bool {
            guard text.from(index).starts(with: word) else { return false }
            index += word.utf8CodeUnitCount
            out.append(word)
            return true
        }

        private mutating func skipBlanks() {
            while true {
                let byte = text.peek(index)
                guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
                index += 1
            }
        }
    }
}
