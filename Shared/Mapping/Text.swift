import IDF

/// Parts of texts, found in their bytes.
extension String {
    /// Calls with the text's bytes.
    func bytes<R>(_ body: (ByteView) -> R?) -> R? {
        var text = self
        return text.withUTF8 { body($0) }
    }

    /// A defanged text (`hxxp://evil[.]example`) as it was.
    public var refanged: String {
        var text = self
        // Most texts have their teeth, and looking for each of the pairs is dear.
        if utf8.contains(where: { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "(") }) {
            for (defanged, plain) in [("[.]", "."), ("(.)", "."), ("[:]", ":"), ("[@]", "@"), ("[at]", "@"), ("[/]", "/")] {
                if text.firstRange(of: defanged) != nil { text = text.replacing(defanged, with: plain) }
            }
        }
        let scheme = String(decoding: text.utf8.prefix(6).prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self).lowercased()
        guard ["hxxp", "hxxps", "htxp", "htxps", "fxp"].contains(scheme) else { return text }
        let plain = scheme == "fxp" ? "ftp" : scheme.hasSuffix("s") ? "https" : "http"
        return plain + text.dropFirst(scheme.count)
    }
}
