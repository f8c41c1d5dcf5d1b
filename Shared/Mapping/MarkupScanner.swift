import IDF

/// Finds the tags and texts of a page one after the other.
struct MarkupScanner {
    private let bytes: ByteView
    private let isXML: Bool
    private var at = 0
    /// The element whose text runs to its closing tag whatever stands in it.
    private var rawUntil: String?
    /// An element whose tag closes itself.
    private var pendingClose: String?

    init(_ bytes: ByteView, isXML: Bool) {
        self.bytes = bytes
        self.isXML = isXML
    }

    mutating func next() -> (Markup.Token, Int)? {
        if let name = pendingClose {
            pendingClose = nil
            return (.close(name: name), at)
        }
        while at < bytes.count {
            let start = at
            if let name = rawUntil {
                rawUntil = nil
                let end = close(of: name)
                at = end
                if end > start { continue }
            }
            guard bytes[at] == 0x3C else {
                at = bytes[at...].firstIndex(of: 0x3C) ?? bytes.count
                return (.text(ByteView(rebasing: bytes[start..<at]), isPlain: false), start)
            }
            if starts("<!--") {
                at = end(of: "-->")
            } else if starts("<![CDATA[") {
                at += 9
                let from = at
                let to = find("]]>") ?? bytes.count
                at = min(bytes.count, to + 3)
                return (.text(ByteView(rebasing: bytes[from..<to]), isPlain: true), start)
            } else if at + 1 < bytes.count, bytes[at + 1] == 0x21 || bytes[at + 1] == 0x3F {
                at = end(of: ">")
            } else if at + 1 < bytes.count, bytes[at + 1] == 0x2F || isLetter(bytes[at + 1]) {
                return (tag(), start)
            } else {
                at += 1
                at = bytes[at...].firstIndex(of: 0x3C) ?? bytes.count
                return (.text(ByteView(rebasing: bytes[start..<at]), isPlain: false), start)
            }
        }
        return nil
    }

    private mutating func tag() -> Markup.Token {
        at += 1
        let isClosing = bytes[at] == 0x2F
        if isClosing { at += 1 }
        let name = word()
        var attributes: [(name: String, value: String)] = []
        while at < bytes.count, bytes[at] != 0x3E {
            let before = at
            if bytes[at] == 0x3C { break }
            if isBlank(bytes[at]) || bytes[at] == 0x2F {
                at += 1
                continue
            }
            let key = word()
            skipBlanks()
            var value = ""
            if at < bytes.count, bytes[at] == 0x3D {
                at += 1
                skipBlanks()
                value = self.value()
            }
            if !key.isEmpty, attributes.count < 64 { attributes.append((key, value)) }
            if at == before { at += 1 }
        }
        let isEmpty = at > 0 && at < bytes.count && bytes[at - 1] == 0x2F && isXML
        if at < bytes.count, bytes[at] == 0x3E { at += 1 }
        if isClosing { return .close(name: name) }
        if !isXML, name == "script" || name == "style" { rawUntil = name }
        if isEmpty { pendingClose = name }
        return .open(name: name, attributes: attributes)
    }

    private mutating func word() -> String {
        let start = at
        while at < bytes.count, !isBlank(bytes[at]), ![0x3E, 0x3D, 0x2F, 0x3C].contains(bytes[at]) { at += 1 }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        return isXML ? text : text.lowercased()
    }

    private mutating func value() -> String {
        guard at < bytes.count else { return "" }
        let quote = bytes[at]
        let start: Int
        let end: Int
        if quote == 0x22 || quote == 0x27 {
            start = at + 1
            end = bytes[start...].firstIndex(of: quote) ?? bytes.count
            at = min(bytes.count, end + 1)
        } else {
            start = at
            while at < bytes.count, !isBlank(bytes[at]), bytes[at] != 0x3E { at += 1 }
            end = at
        }
        var text: [UInt8] = []
        appendDecoded(ByteView(rebasing: bytes[start..<end]), to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func skipBlanks() { while at < bytes.count, isBlank(bytes[at]) { at += 1 } }
    private func isBlank(_ byte: UInt8) -> Bool { byte <= 0x20 }
    private func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A || byte == 0x5F || byte >= 0x80 }
    private func starts(_ mark: StaticString) -> Bool {
        mark.withUTF8Buffer { bytes.count - at >= $0.count && bytes[at..<(at + $0.count)].elementsEqual($0) }
    }

    private func find(_ mark: StaticString) -> Int? {
        mark.withUTF8Buffer { mark in
            var place = at
            while place + mark.count <= bytes.count {
                if bytes[place] == mark[0], bytes[place..<(place + mark.count)].elementsEqual(mark) { return place }
                place += 1
            }
            return nil
        }
    }

    private func end(of mark: StaticString) -> Int { find(mark).map { $0 + mark.utf8CodeUnitCount } ?? bytes.count }

    private func close(of name: String) -> Int {
        let wanted = Array(("</" + name).utf8)
        var place = at
        while place + wanted.count <= bytes.count {
            if bytes[place] == 0x3C, bytes[place..<(place + wanted.count)].elementsEqual(wanted, by: { $0 | 0x20 == $1 | 0x20 }) {
                return place
            }
            place += 1
        }
        return bytes.count
    }
}

/// Appends a text with its entities as the characters they stand for.
func appendDecoded(_ text: ByteView, to out: inout [UInt8]) {
    let names = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": "\u{A0}"]
    var at = 0
    while at < text.count {
        guard text[at] == 0x26, let end = text[at...].prefix(12).firstIndex(of: 0x3B) else {
            out.append(text[at])
            at += 1
            continue
        }
        let name = String(decoding: text[(at + 1)..<end], as: UTF8.self)
        var character = names[name]
        if name.hasPrefix("#x") || name.hasPrefix("#X") {
            character = UInt32(name.dropFirst(2), radix: 16).flatMap(UnicodeScalar.init).map { String($0) }
        } else if name.hasPrefix("#") {
            character = UInt32(name.dropFirst()).flatMap(UnicodeScalar.init).map { String($0) }
        }
        guard let character else {
            out.append(text[at])
            at += 1
            continue
        }
        out.append(contentsOf: character.utf8)
        at = end + 1
    }
}
