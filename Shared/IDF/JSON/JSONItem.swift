import Glibc

/// A value of a JSON report as it stands in the text, and its place.
public struct JSONItem {
    /// The value's text, which has not been read yet.
    public let bytes: ByteView
    /// The line it begins in, from 1; 0 in a list, whose items are counted instead.
    public let line: Int
    /// Which item of a list it is, from 1.
    public let object: Int?
    /// Whether it is all that the report holds.
    public let isAlone: Bool

    /// Calls `body` with each value of a report, until it answers false: the items of a list, values one a line, or documents over
    /// several lines. Only brackets and quotes are looked at, so that a text of any length takes the memory of its largest value, and a
    /// value that is no JSON spoils only itself.
    /// - Parameters:
    ///   - path: names of members that lead to the list; what stands there and is no list is the only value.
    ///   - passed: called now and then: what came before is not looked at any more.
    ///   - skips: lines that are no data.
    /// - Throws: where the text is no JSON from its first byte on, or ends within a list: before the first call of `body`.
    public static func each(
        in text: ByteView, at path: [String] = [], passed: () -> Void = {}, skips: (ByteView) -> Bool = { _ in false },
        _ body: (JSONItem) -> Bool
    ) throws(JSONError) {
        var cursor = JSONCursor(text)
        guard let first = cursor.peek() else { throw JSONError(in: text, at: text.count, "no JSON found: the text is empty") }
        if first == UInt8(ascii: "[") { return try eachItem(in: cursor, isWhole: true, passed, body) }
        guard !path.isEmpty else { return try eachValue(in: text, from: cursor.at, passed, skips, body) }
        for name in path {
            guard cursor.peek() == UInt8(ascii: "{"), cursor.enter(name) else {
                throw JSONError(in: text, at: cursor.at, "the report has no list \"\(path.joined(separator: "."))\"")
            }
        }
        if cursor.peek() == UInt8(ascii: "[") { return try eachItem(in: cursor, isWhole: false, passed, body) }
        guard let part = cursor.part() else { return }
        _ = body(JSONItem(bytes: ByteView(rebasing: text[part.range]), line: 0, object: 1, isAlone: false))
    }

    private static let piece = 4 << 20

    private static func eachItem(
        in list: JSONCursor, isWhole: Bool, _ passed: () -> Void, _ body: (JSONItem) -> Bool
    ) throws(JSONError) {
        // A list that is cut off must not begin to be read: whoever has it hears of it and fetches it again.
        var (count, kept, check) = (0, list.at, list)
        let isClosed = check.eachItem { part in
            count += 1
            if part.range.upperBound - kept > piece {
                passed()
                kept = part.range.upperBound
            }
            return true
        }
        guard isClosed else {
            throw JSONError(
                in: list.text, at: list.text.count,
                "the report ends after item \(count) of a list and before the list does: it is cut off")
        }
        if isWhole, !check.isAtEnd {
            throw JSONError(in: list.text, at: check.at, "more text after the end of the JSON document")
        }
        var (number, cursor) = (0, list)
        _ = cursor.eachItem { part in
            number += 1
            return body(JSONItem(bytes: ByteView(rebasing: list.text[part.range]), line: 0, object: number, isAlone: false))
        }
    }

    private static func eachValue(
        in text: ByteView, from begin: Int, _ passed: () -> Void, _ skips: (ByteView) -> Bool, _ body: (JSONItem) -> Bool
    ) throws(JSONError) {
        /// What comes first tells how the report is written.
        enum Form { case unknown, lines, documents }
        var form = Form.unknown
        var isFirst = true
        var start = begin
        var number = 1 + text[..<begin].count { $0 == 0x0A }
        while start < text.count, let base = text.baseAddress {
            let end =
                memchr(base + start, 0x0A, text.count - start).map { UnsafeRawPointer($0) - UnsafeRawPointer(base) } ?? text.count
            let line = trimmed(text, start..<end)
            var next = end + 1
            defer {
                number += next == end + 1 ? 1 : text[start..<next].count { $0 == 0x0A }
                start = next
            }
            if line.isEmpty || skips(ByteView(rebasing: text[line])) { continue }
            if form == .unknown, text[line.lowerBound] != UInt8(ascii: "{") {
                // The reader of JSON says what is wrong.
                do throws(JSONError) { _ = try JSONValue(parsing: ByteView(rebasing: text[line])) } catch {
                    throw JSONError(in: text, at: line.lowerBound + error.offset, error.message)
                }
            }
            var value = line
            if form != .lines, !isOneValue(text, line),
                let whole = document(text, from: line.lowerBound, isFirst: form == .unknown, passed)
            {
                (value, next, form) = (whole, whole.upperBound, .documents)
            } else if form != .documents || !isOneValue(text, line) {
                form = .lines
            }
            let isAlone = isFirst && JSONCursor(text, in: value.upperBound..<text.count).isAtEnd
            isFirst = false
            guard body(JSONItem(bytes: ByteView(rebasing: text[value]), line: number, object: nil, isAlone: isAlone)) else {
                return
            }
        }
    }

    /// A document over several lines; the first one only if it is one.
    private static func document(_ text: ByteView, from start: Int, isFirst: Bool, _ passed: () -> Void) -> Range<Int>? {
        var cursor = JSONCursor(text, in: start..<text.count)
        defer { passed() }
        guard let part = cursor.part(), part.isWhole else { return nil }
        return !isFirst || (try? JSONValue(parsing: ByteView(rebasing: text[part.range]))) != nil ? part.range : nil
    }

    private static func isOneValue(_ text: ByteView, _ line: Range<Int>) -> Bool {
        var cursor = JSONCursor(text, in: line)
        return cursor.part()?.isWhole == true && cursor.at == line.upperBound
    }

    private static func trimmed(_ text: ByteView, _ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, text[start] <= 0x20 { start += 1 }
        while end > start, text[end - 1] <= 0x20 { end -= 1 }
        return start..<end
    }
}

extension JSONCursor {
    /// Goes before the value of a member of the object that the cursor stands before; answers whether it is there.
    fileprivate mutating func enter(_ wanted: String) -> Bool {
        step()
        while let name = name() {
            if name.elementsEqual(wanted.utf8) { return peek() != nil }
            guard part() != nil else { return false }
        }
        return false
    }
}

extension JSONError {
    /// What is wrong at a place of a text.
    fileprivate init(in text: ByteView, at offset: Int, _ message: String) {
        let before = text[..<min(offset, text.count)]
        let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        self.init(
            message: message, offset: offset, line: 1 + before.count { $0 == 0x0A },
            column: min(offset, text.count) - lineStart + 1)
    }
}
