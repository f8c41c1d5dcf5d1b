/// The systems of a MaxMind database by the place of their data record; built once, then only read.
struct HolderTable: Sendable {
    private struct Slot: Sendable {
        /// The place of the record + 1, or 0 where the slot is free.
        var place: UInt32 = 0
        var index: UInt32 = 0
    }

    /// Open addressing; the count is a power of two.
    private var slots: [Slot]
    private let holders: [MaxMindReader.Holder]
    /// Whether every record of the database is here.
    let isComplete: Bool
    /// Whether any record names a system.
    let hasSystems: Bool

    subscript(place: UInt32) -> MaxMindReader.Holder? {
        var position = Self.position(of: place, slots.count)
        while slots[position].place != 0 {
            if slots[position].place == place &+ 1 { return holders[Int(slots[position].index)] }
            position = (position + 1) & (slots.count - 1)
        }
        return nil
    }

    private static func position(of place: UInt32, _ count: Int) -> Int {
        let mixed = UInt64(place) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 32) & (count - 1)
    }

    /// Collects records; equal systems share one holder and so one String.
    struct Builder {
        private struct Identity: Hashable {
            let number: UInt32
            let nameOffset: UInt32?
        }

        private let limit: Int
        private var indexOfPlace: [UInt32: UInt32] = [:]
        private var indexOfIdentity: [Identity: UInt32] = [:]
        private var holders: [MaxMindReader.Holder] = []
        private var isComplete = true
        private var hasSystems = false

        init(limit: Int) {
            self.limit = limit
        }

        /// Whether the record has not been seen yet.
        func wants(_ place: UInt32) -> Bool { indexOfPlace[place] == nil }

        mutating func add(_ place: UInt32, number: UInt32, nameOffset: UInt32?, name: () -> String?) {
            hasSystems = hasSystems || number != 0
            guard indexOfPlace.count < limit else {
                isComplete = false
                return
            }
            let identity = Identity(number: number, nameOffset: nameOffset)
            if let index = indexOfIdentity[identity] {
                indexOfPlace[place] = index
            } else {
                let index = UInt32(holders.count)
                indexOfIdentity[identity] = index
                indexOfPlace[place] = index
                holders.append(.init(number: number, name: name()))
            }
        }

        func finished() -> HolderTable {
            HolderTable(indexOfPlace: indexOfPlace, holders: holders, isComplete: isComplete, hasSystems: hasSystems)
        }
    }

    private init(indexOfPlace: [UInt32: UInt32], holders: [MaxMindReader.Holder], isComplete: Bool, hasSystems: Bool) {
        self.holders = holders
        self.isComplete = isComplete
        self.hasSystems = hasSystems
        var count = 16
        while count < indexOfPlace.count * 2 { count *= 2 }
        slots = [Slot](repeating: Slot(), count: count)
        for (place, index) in indexOfPlace {
            var position = Self.position(of: place, count)
            while slots[position].place != 0 { position = (position + 1) & (count - 1) }
            slots[position] = Slot(place: place &+ 1, index: index)
        }
    }
}
