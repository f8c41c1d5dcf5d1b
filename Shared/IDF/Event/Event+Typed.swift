// Workers live in other modules. What is generic here is thin and inlinable, so that it is compiled for the worker's own types;
// a generic function that stays behind looks up type metadata at run time, for every value.
extension Event {
    /// The first, most relevant value of the field; setting it replaces all values, setting nil removes the field.
    @inlinable
    public subscript<V: FieldValue>(_ key: Key<V>) -> V? {
        get {
            var value: V?
            readFirst(key.id) { text in
                value = V(field: text)
                return value != nil
            }
            return value
        }
        set {
            guard let newValue else { return remove(key.id) }
            write(key.id) { newValue.appendField(to: &$0) }
        }
    }

    /// All values of the field in order; a place that is null in an aligned list is left out.
    @inlinable
    public func all<V: FieldValue>(_ key: Key<V>) -> [V] {
        var values: [V] = []
        readAll(key.id) { if let value = $0.flatMap({ V(field: $0) }) { values.append(value) } }
        return values
    }

    /// All values of the field in order, with nil where an aligned list has a gap.
    @inlinable
    public func aligned<V: FieldValue>(_ key: Key<V>) -> [V?] {
        var values: [V?] = []
        readAll(key.id) { values.append($0.flatMap { V(field: $0) }) }
        return values
    }

    /// Calls `body` with each value of the field and its place in the list: the way of experts that look something up for every value.
    @inlinable
    public mutating func enrich<V: FieldValue>(from key: Key<V>, _ body: (inout Event, V, Int) -> Void) {
        guard isList(key.id) else {
            if let value = self[key] { body(&self, value, 0) }
            return
        }
        var place = 0
        for value in aligned(key) {
            if let value { body(&self, value, place) }
            place += 1
        }
    }

    /// Replaces all values. One value is written as a scalar, none removes the field; gaps (nil) at the end are cut.
    @inlinable
    public mutating func set<V: FieldValue>(_ key: Key<V>, to values: [V?]) {
        var count = values.count
        while count > 0, values[count - 1] == nil { count -= 1 }
        if count == 0 { return remove(key.id) }
        if count == 1, let only = values[0] { return write(key.id) { only.appendField(to: &$0) } }
        write(key.id) { out in
            out.append(0x5B)
            for index in 0..<count {
                if index > 0 { out.append(0x2C) }
                if let value = values[index] { value.appendField(to: &out) } else { out.append(contentsOf: "null".utf8) }
            }
            out.append(0x5D)
        }
    }

    /// Sets the field if it has no value yet, or if the worker's `overwrite` says so; nil is ignored.
    /// Returns whether the value was set.
    @inlinable @discardableResult
    public mutating func fill<V: FieldValue>(_ key: Key<V>, _ value: V?) -> Bool {
        guard let value, fillOverwrites || !has(key.id) else { return false }
        write(key.id) { value.appendField(to: &$0) }
        return true
    }

    /// Sets the value that belongs to the `place`-th value of an aligned list (0 is the most relevant), padding with null.
    @inlinable @discardableResult
    public mutating func fill<V: FieldValue>(_ key: Key<V>, _ value: V?, at place: Int) -> Bool {
        guard let value else { return false }
        if place == 0, !isList(key.id) { return fill(key, value) }
        var values = aligned(key)
        while values.count <= place { values.append(nil) }
        guard fillOverwrites || values[place] == nil else { return false }
        values[place] = value
        set(key, to: values)
        return true
    }
}

extension Event {
    /// Whether the field has several values.
    @usableFromInline
    func isList(_ field: FieldID) -> Bool { index(of: field).map { members[$0].kind == JSONKind.array.rawValue } ?? false }

    /// Calls `body` with the plain text of the values, in order, until it takes one.
    @usableFromInline
    func readFirst(_ field: FieldID, _ body: (ByteView) -> Bool) {
        guard let at = index(of: field) else { return }
        let member = members[at]
        withValue(member) { value in
            guard member.kind == JSONKind.array.rawValue else {
                if let first = value.first, first != 0x6E { _ = Self.withPlain(value, hasEscapes: member.hasEscapes, body) }
                return
            }
            forEachElement(value) { $0.first == 0x6E || !Self.withPlain($0, hasEscapes: nil, body) }
        }
    }

    /// Calls `body` with the plain text of each value, nil for a gap.
    @usableFromInline
    func readAll(_ field: FieldID, _ body: (ByteView?) -> Void) {
        guard let at = index(of: field) else { return }
        let member = members[at]
        withValue(member) { value in
            func give(_ element: ByteView, _ hasEscapes: Bool?) {
                if element.first == 0x6E { return body(nil) }
                _ = Self.withPlain(element, hasEscapes: hasEscapes) {
                    body($0)
                    return true
                }
            }
            guard member.kind == JSONKind.array.rawValue else { return give(value, member.hasEscapes) }
            forEachElement(value) { element in
                give(element, nil)
                return true
            }
        }
    }

    /// Replaces the field by the JSON that `append` appends.
    @usableFromInline
    mutating func write(_ field: FieldID, _ append: (inout [UInt8]) -> Void) {
        let start = own.count
        // The first of several, as a rule.
        if start == 0 { own.reserveCapacity(224) }
        append(&own)
        let kind = JSONKind(rawValue: own[start]) ?? .number
        adopt(field, from: start, kind: kind, hasEscapes: kind == .string && hasBackslash(from: start))
        if own.count > 1 << 16 { compact() }
    }

    /// Whether a backslash stands in `own` from there on.
    private func hasBackslash(from start: Int) -> Bool { own.withUnsafeBufferPointer { $0.from(start).hasBackslash } }

    /// Lets go of what was written and written over, once it is the greater part.
    mutating func compact() {
        let live = members.reduce(0) { $0 + ($1.isOwn ? Int($1.length) : 0) }
        guard live * 2 < own.count else { return }
        var packed: [UInt8] = []
        packed.reserveCapacity(live * 2)
        for index in members.indices where members[index].isOwn {
            let start = Int(members[index].offset)
            members[index].offset = UInt32(packed.count)
            packed.append(contentsOf: own[start..<(start + Int(members[index].length))])
        }
        own = packed
    }

    /// A JSON scalar as plain text: a string without quotes and escapes, anything else as it stands.
    private static func withPlain(_ value: ByteView, hasEscapes: Bool?, _ body: (ByteView) -> Bool) -> Bool {
        guard value.first == 0x22 else { return body(value) }
        let inside = ByteView(rebasing: value[1..<(value.count - 1)])
        guard hasEscapes ?? inside.hasBackslash else { return body(inside) }
        var plain: [UInt8] = []
        appendUnescaped(inside, to: &plain)
        return plain.withUnsafeBufferPointer { body($0) }
    }

    /// The value of a field as JSON: a scalar, or a list where there are several.
    public func json(_ field: FieldID) -> JSONValue? {
        guard let at = index(of: field) else { return nil }
        return withValue(members[at]) { JSONValue(raw: $0) }
    }

    /// Adds a value given as text (a cell of a report): checked and brought into the field's canonical form.
    /// Returns false, and leaves the event as it was, when the text is no value of the field's type.
    @discardableResult
    public mutating func add(_ field: FieldID, text: ByteView) -> Bool {
        let start = own.count
        guard field.type.sanitise(text, into: &own) else { return false }
        let kind = JSONKind(rawValue: own[start]) ?? .number
        let escaped = kind == .string && hasBackslash(from: start)
        adopt(field, from: start, kind: kind, hasEscapes: escaped)
        return true
    }

    /// Adds a value given as text.
    @discardableResult
    public mutating func add(_ field: FieldID, text: String) -> Bool {
        var text = text
        return text.withUTF8 { add(field, text: $0) }
    }

    /// The first value of a field as plain text, as a look-up answers it: strings without quotes, other values as JSON.
    public func text(_ field: FieldID) -> String? {
        switch json(field) {
        case nil: nil
        case .string(let text): text
        case .array(let items): items.lazy.compactMap { if case .null = $0 { nil } else { $0.plain } }.first
        case .some(let value): value.plain
        }
    }
}

extension JSONValue {
    /// A scalar without quotes; anything else as JSON.
    public var plain: String {
        if case .string(let text) = self { text } else { String(decoding: bytes, as: UTF8.self) }
    }
}

/// Calls `body` for each element of a JSON list of scalars (checked before) until it answers false.
func forEachElement(_ list: ByteView, _ body: (ByteView) -> Bool) {
    var at = 1
    while at < list.count - 1 {
        switch list[at] {
        case 0x20, 0x09, 0x0A, 0x0D, 0x2C:
            at += 1
            continue
        default: break
        }
        let start = at
        if list[at] == 0x22 {
            at += 1
            while at < list.count, list[at] != 0x22 { at += list[at] == 0x5C ? 2 : 1 }
            at += 1
        } else {
            while at < list.count - 1, list[at] != 0x2C, list[at] > 0x20 { at += 1 }
        }
        if !body(ByteView(rebasing: list[start..<min(at, list.count)])) { return }
    }
}

/// What stores need of a field whatever its type.
extension Event {
    /// Appends the first value as plain text, without quotes and escapes; false when there is none.
    public func appendFirst(_ field: FieldID, to out: inout [UInt8]) -> Bool {
        guard let at = index(of: field) else { return false }
        let member = members[at]
        return withValue(member) { value in
            if member.kind == JSONKind.string.rawValue, !member.hasEscapes, member.keyLength == 0 {
                out.append(contentsOf: value.part(1, value.count - 1))
                return true
            }
            var first = value
            if member.kind == JSONKind.array.rawValue {
                first = ByteView(start: nil, count: 0)
                forEachElement(value) { element in
                    if element.first == 0x6E { return true }
                    first = element
                    return false
                }
            }
            guard first.count > 0 else { return false }
            guard first[0] == 0x22 else {
                out.append(contentsOf: first)
                return true
            }
            let inside = ByteView(rebasing: first[1..<(first.count - 1)])
            if inside.hasBackslash { appendUnescaped(inside, to: &out) } else { out.append(contentsOf: inside) }
            return true
        }
    }

    /// The first value as an integer.
    public func firstInteger(_ field: FieldID) -> Int64? { self[Key<Int>(id: field)].map(Int64.init) }
}
