/// First in, first out; taking from the front does not move the rest.
struct Queue<Element> {
    private var items: [Element?] = []
    private var head = 0

    var count: Int { items.count - head }
    var isEmpty: Bool { head == items.count }
    var first: Element? { isEmpty ? nil : items[head] }

    /// All that is in it, in order.
    var all: [Element] { items[head...].compactMap { $0 } }

    mutating func append(_ element: Element) { items.append(element) }

    mutating func popFirst() -> Element? {
        guard head < items.count else { return nil }
        let element = items[head]
        items[head] = nil
        head += 1
        if head == items.count {
            items.removeAll(keepingCapacity: items.count <= 1024)
            head = 0
        } else if head >= 1024, head * 2 > items.count {
            items.removeFirst(head)
            head = 0
        }
        return element
    }

    mutating func removeAll() -> [Element] {
        defer {
            items = []
            head = 0
        }
        return all
    }

    mutating func remove(where isIt: (Element) -> Bool) -> Element? {
        for at in head..<items.count {
            if let item = items[at], isIt(item) {
                items.remove(at: at)
                return item
            }
        }
        return nil
    }
}

extension Queue: Sendable where Element: Sendable {}

/// The newest packets, still in memory: an edge that keeps up never reads the disk.
struct HotPackets: Sendable {
    /// Bytes: an edge that is a fraction of a second behind is still served from memory, and a long backlog costs no more than this.
    static let limit = 8 << 20

    private var packets: [Int64: SpooledPacket] = [:]
    private var oldest: Int64 = 0
    private var bytes = 0
    let limit: Int

    init(limit: Int) { self.limit = limit }

    subscript(sequence: Int64) -> SpooledPacket? { packets[sequence] }
    var all: Dictionary<Int64, SpooledPacket>.Values { packets.values }

    /// Adds a packet that is newer than all others; the oldest go when there is no room.
    mutating func append(_ packet: SpooledPacket) {
        if packets.isEmpty { oldest = packet.sequence }
        packets[packet.sequence] = packet
        bytes += packet.packet.bytes.count
        while bytes > limit, oldest <= packet.sequence {
            remove(oldest)
            oldest += 1
        }
    }

    mutating func remove(_ sequence: Int64) {
        if let gone = packets.removeValue(forKey: sequence) { bytes -= gone.packet.bytes.count }
    }
}

/// About when each packet came, from few points: a second apart at first, coarser when there are many.
struct Timeline: Sendable {
    private var points: [(sequence: Int64, milliseconds: Int64)] = []
    private var spacing: Int64 = 1_000

    mutating func note(_ sequence: Int64, at milliseconds: Int64) {
        if let last = points.last, milliseconds >= last.milliseconds, milliseconds < last.milliseconds + spacing { return }
        points.append((sequence, milliseconds))
        guard points.count > 4_096 else { return }
        spacing *= 2
        points = points.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
    }

    /// When the packet came: the time of the last point at or before it.
    func time(of sequence: Int64) -> Int64? {
        var low = 0
        var high = points.count
        while low < high {
            let middle = (low + high) / 2
            if points[middle].sequence <= sequence { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? points[low - 1].milliseconds : points.first?.milliseconds
    }
}

/// The ids of the last packets, to give a packet sent twice one effect.
struct RecentIDs: Sendable {
    /// A UUID in 16 bytes, or the text itself. Upper and lower case of a UUID are one id.
    enum Key: Hashable, Sendable {
        case uuid(UInt64, UInt64)
        case text(String)

        init?(_ text: String) {
            guard !text.isEmpty, text.utf8.count <= 200 else { return nil }
            if let (high, low) = Key.uuid(text) { self = .uuid(high, low) } else { self = .text(text) }
        }

        private static func uuid(_ text: String) -> (UInt64, UInt64)? {
            guard text.utf8.count == 36 else { return nil }
            var words: (UInt64, UInt64) = (0, 0)
            var digits = 0
            for (at, byte) in text.utf8.enumerated() {
                if at == 8 || at == 13 || at == 18 || at == 23 {
                    guard byte == UInt8(ascii: "-") else { return nil }
                    continue
                }
                let digit: UInt8
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
                case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
                case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
                default: return nil
                }
                if digits < 16 { words.0 = words.0 << 4 | UInt64(digit) } else { words.1 = words.1 << 4 | UInt64(digit) }
                digits += 1
            }
            return words
        }
    }

    private var known: Set<Key> = []
    private var order = Queue<Key>()
    let limit: Int

    init(limit: Int) { self.limit = limit }

    func contains(_ key: Key) -> Bool { known.contains(key) }

    mutating func insert(_ key: Key) {
        guard known.insert(key).inserted else { return }
        order.append(key)
        if order.count > limit, let gone = order.popFirst() { known.remove(gone) }
    }
}
