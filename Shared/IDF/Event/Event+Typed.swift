extension Event {
    /// The first, most relevant value of the field; setting it replaces all values, setting nil removes the field.
    public subscript<V: FieldValue>(_ key: Key<V>) -> V? {
        get { first(key) }
        set {
            guard let newValue else { return remove(key.id) }
            write(key.id, newValue)
        }
    }

    /// The first value. Workers live in other modules, so the usual types are compiled here: without that every value read would look up
    /// generic metadata at run time.
    @_specialize(where V == String)
    @_specialize(where V == IPAddress)
    @_specialize(where V == IPNetwork)
    @_specialize(where V == UInt32)
    @_specialize(where V == Int)
    @_specialize(where V == Timestamp)
    func first<V: FieldValue>(_ key: Key<V>) -> V? {
        guard let at = index(of: key.id) else { return nil }
        let member = members[at]
        return withValue(member) { value in
            if member.kind == JSONKind.array.rawValue {
                var first: V?
                forEachElement(value) { element in
                    first = Self.read(element)
                    return first == nil
                }
                return first
            }
            return Self.read(value, hasEscapes: member.hasEscapes)
        }
    }

    /// All values of the field in order; a place that is null in an aligned list is left out.
    @_specialize(where V == String)
    @_specialize(where V == IPAddress)
    @_specialize(where V == IPNetwork)
    @_specialize(where V == UInt32)
    @_specialize(where V == Int)
    @_specialize(where V == Timestamp)
    public func all<V: FieldValue>(_ key: Key<V>) -> [V] { aligned(key).compactMap { $0 } }

    /// All values of the field in order, with nil where an aligned list has a gap.
    @_specialize(where V == String)
    @_specialize(where V == IPAddress)
    @_specialize(where V == IPNetwork)
    @_specialize(where V == UInt32)
    @_specialize(where V == Int)
    @_specialize(where V == Timestamp)
    public func aligned<V: FieldValue>(_ key: Key<V>) -> [V?] {
        guard let at = index(of: key.id) else { return [] }
        let member = members[at]
        return withValue(member) { value in
            guard member.kind == JSONKind.array.rawValue else { return [Self.read(value, hasEscapes: member.hasEscapes)] }
            var values: [V?] = []
            forEachElement(value) { element in
                values.append(Self.read(element))
                return true
            }
            return values
        }
    }

    /// Replaces all values. One value is written as a scalar, none removes the field; gaps (nil) at the end are cut.
    @_specialize(where V == String)
    @_specialize(where V == IPAddress)
    @_specialize(where V == IPNetwork)
    @_specialize(where V == UInt32)
    @_specialize(where V == Int)
    @_specialize(where V == Timestamp)
    public mutating func set<V: FieldValue>(_ key: Key<V>, to values: [V?]) {
        var values = values[...]
        while let last = values.last, last == nil { values = values.dropLast() }
        if values.isEmpty { return remove(key.id) }
        if values.count == 1, let only = values.first, let only { return write(key.id, only) }
        let start = own.count
        own.append(0x5B)
        for (index, value) in values.enumerated() {
            if index > 0 { own.append(0x2C) }
            if let value { value.appendField(to: &own) } else { own.append(contentsOf: "null".utf8) }
        }
        own.append(0x5D)
        adopt(key.id, from: start, kind: .array, hasEscapes: false)
    }

    /// Sets the field if it has no value yet, or if the worker's `overwrite` says so; nil is ignored.
    /// Returns whether the value was set.
    @discardableResult
    @_specialize(where V == String)
    @_specialize(where V == IPAddress)
    @_specialize(where V == IPNetwork)
    @_specialize(where V == UInt32)
    @_specialize(where V == Int)
    @_specialize(where V == Timestamp)
    public mutating func fill<V: FieldValue>(_ key: Key<V>, _ value: V?) -> Bool {
        guard let value, fillOverwrites || index(of: key.id) == nil else { return false }
        write(key.id, value)
        return true
    }

    /// Sets the value that belongs to the `place`-th value of an aligned list (0 is the most relevant), padding with null.
    @discardableResult
    @_specialize(where V == String)
    @_specialize(where V == IPAddress)
    @_specialize(where V == IPNetwork)
    @_specialize(where V == UInt32)
    @_specialize(where V == Int)
    @_specialize(where V == Timestamp)
    public mutating func fill<V: FieldValue>(_ key: Key<V>, _ value: V?, at place: Int) -> Bool {
        guard let value else { return false }
        if place == 0, index(of: key.id) == nil {
            write(key.id, value)
            return true
        }
        var values = aligned(key)
        while values.count <= place { values.append(nil) }
        guard fillOverwrites || values[place] == nil else { return false }
        values[place] = value
        set(key, to: values)
        return true
    }

    @_specialize(where V == String)
    @_specialize(where V == IPAddress)
    @_specialize(where V == IPNetwork)
    @_specialize(where V == UInt32)
    @_specialize(where V == Int)
    @_specialize(where V == Timestamp)
    mutating func write<V: FieldValue>(_ field: FieldID, _ value: V) {
        let start = own.count
        value.appendField(to: &own)
        let escaped = own[start] == 0x22 && own[(start + 1)...].contains(0x5C)
        adopt(field, from: start, kind: JSONKind(rawValue: own[start]) ?? .number, hasEscapes: escaped)
    }

    /// Reads one JSON scalar; nil for null and for what is not of the type.
    static func read<V: FieldValue>(_ value: ByteView, hasEscapes: Bool? = nil) -> V? {
        guard let first = value.first, first != 0x6E else { return nil }
        guard first == 0x22 else { return V(field: value) }
        let inside = ByteView(rebasing: value[1..<(value.count - 1)])
        guard hasEscapes ?? inside.contains(0x5C) else { return V(field: inside) }
        var plain: [UInt8] = []
        appendUnescaped(inside, to: &plain)
        return plain.withUnsafeBufferPointer { V(field: $0) }
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
        let escaped = kind == .string && own[(start + 1)...].contains(0x5C)
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
            if inside.contains(0x5C) { appendUnescaped(inside, to: &out) } else { out.append(contentsOf: inside) }
            return true
        }
    }

    /// The first value as an integer.
    public func firstInteger(_ field: FieldID) -> Int64? { self[Key<Int>(id: field)].map(Int64.init) }
}
