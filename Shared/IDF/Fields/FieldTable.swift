import Glibc

/// The fields arranged for reading and writing: ids in writing order, a trie of names for reading, bytes for writing.
///
/// Ids follow the tree of names, so that the members of one sub-object are neighbours and an event is written
/// by opening and closing sub-objects in one pass.
final class FieldTable: @unchecked Sendable {
    static let shared = FieldTable()

    /// Rows by id.
    let fields: [Field]
    /// Types by id, apart from the rows, which cost reference counting.
    let types: [FieldType]
    let byName: [String: FieldID]
    /// Fields whose members are free: `custom`, `n6`, `misp`, `idea`; by name of the root.
    let open: [String: FieldID]
    static let openRoots = ["custom", "n6", "misp", "idea"]

    /// Node 0 is the root.
    struct Node {
        var name: String
        var parent: Int
        var children: [String: Int] = [:]
        var order: [Int] = []
        var field: FieldID?
        var isOpen = false
        var openField: FieldID?
    }
    let nodes: [Node]

    /// What reading and writing ask for every member, in plain memory: a row of `fields` costs reference counting to copy.
    struct Row {
        var type: FieldType
        var isMany: Bool
        /// Interior nodes above the leaf.
        var depth: UInt8
        /// Most bytes that stand around the value, with all its nodes opened and closed.
        var frame: UInt16
        /// Of a free root that may be one member: its other form; `none` elsewhere.
        var twin: UInt16
        /// Place of the dotted name among all names in byte order.
        var rank: UInt16
        var above: Above
        /// The leaf's key with its colon; empty for a free root.
        var key: ByteView
        /// The dotted name.
        var name: ByteView

        typealias Above = (UInt16, UInt16, UInt16, UInt16)

        /// The interior node at that level above the leaf.
        @inline(__always)
        func node(_ level: Int) -> Int {
            switch level {
            case 0: Int(above.0)
            case 1: Int(above.1)
            case 2: Int(above.2)
            default: Int(above.3)
            }
        }

        /// Whether it is a free root as one member.
        var isPacked: Bool { twin != FieldTable.none && !key.isEmpty }

        /// How many interior nodes a leaf has in common with one of `depth` below `other`.
        @inline(__always)
        func shared(with other: Above, _ depth: Int) -> Int {
            let levels = min(depth, Int(self.depth))
            if levels < 1 || above.0 != other.0 { return 0 }
            if levels < 2 || above.1 != other.1 { return 1 }
            if levels < 3 || above.2 != other.2 { return 2 }
            return levels < 4 || above.3 != other.3 ? 3 : 4
        }
    }
    let rows: UnsafeMutablePointer<Row>
    /// By node: the field that it is, the free root that it is; `none` for neither.
    let fieldOf: UnsafeMutablePointer<UInt16>
    let openOf: UnsafeMutablePointer<UInt16>
    /// By node: the free root as one member, where nothing below it is known; `none` elsewhere.
    let packedOf: UnsafeMutablePointer<UInt16>
    /// Free roots that may be one member: the id of their members, and the id as one member.
    let packed: [(open: FieldID, whole: FieldID)]
    static let none = UInt16.max
    /// By node: `"name":{`.
    let openings: UnsafeMutablePointer<ByteView>
    private let slots: UnsafeMutablePointer<Slot>
    private let keys: UnsafeMutablePointer<UInt8>
    private let mask: Int

    private struct Slot {
        var parent: UInt16 = 0
        var node: UInt16 = .max
        var length: UInt16 = 0
        var offset: UInt32 = 0
        var first: UInt64 = 0
        var last: UInt64 = 0
    }

    private init() {
        var nodes = [Node(name: "", parent: 0)]
        func insert(_ name: String) -> Int {
            var at = 0
            for part in name.split(separator: ".").map(String.init) {
                if let child = nodes[at].children[part] {
                    at = child
                } else {
                    nodes.append(Node(name: part, parent: at))
                    nodes[at].children[part] = nodes.count - 1
                    nodes[at].order.append(nodes.count - 1)
                    at = nodes.count - 1
                }
            }
            return at
        }
        var declared: [Int: Field] = [:]
        for field in Field.all {
            let node = insert(field.name)
            precondition(declared[node] == nil, "the field \(field.name) is declared twice")
            declared[node] = field
        }
        for root in Self.openRoots { nodes[insert(root)].isOpen = true }

        var fields: [Field] = []
        var paths: [(above: [UInt16], key: [UInt8])] = []
        var open: [String: FieldID] = [:]
        var packed: [(open: FieldID, whole: FieldID)] = []
        func visit(_ index: Int, _ above: [UInt16]) {
            if let field = declared[index] {
                nodes[index].field = FieldID(raw: UInt16(fields.count))
                fields.append(field)
                paths.append((above, Array("\"\(nodes[index].name)\":".utf8)))
            }
            let below = index == 0 ? above : above + [UInt16(index)]
            for child in nodes[index].order { visit(child, below) }
            if nodes[index].isOpen {
                if nodes[index].order.isEmpty {
                    packed.append((open: FieldID(raw: UInt16(fields.count + 1)), whole: FieldID(raw: UInt16(fields.count))))
                    fields.append(Field(nodes[index].name, .json, "Free members, as they came.", .own))
                    paths.append((above, Array("\"\(nodes[index].name)\":".utf8)))
                }
                let id = FieldID(raw: UInt16(fields.count))
                nodes[index].openField = id
                open[nodes[index].name] = id
                fields.append(Field(nodes[index].name, .json, "Free members.", .own))
                paths.append((below, []))
            }
        }
        visit(0, [])
        self.nodes = nodes
        self.fields = fields
        types = fields.map(\.type)
        self.open = open
        self.packed = packed
        let sorted = fields.indices.sorted { fields[$0].name.utf8.lexicographicallyPrecedes(fields[$1].name.utf8) }
        var twins: [Int: UInt16] = [:]
        for (open, whole) in packed { (twins[Int(open.raw)], twins[Int(whole.raw)]) = (whole.raw, open.raw) }
        // The table lives as long as the process, so plain memory serves it best.
        rows = .allocate(capacity: fields.count)
        for (rank, id) in sorted.enumerated() {
            let path = paths[id]
            precondition(path.above.count <= 4, "\(fields[id].name) is nested too deeply for the table")
            func above(_ place: Int) -> UInt16 { place < path.above.count ? path.above[place] : Self.none }
            // Of each node the quotes, the colon and two braces.
            let frame = path.above.reduce(1 + path.key.count) { $0 + nodes[Int($1)].name.utf8.count + 5 }
            (rows + id).initialize(
                to: Row(
                    type: fields[id].type, isMany: fields[id].isMany, depth: UInt8(path.above.count),
                    frame: UInt16(frame), twin: twins[id] ?? Self.none, rank: UInt16(rank),
                    above: (above(0), above(1), above(2), above(3)), key: Self.keep(path.key),
                    name: Self.keep(Array(fields[id].name.utf8))))
        }
        fieldOf = .allocate(capacity: nodes.count)
        openOf = .allocate(capacity: nodes.count)
        packedOf = .allocate(capacity: nodes.count)
        openings = .allocate(capacity: nodes.count)
        for (index, node) in nodes.enumerated() {
            (fieldOf + index).initialize(to: node.field?.raw ?? Self.none)
            (openOf + index).initialize(to: node.openField?.raw ?? Self.none)
            (packedOf + index).initialize(to: packed.first { $0.open == node.openField }?.whole.raw ?? Self.none)
            (openings + index).initialize(to: Self.keep(Array("\"\(node.name)\":{".utf8)))
        }
        var byName: [String: FieldID] = [:]
        for (index, field) in fields.enumerated() where declared.values.contains(where: { $0.name == field.name }) {
            if open[field.name] == nil { byName[field.name] = FieldID(raw: UInt16(index)) }
        }
        self.byName = byName

        var size = 1024
        while size < nodes.count * 4 { size *= 2 }
        slots = .allocate(capacity: size)
        slots.initialize(repeating: Slot(), count: size)
        keys = .allocate(capacity: nodes.reduce(0) { $0 + $1.name.utf8.count })
        var used = 0
        for (index, node) in nodes.enumerated().dropFirst() {
            let key = Array(node.name.utf8)
            let (first, last) = key.withUnsafeBufferPointer { Self.ends($0) }
            var at = Self.hash(node.parent, key.count, first, last) & (size - 1)
            while slots[at].node != .max { at = (at + 1) & (size - 1) }
            slots[at] = Slot(
                parent: UInt16(node.parent), node: UInt16(index), length: UInt16(key.count), offset: UInt32(used), first: first,
                last: last)
            for byte in key {
                keys[used] = byte
                used += 1
            }
        }
        mask = size - 1
    }

    /// Bytes that stay where they are for ever.
    private static func keep(_ bytes: [UInt8]) -> ByteView {
        let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, bytes.count))
        copy.initialize(from: bytes, count: bytes.count)
        return ByteView(start: copy, count: bytes.count)
    }

    /// The first and the last eight bytes of a name, of a shorter one the two halves that overlap: with the length they say
    /// what names of up to sixteen bytes are.
    @inline(__always)
    private static func ends(_ key: ByteView) -> (first: UInt64, last: UInt64) {
        let start = UnsafeRawPointer(key.baseAddress!)
        if key.count >= 8 {
            return (start.loadUnaligned(as: UInt64.self), (start + (key.count - 8)).loadUnaligned(as: UInt64.self))
        }
        if key.count >= 4 {
            return (
                UInt64(start.loadUnaligned(as: UInt32.self)),
                UInt64((start + (key.count - 4)).loadUnaligned(as: UInt32.self))
            )
        }
        var bytes: UInt64 = 0
        for byte in key { bytes = bytes << 8 | UInt64(byte) }
        return (bytes, bytes)
    }

    @inline(__always)
    private static func hash(_ parent: Int, _ count: Int, _ first: UInt64, _ last: UInt64) -> Int {
        var value = UInt64(truncatingIfNeeded: parent) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(count)
        value = (value ^ first) &* 0xFF51_AFD7_ED55_8CCD
        value = (value ^ value >> 32 ^ last) &* 0xC4CE_B9FE_1A85_EC53
        return Int(truncatingIfNeeded: value ^ value >> 29)
    }

    /// The child of a node by the bytes of its name, or nil.
    @inline(__always)
    func child(of parent: Int, named key: ByteView) -> Int? {
        guard !key.isEmpty else { return nil }
        let (first, last) = Self.ends(key)
        var at = Self.hash(parent, key.count, first, last) & mask
        while true {
            let slot = slots + at
            if slot.pointee.node == .max { return nil }
            if slot.pointee.first == first, slot.pointee.last == last, slot.pointee.parent == parent,
                slot.pointee.length == key.count,
                key.count <= 16 || memcmp(keys + Int(slot.pointee.offset), key.baseAddress!, key.count) == 0
            {
                return Int(slot.pointee.node)
            }
            at = (at + 1) & mask
        }
    }

    /// The dotted name of a node.
    func path(of node: Int) -> String {
        var parts: [String] = []
        var at = node
        while at != 0 {
            parts.append(nodes[at].name)
            at = nodes[at].parent
        }
        return parts.reversed().joined(separator: ".")
    }
}
