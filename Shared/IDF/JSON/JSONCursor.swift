import Glibc

/// Walks over JSON text from part to part without reading it: finds where items of lists and members of objects begin and end.
///
/// A report that is one document is read part by part with it, so that memory goes with the largest part, not with the report,
/// and a part that is no JSON spoils only itself. What is in a part is checked when it is read (`JSONValue`).
public struct JSONCursor {
    /// A value as it stands in the text.
    public struct Part: Sendable {
        /// Where.
        public var range: Range<Int>
        /// False where the text ends before the value does.
        public var isWhole: Bool

        /// A part of a text.
        public init(range: Range<Int>, isWhole: Bool) {
            self.range = range
            self.isWhole = isWhole
        }
    }

    /// The text.
    public let text: ByteView
    /// Where the cursor stands.
    public private(set) var at: Int
    private let end: Int

    /// Stands at the begin of a text, behind a byte order mark, or of a part of it.
    public init(_ text: ByteView, in range: Range<Int>? = nil) {
        self.text = text
        at = range?.lowerBound ?? (text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0)
        end = range?.upperBound ?? text.count
    }

    /// The first byte of the next part, or a closing bracket; nil at the end. Stands on it then.
    public mutating func peek() -> UInt8? {
        while at < end {
            switch text[at] {
            case 0...0x20, UInt8(ascii: ","), UInt8(ascii: ":"): at += 1
            default: return text[at]
            }
        }
        return nil
    }

    /// Whether nothing follows.
    public var isAtEnd: Bool {
        var copy = self
        return copy.peek() == nil
    }

    /// Goes over one byte: into a list or object, or out of it.
    public mutating func step() { at = min(at + 1, end) }

    /// The next part, whatever it is; nil at the end.
    public mutating func part() -> Part? {
        guard let first = peek() else { return nil }
        let start = at
        var isWhole = true
        switch first {
        case UInt8(ascii: "\""): isWhole = skipString()
        case UInt8(ascii: "{"), UInt8(ascii: "["): isWhole = skipBrackets()
        default:
            at += 1
            scalar: while at < end {
                switch text[at] {
                case 0...0x20, UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "]"), UInt8(ascii: "}"): break scalar
                default: at += 1
                }
            }
        }
        return Part(range: start..<at, isWhole: isWhole)
    }

    /// The name of the next member of an object that the cursor is in, escapes as they stand; nil where the object ends.
    public mutating func name() -> ByteView? {
        guard peek() == UInt8(ascii: "\""), let part = part(), part.isWhole else { return nil }
        return ByteView(rebasing: text[(part.range.lowerBound + 1)..<(part.range.upperBound - 1)])
    }

    /// Calls `body` with each item of the list that the cursor stands before, and goes behind the list; answers whether it ends.
    public mutating func eachItem(_ body: (Part) -> Bool) -> Bool {
        step()
        while let byte = peek() {
            if byte == UInt8(ascii: "]") {
                step()
                return true
            }
            guard let item = part() else { return false }
            if !body(item) { return true }
        }
        return false
    }

    private mutating func skipString() -> Bool {
        let start = at
        at += 1
        while at < end, let found = memchr(text.baseAddress! + at, 0x22, end - at) {
            let quote = UnsafeRawPointer(found) - UnsafeRawPointer(text.baseAddress!)
            at = quote + 1
            var before = quote
            while before - 1 > start, text[before - 1] == 0x5C { before -= 1 }
            if (quote - before) % 2 == 0 { return true }
        }
        at = end
        return false
    }

    private mutating func skipBrackets() -> Bool {
        var depth = 0
        while at < end {
            switch text[at] {
            case 0x22:
                guard skipString() else { return false }
                continue
            case 0x7B, 0x5B: depth += 1
            case 0x7D, 0x5D: depth -= 1
            default: break
            }
            at += 1
            if depth == 0 { return true }
        }
        return false
    }
}

extension JSONCursor {
    /// The member of that name of an object, as it stands in the text.
    public static func member(_ wanted: StaticString, of object: Range<Int>, in text: ByteView) -> ByteView? {
        place(wanted, of: object, in: text).map { ByteView(rebasing: text[$0]) }
    }

    /// Where the member of that name of an object stands.
    public static func place(_ wanted: StaticString, of object: Range<Int>, in text: ByteView) -> Range<Int>? {
        var cursor = JSONCursor(text, in: object)
        cursor.step()
        while let name = cursor.name() {
            guard let value = cursor.part() else { return nil }
            if name.count == wanted.utf8CodeUnitCount, memcmp(name.baseAddress!, wanted.utf8Start, name.count) == 0 {
                return value.range
            }
        }
        return nil
    }
}
