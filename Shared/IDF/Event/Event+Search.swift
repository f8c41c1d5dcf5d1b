/// Looking at values where they lie: what conditions do, millions of times a second.
extension Event {
    /// Whether `body` takes one of the field's values. They come in order until one is taken, as plain text: strings without
    /// quotes and escapes, anything else as its JSON. Gaps are left out.
    public func contains(_ field: FieldID, where body: (ByteView) -> Bool) -> Bool {
        var found = false
        readFirst(field) {
            found = body($0)
            return found
        }
        return found
    }

    /// The same for what stands at a path below `custom`: `["a", "b"]`, as UTF-8, is `custom.a.b`. A list counts as its
    /// elements at every level; of an object `body` gets nil, since it has no text; null is left out.
    public func containsCustom(_ path: [[UInt8]], where body: (ByteView?) -> Bool) -> Bool {
        let whole = FieldTable.shared.packed.first { $0.open == Self.customRoot }?.whole
        if let whole, let at = index(of: whole) {
            return withBytes(members[at]) { JSONSearch(path: path).finds($0, from: 0, levels: JSONSearch.levels, body) }
        }
        guard let name = path.first, var at = index(of: Self.customRoot) else { return false }
        while at < members.count, members[at].field == Self.customRoot {
            let member = members[at]
            let found: Bool? = withBytes(member) { bytes in
                let key = keyText(bytes, member)
                guard key.count >= 2, JSONSearch.isName(key.part(1, key.count - 1), name) else { return nil }
                return JSONSearch(path: path).finds(
                    bytes.from(Int(member.keyLength)), from: 1, levels: JSONSearch.levels, body)
            }
            if let found { return found }
            at += 1
        }
        return false
    }
}

/// Finds what stands at a path of a JSON value without making anything of the rest.
/// The JSON was checked when it came; still nothing here reads beyond its end.
private struct JSONSearch {
    /// Deeper than any packet may be nested.
    static let levels = 64
    let path: [[UInt8]]

    /// Whether `body` takes a value at what is left of the path.
    func finds(_ json: ByteView, from place: Int, levels: Int, _ body: (ByteView?) -> Bool) -> Bool {
        var at = Self.blanks(json, 0)
        guard at < json.count, levels > 0 else { return false }
        switch json[at] {
        case UInt8(ascii: "["):
            at = Self.blanks(json, at + 1)
            while at < json.count, json[at] != UInt8(ascii: "]") {
                let end = Self.end(of: json, at)
                if finds(json.part(at, end), from: place, levels: levels - 1, body) { return true }
                let next = Self.separator(json, end)
                guard next > at else { return false }
                at = next
            }
            return false
        case UInt8(ascii: "{"):
            guard place < path.count else { return body(nil) }
            at = Self.blanks(json, at + 1)
            while at < json.count, json[at] == UInt8(ascii: "\"") {
                let nameEnd = Self.end(of: json, at)
                let value = Self.separator(json, nameEnd)
                let end = Self.end(of: json, value)
                if nameEnd - at >= 2, Self.isName(json.part(at + 1, nameEnd - 1), path[place]) {
                    return finds(json.part(value, end), from: place + 1, levels: levels - 1, body)
                }
                at = Self.separator(json, end)
            }
            return false
        case UInt8(ascii: "n"): return false
        default:
            guard place == path.count else { return false }
            let value = json.part(at, Self.end(of: json, at))
            guard value.first == UInt8(ascii: "\"") else { return !value.isEmpty && body(value) }
            guard value.count >= 2 else { return false }
            let inside = value.part(1, value.count - 1)
            guard inside.contains(0x5C) else { return body(inside) }
            var plain: [UInt8] = []
            appendUnescaped(inside, to: &plain)
            return plain.withUnsafeBufferPointer { body($0) }
        }
    }

    /// Whether the inside of a member's name is that name.
    static func isName(_ inside: ByteView, _ name: [UInt8]) -> Bool {
        guard inside.contains(0x5C) else { return inside.elementsEqual(name) }
        var plain: [UInt8] = []
        appendUnescaped(inside, to: &plain)
        return plain == name
    }

    /// Where the value that begins at `start` ends.
    private static func end(of json: ByteView, _ start: Int) -> Int {
        var at = start
        var open = 0
        while at < json.count {
            switch json[at] {
            case UInt8(ascii: "\""):
                at += 1
                while at < json.count, json[at] != UInt8(ascii: "\"") { at += json[at] == 0x5C ? 2 : 1 }
                if open == 0 { return min(at + 1, json.count) }
            case UInt8(ascii: "["), UInt8(ascii: "{"): open += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                open -= 1
                if open <= 0 { return open < 0 ? at : at + 1 }
            case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x09, 0x0A, 0x0D: if open == 0 { return at }
            default: break
            }
            at += 1
        }
        return json.count
    }

    /// Behind the comma or colon that follows a value or name.
    private static func separator(_ json: ByteView, _ start: Int) -> Int {
        var at = blanks(json, start)
        if at < json.count, json[at] == UInt8(ascii: ",") || json[at] == UInt8(ascii: ":") { at = blanks(json, at + 1) }
        return at
    }

    private static func blanks(_ json: ByteView, _ start: Int) -> Int {
        var at = start
        while at < json.count, json[at] == 0x20 || json[at] == 0x0A || json[at] == 0x0D || json[at] == 0x09 { at += 1 }
        return at
    }
}
