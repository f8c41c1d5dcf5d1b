/// What is wrong, where, and what to do about it: as text for people, in parts for programs.
public struct Diagnostic: Sendable, Hashable {
    /// How bad it is: an error keeps things from starting, a warning does not.
    public enum Level: String, Sendable {
        case error, warning
    }

    /// How bad it is.
    public var level = Level.error
    /// What is wrong, without place.
    public var message: String
    /// The file as named by the caller; nil where no file is meant.
    public var file: String?
    /// Where in the file.
    public var mark: YAMLMark?
    /// The next step.
    public var help: String?
    /// The line of the file and the marks under it. It may hold a secret.
    var excerpt: (line: String, marks: String)?

    /// Says something that belongs to no place in a file, or to a file as a whole.
    public init(_ message: String, level: Level = .error, file: String? = nil, help: String? = nil) {
        (self.level, self.message, self.file, self.help) = (level, message, file, help)
    }

    /// The same without the line of the file: for logs, and for callers from elsewhere.
    public var withoutSource: Diagnostic {
        var other = self
        other.excerpt = nil
        return other
    }

    /// Whether both say the same of the same place.
    public static func == (left: Diagnostic, right: Diagnostic) -> Bool { left.description == right.description }

    /// As the text.
    public func hash(into hasher: inout Hasher) { hasher.combine(description) }
}

extension Diagnostic: CustomStringConvertible {
    /// What, where, the line with marks under it, and what to do.
    public var description: String {
        var text = "\(level.rawValue): \(message)"
        if let file { text += "\n  --> \(file)" + (mark.map { ":\($0.line):\($0.column)" } ?? "") }
        if let excerpt {
            text += "\n   |  \(excerpt.line)\n   |  \(excerpt.marks)" + (help.map { "  \($0)" } ?? "")
        } else if let help {
            text += "\n   help: \(help)"
        }
        return text
    }
}

/// Written as text it belongs to no place; the word `error: ` before it may stand there or not.
extension Diagnostic: ExpressibleByStringInterpolation {
    /// An error as it is printed.
    public init(stringLiteral text: String) { self.init(text.hasPrefix("error: ") ? String(text.dropFirst(7)) : text) }
}
