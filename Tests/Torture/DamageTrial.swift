import Glibc
import ServiceKernel

/// The files of a killed service's spool change on the disk. That may cost events, but the service starts, keeps what is readable,
/// delivers nothing that is not as it was sent, and counts what is gone.
struct DamageTrial {
    static let name = "bit flipped, file cut in a spool"
    private let ground: Ground
    private let pair: Pair
    private var dice: Dice

    private enum Blow: CaseIterable { case flipFile, cutLog, flipLog, cutFile, wipePage, emptyFile }

    static func run(_ ground: Ground) async throws(TortureError) -> Verdict {
        let pair = try Pair("damage", ground) { $0.spoolLimit = "64 MiB" }
        var trial = DamageTrial(ground: ground, pair: pair, dice: Dice(seed: ground.options.seed &+ 77))
        return try await trial.run()
    }

    private mutating func run() async throws(TortureError) -> Verdict {
        try await pair.start()
        let rounds = ground.isLong ? 36 : 4
        var problems: [String] = []
        var (missing, counted) = (0, 0)
        for round in 0..<rounds {
            let blow = Blow.allCases[round % Blow.allCases.count]
            let what = try await strike(blow, isAway: round % 4 != 3)
            let before = (missing, counted)
            (missing, counted) = try await settle()
            // The accounts go on from round to round: what was counted too much before must not hide anything now.
            if missing - before.0 > counted - before.1 {
                problems.append(
                    "round \(round + 1), \(what): \(missing - before.0) events are gone, and \(counted - before.1) are counted")
            }
        }
        for hop in pair.hops { await pair.supervisor.retire(hop.number) }
        let result = try Audit(hops: pair.hops, root: pair.root, ledger: pair.ledger, expectsDamage: true).run()
        let findings = pair.ledger.findings
        let words =
            "\(rounds) times; \(pair.ledger.counts.events) events acknowledged, \(result.lost) gone, \(counted) counted as lost or "
            + "dead letters, \(result.damaged) delivered damaged, \(result.setAside) damaged files set aside"
        return Verdict(
            Self.name, holds: findings.count == 0 && problems.isEmpty && result.damaged + result.strangers + result.halfSent == 0,
            ([words] + problems + findings.words.prefix(5)).joined(separator: "\n    "))
    }

    /// Packets come, the service is killed, its files change, it starts again.
    private mutating func strike(_ blow: Blow, isAway: Bool) async throws(TortureError) -> String {
        var dice = self.dice
        defer { self.dice = dice }
        if isAway { pair.holdSecond() }
        let from = pair.ledger.counts.packets
        let packets = Int.random(in: 20...60, using: &dice)
        var what = ""
        try await pair.feeding(rate: 20_000, most: 100) { () async throws(TortureError) in
            try await pair.wait(for: "acknowledged packets") { pair.ledger.counts.packets >= from + packets }
            try await pair.killFirst { what = Self.change(blow, pair.hops[0].state, &dice) }
            try await pair.wait(for: "acknowledged packets after damage") { pair.ledger.counts.packets >= from + packets + 5 }
        }
        pair.supervisor.hold(2, false)
        return what
    }

    /// Waits until the spool is empty, and answers how many acknowledged events are missing and how many are counted.
    private func settle() async throws(TortureError) -> (missing: Int, counted: Int) {
        try await pair.wait(60, for: "an empty spool") {
            let events = await pair.metric("intelmq_spool_events")
            return events == 0
        }
        var drain = Drain(pair.ledger.records, root: pair.root)
        try drain.look()
        let lost = await pair.metric("intelmq_edge_events_lost_total") ?? 0
        let letters = await pair.metric("intelmq_edge_events_dead_lettered_total") ?? 0
        return (drain.missing.count, Int(lost + letters))
    }

    /// Changes a file; answers what was done to it.
    private static func change(_ blow: Blow, _ state: String, _ dice: inout Dice) -> String {
        let isLog = blow == .flipLog || blow == .cutLog
        let path = state + (isLog ? "/spool.sqlite-wal" : "/spool.sqlite")
        let file = open(path, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { return "nothing: there is no \(path)" }
        defer { close(file) }
        let size = lseek(file, 0, SEEK_END)
        guard size > 0 else { return "nothing: \(path) is empty" }
        let at = Int.random(in: 0..<size, using: &dice)
        switch blow {
        case .flipFile, .flipLog:
            var byte: UInt8 = 0
            pread(file, &byte, 1, at)
            byte ^= 1 << UInt8.random(in: 0..<8, using: &dice)
            pwrite(file, &byte, 1, at)
            return "a bit of byte \(at) of \(size) flipped in \(path)"
        case .cutFile, .cutLog:
            ftruncate(file, at)
            return "\(path) cut from \(size) to \(at) bytes"
        case .wipePage:
            let page = [UInt8](repeating: 0x5a, count: 32_768)
            pwrite(file, page, page.count, at / page.count * page.count)
            return "the page at \(at / page.count * page.count) of \(size) overwritten in \(path)"
        case .emptyFile:
            ftruncate(file, 0)
            return "\(path) emptied"
        }
    }
}
