import Glibc
import ServiceKernel
import YAML

/// Whom output is for: a person at a terminal gets colour, a file or a pipe does not.
enum Terminal {
    enum Colour: String { case red = "31", green = "32", yellow = "33" }

    /// Whether this is a terminal, and its user has not asked for no colour (https://no-color.org).
    static let hasColour: Bool = {
        func value(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
        return isatty(STDOUT_FILENO) == 1 && value("NO_COLOR").isEmpty && value("TERM") != "dumb"
    }()

    static func paint(_ text: String, _ colour: Colour?) -> String {
        guard hasColour, !text.isEmpty, let colour else { return text }
        return "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m"
    }

    /// Says what is wrong on standard error, with the level in colour.
    static func say(_ diagnostic: Diagnostic) {
        let level = diagnostic.level.rawValue
        let text = diagnostic.description.dropFirst(level.utf8.count)
        let colour = diagnostic.level == .error ? Colour.red : .yellow
        ServiceKernel.say((isatty(STDERR_FILENO) == 1 ? paint(level, colour) : level) + text)
    }

    /// Rows and columns of the terminal at standard output; nil where there is none.
    static var size: (rows: Int, columns: Int)? {
        var size = winsize()
        guard isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return nil }
        return (Int(size.ws_row), Int(size.ws_col))
    }
}
