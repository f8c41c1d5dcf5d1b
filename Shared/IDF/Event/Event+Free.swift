internal import CSimdJSON

/// The members that belong to the user (`custom`) or to another format (`n6`, `misp`, `idea`).
extension Event {
    /// The custom member of that name, any JSON.
    public subscript(custom name: String) -> JSONValue? {
        get { free("custom", name) }
        set { setFree("custom", name, to: newValue) }
    }

    /// All members of a free root, by name.
    public func freeMembers(_ root: String) -> [JSONValue.Member] {
        guard let field = FieldTable.shared.open[root] else { return [] }
        if hasPacked(field) { return unpacked().freeMembers(root) }
        return members.lazy.filter { $0.field == field }.map { member in
            withBytes(member) { bytes in
                let name = JSONValue(raw: keyText(bytes, member))?.string ?? ""
                return JSONValue.Member(name, JSONValue(raw: ByteView(rebasing: bytes[Int(member.keyLength)...])) ?? .null)
            }
        }
    }

    /// Reads one member of a free root.
    public func free(_ root: String, _ name: String) -> JSONValue? {
        guard let field = FieldTable.shared.open[root] else { return nil }
        if hasPacked(field) { return unpacked().free(root, name) }
        guard let at = freeIndex(field, name) else { return nil }
        return withValue(members[at]) { JSONValue(raw: $0) }
    }

    /// Sets one member of a free root; nil removes it. A name longer than 4 KiB is not taken; of a value nested deeper than a packet
    /// may be, the JSON text.
    public mutating func setFree(_ root: String, _ name: String, to value: JSONValue?) {
        guard let field = FieldTable.shared.open[root] else { return }
        if hasPacked(field) { unpack() }
        let old = freeIndex(field, name)
        guard let value else {
            if let old { members.remove(at: old) }
            return
        }
        let start = own.count
        JSONText.appendQuoted(name, to: &own)
        own.append(0x3A)
        let keyLength = own.count - start
        // Longer names are refused by every later hop (see PacketDecoder).
        guard keyLength <= 4096 else {
            own.removeSubrange(start...)
            return
        }
        if value.isNested(deeperThan: JSONText.maximumDepth) {
            JSONText.appendQuoted(String(decoding: value.bytes, as: UTF8.self), to: &own)
        } else {
            value.append(to: &own)
        }
        adoptFree(field, from: start, keyLength: keyLength, replacing: old)
        if own.count > 1 << 16 { compact() }
    }

    /// Adds a member to a free root from bytes already in JSON form: the way of parsers, which do it thousands of times.
    public mutating func addFree(_ root: FieldID, key: [UInt8], value: (inout [UInt8]) -> Bool) {
        addFree(root, key: key[...], value: value)
    }

    /// The same with a key among others in one array.
    public mutating func addFree(_ root: FieldID, key: ArraySlice<UInt8>, value: (inout [UInt8]) -> Bool) {
        // Where members of it are one by one, it is not packed.
        if members.last?.field != root, hasPacked(root) { unpack() }
        let start = own.count
        key.withUnsafeBufferPointer { own.append(contentsOf: $0) }
        guard key.count <= 4096, value(&own) else {
            own.removeLast(own.count - start)
            return
        }
        adoptFree(root, from: start, keyLength: key.count, replacing: nil)
    }

    /// Removes all members of a free root.
    public mutating func removeFree(_ root: String) {
        guard let field = FieldTable.shared.open[root] else { return }
        members.removeAll { $0.field == field || $0.field == Self.whole(of: field) }
    }

    /// The bytes `"name":` as `addFree` wants them.
    public static func freeKey(_ name: String) -> [UInt8] {
        var key: [UInt8] = []
        JSONText.appendQuoted(name, to: &key)
        key.append(0x3A)
        return key
    }

    /// The id under which members of `custom` are kept.
    public static let customRoot = FieldTable.shared.open["custom"]!

    /// Sets a custom member below sub-objects: `["a", "b"]` is `custom.a.b`. A member on the way that is no object gives way.
    /// Names beyond the sixteenth are one.
    public mutating func setCustom(path: [String], to value: JSONValue) {
        guard let name = path.first else { return }
        if path.count > 16 {
            setCustom(path: Array(path.prefix(15)) + [path.dropFirst(15).joined(separator: ".")], to: value)
        } else if path.count == 1 {
            self[custom: name] = value
        } else {
            self[custom: name] = Self.merge(self[custom: name], path.dropFirst(), value)
        }
    }

    private static func merge(_ old: JSONValue?, _ path: ArraySlice<String>, _ value: JSONValue) -> JSONValue {
        guard let name = path.first else { return value }
        var members = old?.members ?? []
        let at = members.firstIndex { $0.name == name }
        let merged = merge(at.map { members[$0].value }, path.dropFirst(), value)
        if let at { members[at].value = merged } else { members.append(.init(name, merged)) }
        return .object(members)
    }

    /// The quoted name of a free member.
    func keyText(_ bytes: ByteView, _ member: Member) -> ByteView {
        var end = Int(member.keyLength)
        while end > 0, bytes[end - 1] != 0x22 { end -= 1 }
        return ByteView(rebasing: bytes[..<end])
    }

    func freeIndex(_ field: FieldID, _ name: String) -> Int? {
        var wanted: [UInt8] = []
        JSONText.appendQuoted(name, to: &wanted)
        guard var at = index(of: field) else { return nil }
        while at < members.count, members[at].field == field {
            let member = members[at]
            let same = withBytes(member) { bytes in
                let key = keyText(bytes, member)
                return key.elementsEqual(wanted) || key.contains(0x5C) && JSONValue(raw: key)?.string == name
            }
            if same { return at }
            at += 1
        }
        return nil
    }

    private mutating func adoptFree(_ field: FieldID, from start: Int, keyLength: Int, replacing old: Int?) {
        let first = own[start + keyLength]
        let kind: JSONKind = JSONKind(rawValue: first) ?? .number
        let member = Member(
            field: field, keyLength: UInt16(clamping: keyLength), offset: UInt32(start), length: UInt32(own.count - start),
            kind: kind.rawValue, isOwn: true, hasEscapes: false)
        if let old { members[old] = member } else { insert(member, at: place(for: field)) }
    }
}

// A free root comes over the wire as one member, a span that most hops only copy. Whoever asks for what is in it takes it apart.
extension Event {
    private func hasPacked(_ open: FieldID) -> Bool {
        Self.whole(of: open).map { index(of: $0) != nil } ?? false
    }

    private static func whole(of open: FieldID) -> FieldID? {
        let twin = FieldTable.shared.rows[Int(open.raw)].twin
        return twin == FieldTable.none ? nil : FieldID(raw: twin)
    }

    /// The event with one member for each free member.
    func unpacked() -> Event {
        var copy = self
        copy.unpack()
        return copy
    }

    /// Takes free roots apart that are one member each.
    mutating func unpack() {
        for (open, packed) in FieldTable.shared.packed {
            guard let at = index(of: packed) else { continue }
            let whole = members.remove(at: at)
            var parts: [Member] = []
            withBytes(whole) { bytes in
                _ = try? JSONTokeniser.borrow { tokeniser throws(JSONError) in
                    let tokens = try tokeniser.tokens(of: bytes, depth: 256)
                    parts.reserveCapacity(tokens.count / 2)
                    var index = 1
                    while index < Int(tokens[0].next) {
                        let (key, value) = (tokens[index], tokens[index + 1])
                        parts.append(
                            Member(
                                field: open, keyLength: UInt16(clamping: value.start - key.start),
                                offset: whole.offset + key.start,
                                length: value.end - key.start, kind: value.kind, isOwn: whole.isOwn, hasEscapes: value.flags != 0)
                        )
                        index = Int(value.next)
                    }
                }
            }
            members.insert(contentsOf: parts, at: at)
        }
    }
}
