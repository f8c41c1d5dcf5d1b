import SQLite

/// What a spool's file holds, without the packets themselves.
struct Contents: Sendable {
    var last: Int64 = 0
    var rows: [EdgeRow] = []
    var packets = 0
    var bytes: Int64 = 0
    var deadLetters = 0
    var recent = RecentIDs(limit: Int(Store.rememberedIDs))
    var timeline = Timeline()
    /// Packets and events each edge has not acknowledged, by name.
    var backlogs: [String: (packets: Int, events: Int)] = [:]
    /// What was found wrong.
    var notes: [String] = []
}

extension Store {
    /// Brings the edges of the file in line with the graph, deletes what no edge needs, and counts.
    ///
    /// - Parameters:
    ///   - wanted: the edges of the graph; nil leaves those of the file. A new one begins with the next packet, or with the oldest when the file lost its edges.
    ///   - discard: edges outside the graph whose backlog is given up.
    ///   - salvaged: what a repair that was just made has found.
    ///   - tally: what was counted before; if packets at the end are missing, their events are lost.
    ///   - rows: the edges as they are, when memory knows better than the file.
    func reconcile(
        wanted: [String]?, discard: Set<String> = [], salvaged: Salvage.Result? = nil, tally: Tally.Contents? = nil,
        rows known: [EdgeRow]? = nil
    ) throws(SQLiteError) -> Contents {
        var contents = Contents()
        try database.transaction { () throws(SQLiteError) in
            if let known { contents.rows = known } else { contents.rows = try edges() }
            contents.last = try lastSequence(contents.rows)
            let before = contents.rows
            let counted = tally.flatMap { contents.last < $0.last ? $0.rows : nil } ?? []
            // Packets that are kept for somebody, but for whom is not known any more.
            let isOrphaned = try hasLivePackets() && before.isEmpty
            let fromStart = known == nil && isOrphaned
            if known == nil, salvaged == nil { try audit(contents.rows) }
            let wanted = wanted ?? contents.rows.filter { $0.until == nil }.map(\.name)
            contents.rows = Store.aligned(
                contents.rows, wanted: wanted, discard: discard, last: contents.last, fromStart: fromStart)
            if !fromStart || !contents.rows.isEmpty { try sweep(contents.rows, last: contents.last) }
            for at in contents.rows.indices {
                let backlog = try backlog(of: contents.rows[at])
                let name = contents.rows[at].name
                contents.backlogs[name] = backlog
                if fromStart {
                    contents.rows[at].lost = salvaged?.lostEvents ?? 0
                    contents.rows[at].accepted = contents.rows[at].lost + Int64(backlog.events)
                }
                let lost = contents.rows[at].compare(
                    counted.first { $0.name == name }, isNew: !before.contains { $0.name == name }, backlog: backlog.events)
                if lost > 0 { contents.notes.append("edge \(name): the files have lost \(lost) events that had been accepted") }
            }
            let wantedNames = Set(wanted)
            contents.rows.removeAll { !wantedNames.contains($0.name) && contents.backlogs[$0.name]?.packets == 0 }
            let kept = Set(contents.rows.map(\.name))
            for row in before where !kept.contains(row.name) { try remove(edge: row.name) }
            for row in contents.rows { try write(row) }
            try count(into: &contents)
        }
        return contents
    }

    private static func aligned(
        _ before: [EdgeRow], wanted: [String], discard: Set<String>, last: Int64, fromStart: Bool
    ) -> [EdgeRow] {
        let names = Set(wanted)
        var rows = before.filter { names.contains($0.name) || !discard.contains($0.name) }
        for at in rows.indices {
            if names.contains(rows[at].name) {
                // Back in the graph: what came in between was never meant for it.
                if let until = rows[at].until, until < last { rows[at].cover(until + 1...last) }
                rows[at].until = nil
            } else if rows[at].until == nil {
                rows[at].until = last
            }
        }
        let present = Set(rows.map(\.name))
        for name in names.subtracting(present).sorted() { rows.append(EdgeRow(name: name, cursor: fromStart ? 0 : last)) }
        return rows
    }

    /// Refuses a file whose accounts do not match its packets.
    ///
    /// A changed bit in a cursor makes packets look delivered, and nothing else would tell.
    private func audit(_ rows: [EdgeRow]) throws(SQLiteError) {
        for row in rows {
            let events = try backlog(of: row).events
            guard row.missing(backlog: events) != 0 else { continue }
            throw SQLiteError(
                code: 11, message: "edge \(row.name): \(row.account(backlog: events))", sql: "SELECT sum(events) FROM packet")
        }
    }

    func hasLivePackets() throws(SQLiteError) -> Bool {
        try database.integer("SELECT 1 FROM packet WHERE live = 1 LIMIT 1") != nil
    }

    /// Deletes the packets that no edge needs.
    private func sweep(_ rows: [EdgeRow], last: Int64) throws(SQLiteError) {
        var covered = SequenceSet(Int64.min...Int64.max)
        for row in rows { covered = covered.intersection(row.coverage) }
        for sql in ["DELETE FROM body WHERE", "UPDATE packet SET live = 0 WHERE live = 1 AND"] {
            let statement = try database.prepare(sql + " sequence BETWEEN ?1 AND ?2")
            for range in covered.ranges {
                try statement.bind(1, range.lowerBound)
                try statement.bind(2, range.upperBound)
                try statement.run()
            }
        }
        if last > Store.rememberedIDs { try forget(Int64.min...last - Store.rememberedIDs) }
    }

    func edges() throws(SQLiteError) -> [EdgeRow] { try Store.edges(of: database) }

    static func edges(of database: SQLiteDatabase) throws(SQLiteError) -> [EdgeRow] {
        let statement = try database.prepare(
            "SELECT \(EdgeRow.columns) FROM edge ORDER BY name")
        var rows: [EdgeRow] = []
        while try statement.step() { rows.append(EdgeRow(statement)) }
        return rows
    }

    private func lastSequence(_ rows: [EdgeRow]) throws(SQLiteError) -> Int64 {
        let stored = [
            try database.integer("SELECT max(sequence) FROM packet") ?? 0,
            try database.integer("SELECT max(sequence) FROM body") ?? 0,
        ]
        let known = rows.flatMap { row -> [Int64] in [row.cursor, row.until ?? 0, row.ahead.ranges.last?.upperBound ?? 0] }
        return max(0, (stored + known).max() ?? 0)
    }

    func backlog(of row: EdgeRow) throws(SQLiteError) -> (packets: Int, events: Int) {
        try Store.backlog(of: row, in: database)
    }

    static func backlog(
        of row: EdgeRow, in database: SQLiteDatabase
    ) throws(SQLiteError) -> (packets: Int, events: Int) {
        let statement = try database.prepare(
            "SELECT count(*), coalesce(sum(events), 0) FROM packet WHERE live = 1 AND sequence BETWEEN ?1 AND ?2")
        func count(_ lower: Int64, _ upper: Int64) throws(SQLiteError) -> (packets: Int, events: Int) {
            guard lower <= upper else { return (0, 0) }
            defer { statement.reset() }
            try statement.bind(1, lower)
            try statement.bind(2, upper)
            _ = try statement.step()
            return (Int(statement.integer(0)), Int(statement.integer(1)))
        }
        let end = row.until ?? Int64.max
        var result = try count(row.cursor + 1, end)
        for range in row.ahead.ranges {
            let done = try count(range.lowerBound, min(range.upperBound, end))
            result.packets -= done.packets
            result.events -= done.events
        }
        return result
    }

    private func count(into contents: inout Contents) throws(SQLiteError) {
        let totals = try database.prepare(
            "SELECT count(*), coalesce(sum(size), 0), min(sequence) FROM packet WHERE live = 1")
        _ = try totals.step()
        contents.packets = Int(totals.integer(0))
        contents.bytes = totals.integer(1)
        let first = totals.integer(2)
        contents.deadLetters = Int(try database.integer("SELECT count(*) FROM dead_letter") ?? 0)

        let ids = try database.prepare("SELECT id FROM packet WHERE sequence > ?1 ORDER BY sequence")
        try ids.bind(1, contents.last - Store.rememberedIDs)
        while try ids.step() {
            if let key = ids.text(0).flatMap(RecentIDs.Key.init) { contents.recent.insert(key) }
        }
        guard contents.packets > 0 else { return }
        let sample = try database.prepare("SELECT sequence, created FROM packet WHERE sequence >= ?1 ORDER BY sequence LIMIT 1")
        for sequence in stride(from: first, through: contents.last, by: max(1, Int((contents.last - first) / 1_000))) {
            try sample.bind(1, sequence)
            if try sample.step() { contents.timeline.note(sample.integer(0), at: sample.integer(1)) }
            sample.reset()
        }
    }
}

extension EdgeRow {
    static let columns = "name, cursor, until, ahead, acknowledged, dead_lettered, dropped, accepted, lost"

    /// An edge from `columns`.
    init(_ statement: SQLiteStatement) {
        // The numbers of a damaged row are at least such that they can be added up.
        self.init(
            name: statement.text(0) ?? "", cursor: statement.sequence(1),
            until: statement.isNull(2) ? nil : statement.sequence(2),
            ahead: SequenceSet(encoded: statement.bytes(3)), acknowledged: statement.sequence(4),
            deadLettered: statement.sequence(5), dropped: statement.sequence(6), accepted: statement.sequence(7),
            lost: statement.sequence(8))
    }
}
