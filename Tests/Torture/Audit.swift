import Glibc
import IDF
import SQLite
import ServiceKernel

/// Compares what is stored with what was promised, once all services have ended.
struct Audit {
    struct Result: Sendable {
        var rows = 0
        /// Acknowledged events that are neither stored nor a dead letter.
        var lost = 0
        var deadLetters = 0
        /// Rows that differ from what was sent, or were not enriched.
        var damaged = 0
        /// Rows of events that were never sent to their end, and of events that nobody sent.
        var halfSent = 0
        var strangers = 0
        /// Rows of events that were sent whole but never acknowledged; allowed.
        var unacknowledged = 0
        /// Packets still in spools; allowed, they only may come twice.
        var leftInSpools = 0
        /// Spools that were found damaged.
        var setAside = 0
        /// Events that the first hop took in, in its own count; one that comes twice counts once.
        var accepted = 0
        /// Events that all spools count as lost.
        var countedLost = 0

        /// Whether all is as it must be where nothing was damaged.
        var isClean: Bool {
            lost + damaged + halfSent + strangers + deadLetters + setAside + countedLost == 0 && hasOneEffect
        }

        /// Whether what was posted several times has one effect.
        var hasOneEffect = true
    }

    let hops: [Hop]
    let root: String
    let ledger: Ledger
    /// Whether spools were damaged on purpose: then what is gone is only counted.
    var expectsDamage = false

    func run() throws(TortureError) -> Result {
        let records = ledger.records
        var owner: [UUID: UInt32] = [:]
        owner.reserveCapacity(records.reduce(0) { $0 + $1.events.count })
        for (number, record) in records.enumerated() { for id in record.events { owner[id] = UInt32(number) } }
        var result = Result()
        var stored: Set<UUID> = []
        do throws(SQLiteError) {
            try readRows(records, owner, &result, &stored)
            for hop in hops { try readSpool(hop, owner, &result, &stored) }
        } catch {
            throw TortureError("cannot check what is stored: \(error)")
        }
        if !expectsDamage { result.hasOneEffect = isTakenOnce(records, result.accepted) }
        for record in records {
            guard case .acknowledged(let time) = record.fate else { continue }
            let lost = record.events.filter { !stored.contains($0) }
            guard !lost.isEmpty else { continue }
            result.lost += lost.count
            guard !expectsDamage else { continue }
            ledger.report(
                "LOST \(lost.count) of \(record.events.count) events of packet \(record.packet), acknowledged at "
                    + "\(Outcome.number(time)) s, the first is \(lost[0])\(trace(record))")
        }
        return result
    }

    /// The first hop took what it acknowledged, and not more than was sent.
    private func isTakenOnce(_ records: [Ledger.Record], _ accepted: Int) -> Bool {
        var (least, most) = (0, 0)
        for record in records {
            switch record.fate {
            case .acknowledged:
                least += record.events.count
                most += record.events.count
            case .sent: most += record.events.count
            case .half: break
            }
        }
        if (least...most).contains(accepted) { return true }
        ledger.report("\(hops[0].name) took \(accepted) events; it acknowledged \(least), and there were \(most) in all")
        return false
    }

    private func readRows(
        _ records: [Ledger.Record], _ owner: [UUID: UInt32], _ result: inout Result, _ stored: inout Set<UUID>
    ) throws(SQLiteError) {
        let database = try SQLiteDatabase(path: Hop.store(in: root), access: .readWrite)
        let check = try database.prepare("PRAGMA quick_check(1)")
        if try check.step(), let words = check.text(0), words != "ok" { ledger.report("the store is damaged: \(words)") }
        let isLookedUp = hops.contains { $0.worker == "asn-lookup-expert" }
        let statement = try database.prepare("SELECT id, source_ip, source_url, source_asn, taxonomy, event FROM events")
        while try statement.step() {
            result.rows += 1
            guard let id = statement.withBytes(0, { UUID($0) }), let number = owner[id] else {
                result.strangers += 1
                ledger.report("a stored event was sent by nobody: \(statement.text(0) ?? "no id")")
                continue
            }
            let record = records[Int(number)]
            switch record.fate {
            case .acknowledged: stored.insert(id)
            case .sent: result.unacknowledged += 1
            case .half:
                result.halfSent += 1
                ledger.report("an event is stored whose packet \(record.packet) was never sent to its end: \(id)")
            }
            if let difference = Self.difference(id, statement, isLookedUp: isLookedUp) {
                result.damaged += 1
                ledger.report("event \(id) of packet \(record.packet) is not as it was sent: \(difference)")
            }
        }
    }

    /// What is wrong with a row; nil: nothing.
    private static func difference(_ id: UUID, _ row: SQLiteStatement, isLookedUp: Bool) -> String? {
        guard let event = try? JSONValue(parsing: row.bytes(5)) else { return "the column event is no JSON" }
        let link = Load.link(of: id)
        if event["custom"]?["payload"]?.string != Load.payload(of: id) { return "custom.payload" }
        if event["url"]?["full"]?.string != link || row.text(2) != link { return "url.full" }
        if row.text(1) != Load.address(of: id) { return "source_ip" }
        if isLookedUp, Load.isAnnounced(id), row.isNull(3) { return "it has no source_asn, so hop \(Hop.lookUp) did not see it" }
        if row.text(4) != Load.taxonomy { return "taxonomy" }
        return nil
    }

    /// Dead letters, of which there should be none, and what is left.
    private func readSpool(
        _ hop: Hop, _ owner: [UUID: UInt32], _ result: inout Result, _ stored: inout Set<UUID>
    ) throws(SQLiteError) {
        for name in fileNames(in: hop.state) where name.contains(".corrupt-") && !name.hasSuffix("-wal") {
            result.setAside += 1
            if !expectsDamage { ledger.report("\(hop.name) found its spool damaged: \(name)") }
        }
        let path = "\(hop.state)/spool.sqlite"
        guard access(path, F_OK) == 0 else { return }
        let database = try SQLiteDatabase(path: path, access: .readWrite)
        result.leftInSpools += Int(try database.integer("SELECT count(*) FROM packet WHERE live = 1") ?? 0)
        let edges = try database.prepare("SELECT accepted, lost FROM edge")
        while try edges.step() {
            if hop.number == 1 { result.accepted += Int(edges.integer(0)) }
            result.countedLost += Int(edges.integer(1))
        }
        let letters = try database.prepare("SELECT event_id, worker, edge, code, detail FROM dead_letter")
        while try letters.step() {
            result.deadLetters += 1
            let words = (0...4).map { letters.text($0) ?? "-" }.joined(separator: ", ")
            if !expectsDamage { ledger.report("unexpected dead letter in \(hop.name): \(words)") }
            if let id = letters.withBytes(0, { UUID($0) }), owner[id] != nil { stored.insert(id) }
        }
    }

    /// Where a packet got to: every hop derives its own id of it, and spools remember theirs.
    private func trace(_ record: Ledger.Record) -> String {
        var id = record.packet
        var words = ""
        for hop in hops.prefix(3) {
            id = .derived(from: id.bytes + hop.name.utf8 + record.events.flatMap(\.bytes))
            guard hop.isDurable else { continue }
            words += "; spool of \(hop.name): "
            let database = try? SQLiteDatabase(path: "\(hop.state)/spool.sqlite", access: .readWrite)
            let statement = try? database?.prepare("SELECT sequence, live FROM packet WHERE id = ?1")
            try? statement?.bind(1, id.description)
            guard let statement, (try? statement.step()) == true else {
                words += "\(id) is not known"
                continue
            }
            words += "\(id) is number \(statement.integer(0)), " + (statement.integer(1) == 1 ? "still there" : "delivered")
        }
        return words
    }
}
