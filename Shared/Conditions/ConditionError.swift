/// Why a condition could not be read; its description is ready to be printed.
public struct ConditionError: Error, Sendable, Equatable {
    /// The condition as it was written.
    public let text: String
    /// Which bytes of its UTF-8 are wrong; empty where something is missing.
    public let range: Range<Int>
    /// What is wrong, without place.
    public let message: String
    /// What to do about it.
    public let help: String?

    init(_ message: String, _ range: Range<Int>, in text: String, help: String? = nil) {
        self.text = text
        self.range = range
        self.message = message
        self.help = help
    }

    /// The line within the condition, counted from 1.
    public var line: Int { 1 + text.utf8.prefix(range.lowerBound).count { $0 == 0x0A } }

    /// The column within the line, counted from 1 in Unicode scalars.
    public var column: Int { 1 + String(decoding: before, as: UTF8.self).unicodeScalars.count }

    private var before: ArraySlice<UInt8> {
        let bytes = Array(text.utf8.prefix(range.lowerBound))
        return bytes[((bytes.lastIndex(of: 0x0A) ?? -1) + 1)...]
    }
}

extension ConditionError: CustomStringConvertible {
    /// The whole message: what, where within the condition, the line and a mark under it, what to do.
    public var description: String {
        let left = String(decoding: before, as: UTF8.self).unicodeScalars
        let rest = text.utf8.dropFirst(range.lowerBound).prefix { $0 != 0x0A }
        let right = String(decoding: rest, as: UTF8.self).unicodeScalars
        let marked = String(decoding: rest.prefix(range.count), as: UTF8.self).unicodeScalars.count
        // Of long lines only the surroundings are shown.
        let shownLeft = left.count > 80 ? Array(left.suffix(60)) : Array(left)
        let shownRight = right.prefix(110 - shownLeft.count)
        var shown = left.count > 80 ? "…" : ""
        let padding = String(repeating: " ", count: shownLeft.count + shown.count)
        for scalar in shownLeft + shownRight { shown.unicodeScalars.append(Self.printable(scalar)) }
        if shownRight.count < right.count { shown += "…" }
        return """
            error: \(message)
              --> condition:\(line):\(column)
               |  \(shown)
               |  \(padding)\(String(repeating: "^", count: max(1, min(marked, shownRight.count))))\(help.map { "  " + $0 } ?? "")
            """
    }

    /// One column for tabs, and nothing that could steer a terminal.
    private static func printable(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.properties.generalCategory {
        case .control: scalar == "\t" ? " " : "\u{FFFD}"
        case .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: "\u{FFFD}"
        default: scalar
        }
    }
}
