/// Why a YAML text could not be read; its description is ready to be printed.
public struct YAMLError: Error, Sendable, CustomStringConvertible {
    /// The file as named by the caller.
    public let file: String
    /// Where it went wrong; nil when the file could not be read at all.
    public let mark: YAMLMark?
    /// What is wrong, without place.
    public let message: String
    /// The line of the source at `mark`; nil without a mark.
    public let snippet: String?
    /// What, where, the line and a mark under it.
    public let diagnostic: Diagnostic
    /// The whole message as text.
    public var description: String { diagnostic.description }

    init(_ message: String, at mark: YAMLMark?, in source: YAMLSource, width: Int = 1, help: String? = nil) {
        file = source.file
        self.mark = mark
        self.message = message
        snippet = mark.map {
            var line = ""
            line.unicodeScalars.append(contentsOf: source.line($0.line))
            return line
        }
        diagnostic = source.diagnostic(message, at: mark, width: width, help: help)
    }
}
