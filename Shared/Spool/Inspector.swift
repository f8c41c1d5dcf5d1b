import Glibc
import SQLite

/// Looks into a spool's file without changing anything; another process may have it open.
struct Inspector {
    let files: SpoolFiles
    private let database: SQLiteDatabase

    init(_ files: SpoolFiles) throws(SQLiteError) {
        self.files = files
        database = try SQLiteDatabase(path: files.main, access: .readOnly)
        // Who is the last to close the file would otherwise take its log away.
        try database.keepLogFile()
    }

    var formatVersion: Int {
        get throws(SQLiteError) { Int(try database.integer("PRAGMA user_version") ?? 0) }
    }

    var isSpool: Bool {
        get throws(SQLiteError) { try database.integer("PRAGMA application_id") == Store.applicationID }
    }

    /// Everything of one moment.
    func inspection(limit: Int) throws(SQLiteError) -> SpoolInspection {
        try database.transaction(.deferred) { () throws(SQLiteError) in
            let rows = try Store.edges(of: database)
            let totals = try database.prepare("SELECT count(*), coalesce(sum(size), 0) FROM packet WHERE live = 1")
            _ = try totals.step()
            return SpoolInspection(
                directory: files.directory, formatVersion: try formatVersion, fileBytes: files.size(files.main),
                logBytes: files.size(files.log), isInUse: files.isInUse, edges: try edges(rows),
                packetCount: Int(totals.integer(0)), packetBytes: totals.integer(1),
                deadLetters: Int(try database.integer("SELECT count(*) FROM dead_letter") ?? 0),
                packets: try packets(rows, limit: limit), setAside: files.setAside)
        }
    }

    private func edges(_ rows: [EdgeRow]) throws(SQLiteError) -> [SpoolStatus.Edge] {
        var edges: [SpoolStatus.Edge] = []
        for row in rows {
            var state = EdgeState(row: row)
            (state.backlogPackets, state.backlogEvents) = try Store.backlog(of: row, in: database)
            edges.append(SpoolStatus.Edge(state))
        }
        return edges
    }

    private func packets(_ rows: [EdgeRow], limit: Int) throws(SQLiteError) -> [SpoolInspection.Packet] {
        let statement = try database.prepare(
            "SELECT sequence, id, events, size, created FROM packet WHERE live = 1 ORDER BY sequence LIMIT ?1")
        try statement.bind(1, Int64(max(0, limit)))
        var packets: [SpoolInspection.Packet] = []
        while try statement.step() {
            let sequence = statement.integer(0)
            packets.append(
                SpoolInspection.Packet(
                    sequence: sequence, id: statement.text(1) ?? "", events: statement.events(2),
                    bytes: Int(statement.integer(3)), created: statement.integer(4),
                    neededBy: rows.filter { !$0.covers(sequence) }.map(\.name)))
        }
        return packets
    }

    // What is wrong.

    /// At most so many problems of one kind are told.
    private static let most = 20

    /// What SQLite finds wrong with the structure of the file.
    func structure() throws(SQLiteError) -> [String] {
        let statement = try database.prepare("PRAGMA integrity_check(\(Self.most))")
        var problems: [String] = []
        while try statement.step() {
            if let words = statement.text(0), words != "ok" { problems.append("structure: \(words)") }
        }
        return problems
    }

    /// Packets that changed or are missing, and accounts that do not add up, all as of one moment.
    func contents() throws(SQLiteError) -> [String] {
        try database.transaction(.deferred) { () throws(SQLiteError) in
            var problems = try changed()
            let (list, bodies) = ("SELECT sequence FROM packet WHERE live = 1", "SELECT sequence FROM body")
            for (sql, words) in [
                ("\(list) EXCEPT \(bodies)", "has no content"), ("\(bodies) EXCEPT \(list)", "is not in the list"),
            ] {
                let statement = try database.prepare(sql + " ORDER BY 1")
                var count = 0
                while try statement.step() {
                    count += 1
                    if count <= Self.most { problems.append("packet \(statement.integer(0)) \(words)") }
                }
                if count > Self.most { problems.append("… \(count) packets altogether: \(words)") }
            }
            for row in try Store.edges(of: database) {
                let events = try Store.backlog(of: row, in: database).events
                if row.missing(backlog: events) != 0 { problems.append("edge \(row.name): \(row.account(backlog: events))") }
            }
            return problems
        }
    }

    private func changed() throws(SQLiteError) -> [String] {
        let statement = try database.prepare("SELECT sequence, id, checksum, bytes FROM body ORDER BY sequence")
        var problems: [String] = []
        var count = 0
        while try statement.step() {
            let sum = statement.withBytes(3) { checksum(of: $0) }
            if sum == statement.integer(2) { continue }
            count += 1
            if count <= Self.most {
                problems.append("packet \(statement.integer(0)) (\(statement.text(1) ?? "")) is not what was written")
            }
        }
        if count > Self.most { problems.append("… \(count) packets altogether are not what was written") }
        return problems
    }
}
