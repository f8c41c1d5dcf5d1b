import IDF

/// Conversions that take a part of a text need no copy of it.
extension Conversion {
    /// Whether the conversion only takes a part.
    var cuts: Bool {
        switch self {
        case .dropPrefix, .dropSuffix, .before, .after, .beforeLast, .afterLast, .behind, .starting, .length, .host, .port,
            .urlPath:
            true
        default: false
        }
    }

    /// The part, or nil if the text is no value.
    func cut(_ text: ByteView) -> ByteView? {
        switch self {
        case .dropPrefix(let mark): text.starts(with: mark.utf8) ? ByteView(rebasing: text[mark.utf8.count...]) : text
        case .dropSuffix(let mark):
            text.reversed().starts(with: mark.utf8.reversed())
                ? ByteView(rebasing: text[..<(text.count - mark.utf8.count)]) : text
        case .before(let mark): place(of: mark, in: text).map { trim(ByteView(rebasing: text[..<$0.lowerBound])) } ?? text
        case .after(let mark): place(of: mark, in: text).map { trim(ByteView(rebasing: text[$0.upperBound...])) } ?? text
        case .beforeLast(let mark):
            place(of: mark, in: text, last: true).map { trim(ByteView(rebasing: text[..<$0.lowerBound])) } ?? text
        case .afterLast(let mark):
            place(of: mark, in: text, last: true).map { trim(ByteView(rebasing: text[$0.upperBound...])) } ?? text
        case .behind(let mark): place(of: mark, in: text).map { trim(ByteView(rebasing: text[$0.upperBound...])) } ?? noBytes
        case .starting(let mark): text.starts(with: mark.utf8) ? text : noBytes
        case .length(let count): text.count == count ? text : nil
        case .host: address(text).host
        case .port: address(text).port
        case .urlPath: address(text).path
        default: text
        }
    }

    /// Host, port and path of a URL or of `host:port`; what is not there is empty.
    private func address(_ text: ByteView) -> (host: ByteView, port: ByteView, path: ByteView) {
        var rest = text[...]
        if let scheme = place(of: "://", in: text) { rest = rest[scheme.upperBound...] }
        let end = rest.firstIndex { $0 == 0x2F || $0 == 0x3F || $0 == 0x23 } ?? rest.endIndex
        let path = rest[end...].prefix { $0 != 0x3F && $0 != 0x23 }
        rest = rest[..<end]
        if let user = rest.lastIndex(of: 0x40) { rest = rest[(user + 1)...] }
        var host = rest
        var port = rest[rest.endIndex...]
        if rest.first == 0x5B, let close = rest.firstIndex(of: 0x5D) {
            host = rest[(rest.startIndex + 1)..<close]
            port = rest[close...].dropFirst(2)
        } else if let colon = rest.firstIndex(of: 0x3A), !rest[(colon + 1)...].contains(0x3A) {
            host = rest[..<colon]
            port = rest[(colon + 1)...]
        }
        return (ByteView(rebasing: host), ByteView(rebasing: port), ByteView(rebasing: path))
    }
}

/// Where a text stands in another, in bytes: first, or last.
func place(of mark: String, in text: ByteView, last: Bool = false) -> Range<Int>? {
    let mark = mark.utf8
    guard let first = mark.first, mark.count <= text.count else { return nil }
    let end = text.count - mark.count
    for step in 0...end {
        let at = last ? end - step : step
        if text[at] == first, text[at...].starts(with: mark) { return at..<(at + mark.count) }
    }
    return nil
}
