import CMaxMindDB

/// The part of a MaxMind search tree that belongs to one IP version.
///
/// libmaxminddb's own look-up starts at the top every time. Here the first 16 bits are one step through a table, which
/// spares most of the waiting for memory in trees of many megabytes.
// @unchecked: the handle is only read, and its owner keeps it open for as long as it keeps this value.
struct SearchTree: @unchecked Sendable {
    /// Where a step leads: to a node, to the place of a data record, or nowhere.
    enum Step {
        case node(UInt32)
        case record(UInt32)
        case nothing
    }

    private static let jumpBits = 16
    private static var noJump: UInt32 { .max }

    private let handle: UnsafePointer<MMDB_s>
    private let root: Step
    /// The node after the first 16 bits; `noJump` where the way ends before.
    private let jumps: [UInt32]
    private let width: Int

    /// The tree for IPv6; nothing in a database for IPv4 only.
    init(v6In handle: UnsafePointer<MMDB_s>) {
        self.init(handle, root: handle.pointee.metadata.ip_version == 6 ? .node(0) : .nothing, width: 128)
    }

    /// The tree for IPv4; in a database for both versions it lies under 96 zero bits.
    init(v4In handle: UnsafePointer<MMDB_s>) {
        var root = Step.node(0)
        for _ in 0..<(handle.pointee.metadata.ip_version == 6 ? 96 : 0) {
            guard case .node(let node) = root else { break }
            root = Self.step(handle, node, right: false)
        }
        self.init(handle, root: root, width: 32)
    }

    private init(_ handle: UnsafePointer<MMDB_s>, root: Step, width: Int) {
        self.handle = handle
        self.root = root
        self.width = width
        guard case .node(let node) = root else {
            jumps = []
            return
        }
        var level = [node]
        for _ in 0..<Self.jumpBits {
            var next = [UInt32](repeating: Self.noJump, count: level.count * 2)
            for (index, node) in level.enumerated() where node != Self.noJump {
                if case .node(let left) = Self.step(handle, node, right: false) { next[index * 2] = left }
                if case .node(let right) = Self.step(handle, node, right: true) { next[index * 2 + 1] = right }
            }
            level = next
        }
        jumps = level
    }

    /// The place of the record for an address, and the length of its network in bits of this version.
    ///
    /// - Parameter address: the number; for IPv4 in the low 32 bits.
    func find(_ address: UInt128) -> (place: UInt32, length: Int)? {
        guard case .node(var node) = root else {
            if case .record(let place) = root { return (place, 0) }
            return nil
        }
        var depth = 0
        let jump = jumps[Int(truncatingIfNeeded: address >> (width - Self.jumpBits)) & (jumps.count - 1)]
        if jump != Self.noJump {
            node = jump
            depth = Self.jumpBits
        }
        while depth < width {
            let bit = (address >> (width - 1 - depth)) & 1
            depth += 1
            switch Self.step(handle, node, right: bit == 1) {
            case .node(let next): node = next
            case .record(let place): return (place, depth)
            case .nothing: return nil
            }
        }
        return nil
    }

    private static func step(_ handle: UnsafePointer<MMDB_s>, _ node: UInt32, right: Bool) -> Step {
        var found = MMDB_search_node_s()
        guard MMDB_read_node(handle, node, &found) == MMDB_SUCCESS else { return .nothing }
        switch CInt(right ? found.right_record_type : found.left_record_type) {
        case MMDB_RECORD_TYPE_SEARCH_NODE:
            return .node(UInt32(truncatingIfNeeded: right ? found.right_record : found.left_record))
        case MMDB_RECORD_TYPE_DATA:
            return .record(right ? found.right_record_entry.offset : found.left_record_entry.offset)
        default:
            return .nothing
        }
    }
}
