/// The text of a document, kept for messages that show the line they speak of.
struct YAMLSource: Sendable {
    let file: String
    let bytes: [UInt8]

    /// Length of the line break at `offset`, or 0. libyaml counts the breaks of YAML 1.1, so this must too.
    private func breakLength(at offset: Int) -> Int {
        func byte(_ distance: Int) -> UInt8 { offset + distance < bytes.count ? bytes[offset + distance] : 0 }
        switch bytes[offset] {
        case 0x0A: return 1
        case 0x0D: return byte(1) == 0x0A ? 2 : 1
        case 0xC2 where byte(1) == 0x85: return 2
        case 0xE2 where byte(1) == 0x80 && (byte(2) == 0xA8 || byte(2) == 0xA9): return 3
        default: return 0
        }
    }

    /// The scalars of a line (counted from 1) without its break; empty behind the end.
    func line(_ number: Int) -> [Unicode.Scalar] {
        var start = 0
        var current = 1
        var offset = 0
        while offset < bytes.count {
            let length = breakLength(at: offset)
            if length == 0 {
                offset += 1
                continue
            }
            if current == number { break }
            offset += length
            start = offset
            current += 1
        }
        guard current == number else { return [] }
        return Array(String(decoding: bytes[start..<offset], as: UTF8.self).unicodeScalars)
    }

    /// The mark of a byte.
    func mark(at target: Int) -> YAMLMark {
        var line = 1
        var start = 0
        var offset = 0
        while offset < min(target, bytes.count) {
            let length = breakLength(at: offset)
            offset += max(1, length)
            if length > 0 {
                line += 1
                start = offset
            }
        }
        let before = String(decoding: bytes[min(start, offset)..<offset], as: UTF8.self)
        return YAMLMark(line: line, column: before.unicodeScalars.count + 1)
    }

    /// Puts a message together: what, where, the line, a mark under it, and help beside the mark.
    func diagnostic(_ message: String, at mark: YAMLMark?, width: Int = 1, help: String? = nil) -> Diagnostic {
        var diagnostic = Diagnostic(message, file: file, help: help)
        guard let mark else { return diagnostic }
        let scalars = line(mark.line)
        let column = min(max(mark.column - 1, 0), scalars.count)
        // Indentation is cut off, and of very long lines (JSON in one line) only the surroundings are shown.
        let indentation = scalars.prefix(column).prefix { $0 == " " }.count
        let start = column - indentation > 80 ? column - 60 : indentation
        let end = min(scalars.count, start + 110)
        var shown = start > indentation ? "…" : ""
        let padding = String(repeating: " ", count: column - start + shown.count)
        for scalar in scalars[start..<end] {
            shown.unicodeScalars.append(printable(scalar))
        }
        if end < scalars.count { shown += "…" }
        let under = String(repeating: "^", count: max(1, min(width, end - column)))
        diagnostic.mark = mark
        diagnostic.excerpt = (shown, padding + under)
        return diagnostic
    }

    /// One column for tabs, and nothing that could steer a terminal.
    private func printable(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.properties.generalCategory {
        case .control: scalar == "\t" ? " " : "\u{FFFD}"
        case .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: "\u{FFFD}"
        default: scalar
        }
    }
}
