import IDF

/// Parts of texts, found in their bytes.
extension String {
    enum Side { case before, after }

    func bytes<R>(_ body: (ByteView) -> R?) -> R? {
        var text = self
        return text.withUTF8 { body($0) }
    }

    /// Where a text stands in this one, in bytes.
    func place(of mark: String, last: Bool = false) -> Range<String.Index>? {
        let (text, mark) = (utf8, mark.utf8)
        guard !mark.isEmpty, mark.count <= text.count else { return nil }
        var at = last ? text.index(text.endIndex, offsetBy: -mark.count) : text.startIndex
        for _ in 0...(text.count - mark.count) {
            if text[at...].starts(with: mark) { return at..<text.index(at, offsetBy: mark.count) }
            guard at != (last ? text.startIndex : text.endIndex) else { return nil }
            at = last ? text.index(before: at) : text.index(after: at)
        }
        return nil
    }

    /// What stands before or after a place, without blanks around it.
    func part(_ side: Side, _ place: Range<String.Index>?) -> String? {
        guard let place else { return nil }
        let part = side == .before ? self[..<place.lowerBound] : self[place.upperBound...]
        return String(decoding: trimmed(part.utf8), as: UTF8.self)
    }

    private func trimmed(_ bytes: Substring.UTF8View) -> Substring.UTF8View {
        var bytes = bytes.drop { $0 == 0x20 || $0 == 0x09 }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes = bytes.dropLast() }
        return bytes
    }

    /// Host, port and path of a URL or of `host:port`; what is not there is empty.
    var address: (host: String, port: String, path: String) {
        var rest = utf8[...]
        if let scheme = place(of: "://") { rest = utf8[scheme.upperBound...] }
        let end = rest.firstIndex { $0 == 0x2F || $0 == 0x3F || $0 == 0x23 } ?? rest.endIndex
        let path = rest[end...].prefix { $0 != 0x3F && $0 != 0x23 }
        rest = rest[..<end]
        if let user = rest.lastIndex(of: 0x40) { rest = rest[user...].dropFirst() }
        var host = rest
        var port = rest[rest.endIndex...]
        if rest.first == 0x5B, let close = rest.firstIndex(of: 0x5D) {
            host = rest[..<close].dropFirst()
            port = rest[close...].dropFirst(2)
        } else if let colon = rest.firstIndex(of: 0x3A), !rest[colon...].dropFirst().contains(0x3A) {
            host = rest[..<colon]
            port = rest[colon...].dropFirst()
        }
        return (text(host), text(port), text(path))
    }

    private func text(_ bytes: Substring.UTF8View) -> String { String(decoding: bytes, as: UTF8.self) }

    /// A defanged text as it was.
    var refanged: String {
        var text = self
        for (defanged, plain) in [("[.]", "."), ("(.)", "."), ("[:]", ":"), ("[@]", "@"), ("[at]", "@"), ("[/]", "/")] {
            if text.place(of: defanged) != nil { text = text.replacing(defanged, with: plain) }
        }
        let scheme = text.prefix { $0 != ":" }.lowercased()
        guard ["hxxp", "hxxps", "htxp", "htxps", "fxp"].contains(scheme) else { return text }
        let plain = scheme == "fxp" ? "ftp" : scheme.hasSuffix("s") ? "https" : "http"
        return plain + text.dropFirst(scheme.count)
    }
}
