/// One event: values of fields, free members, and an identity that it keeps from birth to store.
///
/// An event is a value. Its members are spans of JSON, in the bytes of the packet they came with or in the event's
/// own; so a hop that changes two fields copies the other thirty through as they are. Workers see typed accessors only:
///
/// ```swift
/// if let address = event[.sourceIP] { event.fill(.sourceASNumber, 64496) }
/// ```
public struct Event: Sendable {
    /// The event's identity (UUIDv7): the idempotency key of every output.
    public var id: UUID
    /// Sorted by field; of a free root (`custom`…) one member per name.
    var members: ContiguousArray<Member>
    /// Values set since decoding, as JSON.
    var own: [UInt8] = []
    var base: SourceBytes?
    /// Whether `base` is the packet the event came in, where its members stand as JSON, one after the other.
    var isWire = false
    /// Whether `fill` replaces values that are there: the worker-wide setting `overwrite`, set by the kernel.
    public var fillOverwrites = false

    struct Member: Sendable {
        var field: FieldID
        /// Length of `"name":` in front of the value; 0 unless the member is free.
        var keyLength: UInt16
        var offset: UInt32
        var length: UInt32
        var kind: UInt8
        var isOwn: Bool
        var hasEscapes: Bool

        var valueOffset: Int { Int(offset) + Int(keyLength) }
        var valueLength: Int { Int(length) - Int(keyLength) }
    }

    /// A new event without members.
    /// - Parameter reserving: room for so many members, where their number is known.
    public init(id: UUID = .v7(), reserving room: Int = 0) {
        self.id = id
        members = []
        base = nil
        guard room > 0 else { return }
        members.reserveCapacity(room)
        own.reserveCapacity(room * 40)
    }

    /// Calls `body` with the bytes of a member: name and value of a free one, else the value.
    @inline(__always)
    func withBytes<R>(_ member: Member, _ body: (ByteView) -> R) -> R {
        if member.isOwn {
            return own.withUnsafeBufferPointer {
                body(ByteView(rebasing: $0[Int(member.offset)..<(Int(member.offset) + Int(member.length))]))
            }
        }
        return body(base!.view(Int(member.offset), Int(member.length)))
    }

    /// Calls `body` with the JSON bytes of a member's value.
    @inline(__always)
    func withValue<R>(_ member: Member, _ body: (ByteView) -> R) -> R {
        withBytes(member) { body(ByteView(rebasing: $0[Int(member.keyLength)...])) }
    }

    /// Index of the member of that field, or nil. Of a free root: of its first member.
    @inline(__always)
    func index(of field: FieldID) -> Int? {
        var low = 0
        var high = members.count
        while low < high {
            let middle = (low + high) >> 1
            if members[middle].field.raw < field.raw { low = middle + 1 } else { high = middle }
        }
        return low < members.count && members[low].field == field ? low : nil
    }

    /// Where a member of that field would be inserted: after those of lower fields and, of free ones, after their peers.
    func place(for field: FieldID) -> Int {
        var at = members.count
        while at > 0, members[at - 1].field.raw > field.raw { at -= 1 }
        return at
    }

    /// Puts the JSON value at the end of `own` (from `start`) into the member of `field`, replacing what was there.
    mutating func adopt(_ field: FieldID, from start: Int, kind: JSONKind, hasEscapes: Bool) {
        let member = Member(
            field: field, keyLength: 0, offset: UInt32(start), length: UInt32(own.count - start), kind: kind.rawValue,
            isOwn: true, hasEscapes: hasEscapes)
        // Parsers add fields in any order, hops mostly know the place: look from the end.
        let at = place(for: field)
        if at > 0, members[at - 1].field == field {
            members[at - 1] = member
        } else {
            insert(member, at: at)
        }
    }

    mutating func insert(_ member: Member, at place: Int) {
        if place == members.count { members.append(member) } else { members.insert(member, at: place) }
    }

    /// Whether the event has a value of that field.
    public func has(_ field: FieldID) -> Bool { index(of: field) != nil }

    /// Removes all values of that field.
    public mutating func remove(_ field: FieldID) {
        if let at = index(of: field) { members.remove(at: at) }
    }

    /// Removes all values of that field.
    public mutating func remove<V>(_ key: Key<V>) { remove(key.id) }

    /// The fields the event has, in writing order; a free root once.
    public var fields: [FieldID] {
        var found: [FieldID] = []
        for member in members where found.last != member.field { found.append(member.field) }
        return found
    }

    /// Whether the event has no member.
    public var isEmpty: Bool { members.isEmpty }
}

extension Event {
    /// A new event with the members of another, which every event of a report begins with.
    /// - Parameter room: bytes that the values to come will take, so that a parser allocates once.
    public init(copying template: Event, reserving room: Int = 2048) {
        self.init(id: .v7(), members: [], own: [], base: template.base)
        members.reserveCapacity(template.members.count + 32)
        members.append(contentsOf: template.members)
        own.reserveCapacity(template.own.count + room)
        own.append(contentsOf: template.own)
    }

    init(id: UUID, members: ContiguousArray<Member>, own: [UInt8], base: SourceBytes?) {
        self.id = id
        self.members = members
        self.own = own
        self.base = base
    }
}
