import SQLite

extension Salvage {
    /// Goes through the rows of a damaged table: in order while that works, then number by number over what cannot be read.
    struct Walk {
        private let database: SQLiteDatabase
        private let table: String
        private let key: String
        private var scan: SQLiteStatement?
        private var probe: SQLiteStatement?
        private var last: Int64 = 0
        private var end: Int64 = 0
        private var bound = SequenceSet.greatest
        private var misses = 0
        /// Whether some of the table could not be read.
        private(set) var hadErrors = false

        init(_ database: SQLiteDatabase, table: String, key: String, columns: String) {
            self.database = database
            self.table = table
            self.key = key
            scan = try? database.prepare("SELECT \(columns) FROM \(table) WHERE \(key) > 0 ORDER BY \(key)")
            hadErrors = scan == nil
            probe = try? database.prepare("SELECT \(columns) FROM \(table) WHERE \(key) = ?1")
            guard table == "body", let greatest = known(["SELECT max(sequence) FROM packet"]).first else { return }
            bound = greatest
        }

        /// The next readable row, valid until the next call; nil at the end.
        mutating func next() -> SQLiteStatement? {
            if let scan {
                do throws(SQLiteError) {
                    guard try scan.step() else { return nil }
                    // A number beyond all others is a damaged one: what comes after must still be looked for.
                    if scan.integer(0) <= bound { last = max(last, scan.integer(0)) }
                    return scan
                } catch {
                    self.scan = nil
                    hadErrors = true
                    end = min(max(last, min(greatestKey(), bound)) + 100_000, SequenceSet.greatest)
                    if last == 0 { last = leastKey() - 1 }
                }
            }
            guard let probe else { return nil }
            // A million numbers in a row without a row: nothing more is to be found.
            while last < end, misses < 1_000_000 {
                last += 1
                misses += 1
                probe.reset()
                guard (try? probe.bind(1, last)) != nil, (try? probe.step()) == true else { continue }
                misses = 0
                return probe
            }
            return nil
        }

        /// Where to stop: what the tables that can still be read know.
        private func greatestKey() -> Int64 {
            let queries =
                key == "sequence"
                ? ["SELECT max(sequence) FROM body", "SELECT max(sequence) FROM packet", "SELECT max(cursor) FROM edge"]
                : ["SELECT max(\(key)) FROM \(table)", "SELECT seq FROM sqlite_sequence WHERE name = '\(table)'"]
            return known(queries).max() ?? 0
        }

        /// Where to begin when even the first row is unreadable.
        private func leastKey() -> Int64 {
            guard table == "body" else { return 1 }
            let queries = ["SELECT min(sequence) FROM packet WHERE live = 1", "SELECT min(cursor) + 1 FROM edge"]
            return known(queries).min() ?? 1
        }

        private func known(_ queries: [String]) -> [Int64] {
            queries.compactMap { (try? database.integer($0)).flatMap { $0 } }.filter { $0 > 0 && $0 <= SequenceSet.greatest }
        }
    }

    /// Which packet belongs where: the list of packets says it too.
    struct Places {
        private let list: SQLiteStatement?
        private let search: SQLiteStatement?
        private let count: SQLiteStatement?
        private let greatest: Int64

        init(_ database: SQLiteDatabase) {
            list = try? database.prepare("SELECT id FROM packet WHERE sequence = ?1")
            search = try? database.prepare("SELECT sequence FROM packet WHERE id = ?1 AND live = 1")
            count = try? database.prepare("SELECT events FROM packet WHERE sequence = ?1 AND live = 1")
            let known = (try? database.integer("SELECT max(sequence) FROM packet")).flatMap { $0 }
            greatest = min(known ?? SequenceSet.greatest, SequenceSet.greatest - 100_000) + 100_000
        }

        /// The number of the packet of that id, found under `sequence`. A packet the list does not know keeps its number, where
        /// that is a likely one; else nil.
        func sequence(of id: String, at sequence: Int64) -> Int64? {
            guard let list, let search else { return sequence }
            do throws(SQLiteError) {
                list.reset()
                try list.bind(1, sequence)
                if try list.step(), list.text(0) == id { return sequence }
                search.reset()
                try search.bind(1, id)
                if try search.step() { return search.sequence(0) }
                return sequence <= greatest ? sequence : nil
            } catch {
                return sequence
            }
        }

        /// How many events the list of packets says it has.
        func events(of sequence: Int64) -> Int? {
            guard let count else { return nil }
            count.reset()
            guard (try? count.bind(1, sequence)) != nil, (try? count.step()) == true else { return nil }
            return count.events(0)
        }
    }

    /// The statements that fill the new file.
    struct Target {
        private let packet: SQLiteStatement
        private let body: SQLiteStatement
        private let edge: SQLiteStatement
        private let letter: SQLiteStatement

        init(_ database: SQLiteDatabase) throws(SQLiteError) {
            // A damaged index may show a row twice: the first wins.
            packet = try database.prepare("INSERT OR IGNORE INTO packet VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
            body = try database.prepare("INSERT OR IGNORE INTO body VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
            edge = try database.prepare("INSERT OR IGNORE INTO edge VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")
            letter = try database.prepare(
                "INSERT OR IGNORE INTO dead_letter VALUES (?12, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")
        }

        func insert(
            _ one: SpoolPacket, sequence: Int64, created: Int64, live: Bool, checksum: Int64
        ) throws(SQLiteError) {
            try Store.bind(one, sequence: sequence, created: created, live: live, to: packet)
            try packet.run()
            if live { try Store.insert(one, sequence: sequence, created: created, checksum: checksum, by: body) }
        }

        func write(_ row: EdgeRow) throws(SQLiteError) {
            try Store.bind(row, to: edge)
            try edge.run()
        }

        func insert(_ one: DeadLetter, id: Int64? = nil) throws(SQLiteError) {
            try Store.bind(one, to: letter)
            if let id { try letter.bind(12, id) } else { try letter.bindNull(12) }
            try letter.run()
        }
    }
}
