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
        for (defanged, plain) in [("[.]", "."), ("(.)", "."), ("[:]", ":"), ("[@]", "@"), ("[at]", "@"), ("[/]", "/")] {
            if text.firstRange(of: defanged) != nil { text = text.replacing(defanged, with: plain) }
        }
        let scheme = text.prefix { $0 != ":" }.lowercased()
        guard ["hxxp", "hxxps", "htxp", "htxps", "fxp"].contains(scheme) else { return text }
        let plain = scheme == "fxp" ? "ftp" : scheme.hasSuffix("s") ? "https" : "http"
        return plain + text.dropFirst(scheme.count)
    }
}
