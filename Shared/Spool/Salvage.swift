import Glibc
import SQLite

/// Reads what can be read of a damaged file into a new one that then takes its place.
struct Salvage {
    let files: SpoolFiles
    private var packets = 0
    private var damaged = 0
    private var lostPackets = 0
    private var lostEvents = 0
    private var letters = 0
    private var edges: [EdgeRow] = []

    private init(files: SpoolFiles) { self.files = files }

    /// Replaces the file by what is readable of it. No connection to it may be open.
    ///
    /// - Parameter edges: the edges as memory has them; nil reads them from the file.
    /// - Returns: what was done, for people, and whether the edges' cursors are known.
    static func run(
        _ files: SpoolFiles, because reason: String, edges: [EdgeRow]? = nil
    ) throws(SpoolError) -> (note: String, knowsEdges: Bool) {
        var salvage = Salvage(files: files)
        do throws(SQLiteError) {
            try salvage.copy(edges)
        } catch {
            throw .disk("cannot write the repaired spool \(files.repairing): \(error); the damaged file is untouched")
        }
        guard rename(files.repairing, files.repaired) == 0 else { throw files.refused("rename", files.repairing, errno) }
        files.syncDirectory()
        let aside = files.exchange(at: milliseconds(CLOCK_REALTIME) / 1_000) ?? "?"
        var note = "\(files.main) was damaged (\(reason)) and is set aside as \(aside); kept: \(salvage.packets) packets, "
        note += "\(salvage.letters) dead letters; lost: \(salvage.lostPackets) packets with \(salvage.lostEvents) events; "
        note += "changed on the disk and now dead letters: \(salvage.damaged) packets"
        if salvage.edges.isEmpty { note += "; the cursors were unreadable, so that every edge gets all kept packets again" }
        return (note, !salvage.edges.isEmpty)
    }

    private mutating func copy(_ known: [EdgeRow]?) throws(SQLiteError) {
        unlink(files.repairing)
        do {
            let new = try SQLiteDatabase(path: files.repairing)
            try new.execute("PRAGMA page_size = \(Store.pageSize); PRAGMA auto_vacuum = INCREMENTAL; PRAGMA secure_delete = OFF")
            try new.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = FULL")
            try new.transaction { () throws(SQLiteError) in
                try new.execute(Store.schema)
                try fill(new, known)
                try new.execute("PRAGMA application_id = \(Store.applicationID); PRAGMA user_version = \(Store.version)")
            }
        }
    }

    private mutating func fill(_ new: SQLiteDatabase, _ known: [EdgeRow]?) throws(SQLiteError) {
        let target = try Target(new)
        if let old = openDamaged() {
            try copyEdges(old, target, known)
            try copyPackets(old, target)
            try copyLetters(old, target)
        } else {
            try copyEdges(nil, target, known)
        }
    }

    // The damaged file.

    private func openDamaged() -> SQLiteDatabase? {
        if let old = readable() { return old }
        // The first page says where the tables are, which is the same in every spool: lend it that of a new one.
        return lendFirstPage() ? readable() : nil
    }

    private func readable() -> SQLiteDatabase? {
        guard let old = try? SQLiteDatabase(path: files.main, access: .readOnly) else { return nil }
        // A file shorter than its header says is refused otherwise.
        guard (try? old.execute("PRAGMA writable_schema = ON")) != nil else { return nil }
        for table in ["packet", "body", "edge", "dead_letter"] {
            guard (try? old.prepare("SELECT rowid FROM \(table)")) != nil || table == "edge" else { return nil }
        }
        return old
    }

    private func lendFirstPage() -> Bool {
        let template = files.repairing + "-page"
        unlink(template)
        defer { unlink(template) }
        do throws(SQLiteError) {
            let database = try SQLiteDatabase(path: template)
            try database.execute("PRAGMA page_size = \(Store.pageSize); PRAGMA auto_vacuum = INCREMENTAL")
            try Store.create(in: database)
        } catch {
            return false
        }
        let from = open(template, O_RDONLY | O_CLOEXEC)
        let to = open(files.main, O_RDWR | O_CLOEXEC)
        defer {
            close(from)
            close(to)
        }
        var status = stat()
        var page = [UInt8](repeating: 0, count: Store.pageSize)
        guard from >= 0, to >= 0, fstat(to, &status) == 0, status.st_size >= page.count,
            pread(from, &page, page.count, 0) == page.count
        else { return false }
        let pages = UInt32(clamping: Int(status.st_size) / page.count)
        for at in 0..<4 { page[28 + at] = UInt8(truncatingIfNeeded: pages >> (24 - 8 * UInt32(at))) }
        page[18] = 2
        page[19] = 2
        return pwrite(to, page, page.count, 0) == page.count
    }

    // The tables. An error of the old file is skipped, one of the new file ends the salvage.

    private mutating func copyEdges(_ old: SQLiteDatabase?, _ target: Target, _ known: [EdgeRow]?) throws(SQLiteError) {
        edges = known ?? []
        if known == nil, let old {
            do throws(SQLiteError) {
                let rows = try old.prepare(
                    "SELECT name, cursor, until, ahead, acknowledged, dead_lettered, dropped FROM edge")
                while try rows.step() { edges.append(EdgeRow(rows)) }
            } catch {
                // Those read so far count.
            }
        }
        for edge in edges { try target.write(edge) }
    }

    private mutating func copyPackets(_ old: SQLiteDatabase, _ target: Target) throws(SQLiteError) {
        var kept = SequenceSet()
        var walk = Walk(old, table: "body", key: "sequence", columns: "sequence, id, events, created, checksum, bytes")
        let places = Places(old)
        while let row = walk.next() {
            let bytes = row.bytes(5)
            let packet = SpoolPacket(id: row.text(1) ?? "", events: row.events(2), bytes: bytes)
            guard let sequence = places.sequence(of: packet.id, at: row.sequence(0)) else {
                damaged += 1
                try target.insert(.damaged(packet, edge: nil))
                continue
            }
            kept.insert(sequence)
            let isSound = checksum(bytes) == row.integer(4)
            try target.insert(packet, sequence: sequence, created: row.integer(3), live: isSound, checksum: row.integer(4))
            if isSound {
                packets += 1
            } else {
                damaged += 1
                try target.insert(.damaged(packet, edge: nil))
            }
        }
        walk = Walk(old, table: "packet", key: "sequence", columns: "sequence, id, events, created, live")
        while let row = walk.next() {
            let sequence = row.sequence(0)
            if kept.contains(sequence) { continue }
            if row.integer(4) == 0 {
                let packet = SpoolPacket(id: row.text(1) ?? "", events: row.events(2), bytes: [])
                try target.insert(packet, sequence: sequence, created: row.integer(3), live: false, checksum: 0)
            } else {
                // Its id is not kept: who sends it again shall be heard.
                lostPackets += 1
                lostEvents += row.events(2)
            }
        }
    }

    private mutating func copyLetters(_ old: SQLiteDatabase, _ target: Target) throws(SQLiteError) {
        var walk = Walk(old, table: "dead_letter", key: "id", columns: DeadLetter.columns)
        while let row = walk.next() {
            try target.insert(DeadLetter(row), id: row.integer(0))
            letters += 1
        }
    }
}

extension DeadLetter {
    /// A packet that is not what was appended: kept whole, for a person to look at.
    static func damaged(_ packet: SpoolPacket, edge: String?) -> DeadLetter {
        let now = milliseconds(CLOCK_REALTIME)
        return DeadLetter(
            eventID: "", packetID: packet.id, worker: "", edge: edge, code: "spool-damaged",
            detail: "the packet's bytes changed on the disk; it held \(packet.events) events", tries: 0, firstTime: now,
            lastTime: now, original: packet.bytes, mediaType: "application/octet-stream")
    }
}
