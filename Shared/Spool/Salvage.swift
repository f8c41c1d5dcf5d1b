import Glibc
import SQLite

/// Reads what can be read of a damaged file into a new one that then takes its place.
struct Salvage {
    let files: SpoolFiles
    /// What the process that has the spool open knows better than the file.
    struct Known {
        let edges: [EdgeRow]
        /// Packets in memory that some edge still needs, and when they came.
        let packets: [(packet: SpooledPacket, created: Int64)]
    }

    /// What was done.
    struct Result {
        let note: String
        /// Events of packets that could not be read.
        let lostEvents: Int64
        /// What changes in the accounts of the edges, by name.
        let corrections: [String: Correction]
    }

    private let known: Known?
    /// What is read: the file itself, or a copy that holds more of its log than SQLite would take.
    private var source: String
    private var packets = 0
    private var damaged = 0
    private var lostPackets = 0
    private var lostEvents = 0
    private var letters = 0
    private var books: Books

    private init(files: SpoolFiles, known: Known?) {
        self.files = files
        source = files.main
        self.known = known
        books = Books(known?.edges ?? [])
    }

    /// Replaces the file by what is readable of it. No connection to it may be open.
    ///
    /// - Parameter known: what memory knows better than the file.
    static func run(_ files: SpoolFiles, because reason: String, known: Known? = nil) throws(SpoolError) -> Result {
        var salvage = Salvage(files: files, known: known)
        files.removeTemporary()
        defer { files.removeTemporary() }
        if let log = SpoolLog(path: files.log), log.damage != nil {
            try log.replay(onto: files.main, as: files.replayed)
            salvage.source = files.replayed
        }
        do throws(SQLiteError) {
            try salvage.copy()
        } catch {
            throw .disk("cannot write the repaired spool \(files.repairing): \(error); the damaged file is untouched")
        }
        guard rename(files.repairing, files.repaired) == 0 else { throw files.refused("rename", files.repairing, errno) }
        files.syncDirectory()
        let aside = files.exchange(at: milliseconds(CLOCK_REALTIME) / 1_000) ?? "?"
        var note = "\(files.main) was damaged (\(reason)) and is set aside as \(aside); kept: \(salvage.packets) packets, "
        note += "\(salvage.letters) dead letters; lost: \(salvage.lostPackets) packets with \(salvage.lostEvents) events; "
        note += "changed on the disk and now dead letters: \(salvage.damaged) packets"
        if salvage.books.rows.isEmpty {
            note += "; the cursors were unreadable, so that every edge gets all kept packets again"
        }
        for words in salvage.books.notes { note += "; " + words }
        return Result(note: note, lostEvents: Int64(salvage.lostEvents), corrections: salvage.books.corrections)
    }

    private mutating func copy() throws(SQLiteError) {
        unlink(files.repairing)
        do {
            // With narrow rights from the beginning: SQLite would make it for everyone to read.
            close(open(files.repairing, O_RDWR | O_CREAT | O_CLOEXEC, 0o640))
            let new = try SQLiteDatabase(path: files.repairing)
            try new.execute("PRAGMA page_size = \(Store.pageSize); PRAGMA auto_vacuum = INCREMENTAL; PRAGMA secure_delete = OFF")
            try new.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = FULL")
            try new.transaction { () throws(SQLiteError) in
                try new.execute(Store.schema)
                try fill(new)
                try new.execute("PRAGMA application_id = \(Store.applicationID); PRAGMA user_version = \(Store.version)")
            }
        }
    }

    private mutating func fill(_ new: SQLiteDatabase) throws(SQLiteError) {
        let target = try Target(new)
        let old = openDamaged()
        if known == nil, let old { readEdges(old) }
        let kept = try copyKnown(target)
        if let old {
            try copyPackets(old, target, kept)
            try copyLetters(old, target)
        }
        books.close(trustsCursors: known != nil)
        for edge in books.rows { try target.write(edge) }
    }

    // The damaged file.

    private func openDamaged() -> SQLiteDatabase? {
        if let old = readable() { return old }
        // The first page says where the tables are, which is the same in every spool: lend it that of a new one.
        return lendFirstPage() ? readable() : nil
    }

    private func readable() -> SQLiteDatabase? {
        guard let old = try? SQLiteDatabase(path: source, access: .readOnly) else { return nil }
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
        let to = open(source, O_RDWR | O_CLOEXEC)
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

    private mutating func readEdges(_ old: SQLiteDatabase) {
        var edges: [EdgeRow] = []
        do throws(SQLiteError) {
            let rows = try old.prepare("SELECT \(EdgeRow.columns) FROM edge")
            while try rows.step() { edges.append(EdgeRow(rows)) }
        } catch {
            // Of an edge that is missing nobody would notice that its packets are not delivered: rather all to all again.
            edges = []
        }
        books = Books(edges)
    }

    private mutating func copyKnown(_ target: Target) throws(SQLiteError) -> SequenceSet {
        var kept = SequenceSet()
        for (one, created) in known?.packets ?? [] where !kept.contains(one.sequence) {
            kept.insert(one.sequence)
            try target.insert(
                one.packet, sequence: one.sequence, created: created, live: true, checksum: checksum(one.packet.bytes))
            packets += 1
            books.enter(.kept, one.sequence, one.packet.events)
        }
        return kept
    }

    private mutating func copyPackets(
        _ old: SQLiteDatabase, _ target: Target, _ known: SequenceSet
    ) throws(SQLiteError) {
        var kept = known
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
            if kept.contains(sequence) { continue }
            kept.insert(sequence)
            let isSound = checksum(bytes) == row.integer(4)
            try target.insert(packet, sequence: sequence, created: row.integer(3), live: isSound, checksum: row.integer(4))
            if isSound {
                packets += 1
                books.enter(.kept, sequence, packet.events)
            } else {
                damaged += 1
                books.enter(.buried, sequence, places.events(of: sequence) ?? packet.events)
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
                books.enter(.lost, sequence, row.events(2))
            }
        }
        books.isListWhole = !walk.hadErrors
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
