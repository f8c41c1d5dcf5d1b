import IDF

/// Finds objects of a report by their ids: hashes and places, sorted once; the ids themselves stay in the report's text.
struct STIXIndex {
    private struct Entry {
        /// Seeded anew in each process, so that nobody can choose ids that have the same.
        var hash: Int
        /// Where the id begins, behind its quote.
        var id: Int
        var object: Range<Int>
    }

    private var entries: [Entry] = []

    var isEmpty: Bool { entries.isEmpty }

    /// Remembers an object by its id.
    /// - Parameter id: where the id stands, with its quotes.
    mutating func add(_ id: Range<Int>, _ object: Range<Int>, in text: ByteView) {
        guard id.count > 2 else { return }
        let hash = Self.hash(ByteView(rebasing: text[(id.lowerBound + 1)..<(id.upperBound - 1)]))
        entries.append(Entry(hash: hash, id: id.lowerBound + 1, object: object))
    }

    /// Must be called after the last `add` and before the first look-up.
    mutating func sort() { entries.sort { $0.hash < $1.hash || $0.hash == $1.hash && $0.id < $1.id } }

    /// The object of that id; of several the last.
    func find(_ id: String, in text: ByteView) -> Range<Int>? {
        if entries.isEmpty { return nil }
        var id = id
        return id.withUTF8 { id in
            let hash = Self.hash(id)
            var low = 0
            var high = entries.count
            while low < high {
                let middle = (low + high) / 2
                if entries[middle].hash <= hash { low = middle + 1 } else { high = middle }
            }
            while low > 0, entries[low - 1].hash == hash {
                low -= 1
                let found = text[entries[low].id...]
                if found.count > id.count, found[found.startIndex + id.count] == 0x22, found.starts(with: id) {
                    return entries[low].object
                }
            }
            return nil
        }
    }

    private static func hash(_ id: ByteView) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(id))
        return hasher.finalize()
    }
}
