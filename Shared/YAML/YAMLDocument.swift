import Glibc

/// A YAML (or JSON) text with its values and the means to point into it.
///
/// Bounds against hostile input: 16 MiB of text, 100 levels, 1,000,000 values with aliases expanded.
public struct YAMLDocument: Sendable {
    /// The largest text in bytes.
    public static let sizeLimit = 16 << 20

    /// The file as named by the caller, only used in messages.
    public let file: String
    /// The outermost value; null for an empty text.
    public let root: YAMLNode
    private let source: YAMLSource

    private init(root: YAMLNode, source: YAMLSource) {
        file = source.file
        self.root = root
        self.source = source
    }

    /// Reads one document from UTF-8 text, with or without a byte order mark.
    ///
    /// Refused besides bad syntax: duplicate keys, keys that are no scalars, several documents, tags other than
    /// those of the core schema, and what is beyond the bounds of this type.
    public static func parse(_ bytes: [UInt8], file: String) throws(YAMLError) -> YAMLDocument {
        let hasOrderMark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
        let source = YAMLSource(file: file, bytes: hasOrderMark ? Array(bytes.dropFirst(3)) : bytes)
        if bytes.count > sizeLimit {
            throw YAMLError(
                "\(bytes.count) bytes of YAML, at most \(sizeLimit) are read", at: nil,
                in: YAMLSource(file: file, bytes: []), help: "split the file, or give data of this size to a parser worker")
        }
        if bytes.starts(with: [0xFE, 0xFF]) || bytes.starts(with: [0xFF, 0xFE]) {
            throw YAMLError("the text is UTF-16, only UTF-8 is read", at: nil, in: source, help: "save the file as UTF-8")
        }
        return YAMLDocument(root: try YAMLBuilder.build(source), source: source)
    }

    /// The same text with other values, which messages show as the text has them.
    public func replacing(root: YAMLNode) -> YAMLDocument { YAMLDocument(root: root, source: source) }

    /// Reads a file; an unreadable one is an error without a mark.
    public static func read(path: String) throws(YAMLError) -> YAMLDocument {
        func failure(_ verb: String) -> YAMLError {
            let reason = String(cString: strerror(errno))
            return YAMLError("cannot \(verb) \(path): \(reason)", at: nil, in: YAMLSource(file: path, bytes: []))
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while bytes.count <= sizeLimit {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("read")
            }
            bytes.append(contentsOf: chunk[..<count])
        }
        return try parse(bytes, file: path)
    }

    /// Lays out a message about a value in the same way as `YAMLError`, with marks under the whole scalar.
    ///
    /// Under a mapping it marks the first key, under a block sequence its first dash. `help` stands beside the marks.
    public func diagnostic(_ message: String, at node: YAMLNode, help: String? = nil) -> Diagnostic {
        source.diagnostic(message, at: node.mark, width: width(of: node), help: help)
    }

    private func width(of node: YAMLNode) -> Int {
        switch node.content {
        case .mapping(let pairs):
            guard let key = pairs.first?.key, key.mark == node.mark else { return span(node) ?? 1 }
            return width(of: key)
        case .sequence, .scalar:
            return span(node) ?? 1
        }
    }

    /// Columns of a value; of one that ends in a later line those up to the end of its first line.
    private func span(_ node: YAMLNode) -> Int? {
        if node.endMark.line == node.mark.line { return node.endMark.column - node.mark.column }
        guard case .scalar(_, plain: false) = node.content else { return nil }
        return source.line(node.mark.line).count - node.mark.column + 1
    }
}
