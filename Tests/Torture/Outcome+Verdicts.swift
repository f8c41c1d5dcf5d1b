extension Outcome {
    /// Seconds from which on a storm has to reach its numbers.
    private static let wholeStorm = 200.0

    /// What was asked, line by line, and whether it holds.
    var verdicts: [Verdict] { (storm > 0 ? ofStorm : []) + trials }

    /// Whether anything does not hold.
    var fails: Bool { findings.count > 0 || verdicts.contains { $0.result == .fail } }

    /// A short storm is chance: what did not come up in it is no failure, only what went wrong is.
    private var isWhole: Bool { storm >= Self.wholeStorm }

    private var ofStorm: [Verdict] {
        let all = audit.rows - audit.unacknowledged
        let peak = peakMemory.max() ?? 0
        return [
            Verdict(
                "every acknowledged event is stored, payload intact", holds: findings.count == 0 && audit.isClean,
                "\(ledger.events) acknowledged, \(all) of them stored, \(audit.lost) lost, \(audit.damaged) damaged, "
                    + "\(audit.deadLetters) dead letters, \(findings.count) findings"),
            enough("kill -9 of random services", services.kills, of: 200),
            Verdict(
                "SIGSTOP and SIGCONT, SIGTERM", holds: !isWhole || services.stops > 0 && services.terminations > 0,
                "\(services.stops) and \(services.terminations)"),
            enough(
                "a database replaced under load", chaos.replaced + chaos.broken, of: 1_000, also: "\(chaos.broken) broken ones"),
            enough("reloads under load (SIGHUP)", services.reloads, of: 1_000, also: "\(services.hangups) signals"),
            Verdict(
                "slow, half-open and reset connections",
                holds: !isWhole || badClients.slow > 0 && badClients.half > 0 && badClients.resets > 0,
                "\(badClients.slow) dribbling or silent, \(badClients.half) never finished, \(badClients.resets) reset"),
            Verdict(
                "a packet posted twice has one effect", holds: (!isWhole || ledger.twice > 0) && audit.hasOneEffect,
                "\(ledger.twice + ledger.repeats) posts of packets that had been posted before; \(audit.accepted) events taken in, "
                    + "\(ledger.events) acknowledged"),
            Verdict(
                "memory", holds: peak > 0 && peak <= Self.memoryBound,
                "at most \(Outcome.number(Double(peak) / 1e6)) MB a service, allowed are \(Self.memoryBound / 1_000_000)"),
        ]
    }

    /// A number that only a whole storm has to reach.
    private func enough(_ name: String, _ number: Int, of wanted: Int, also words: String? = nil) -> Verdict {
        let aim = isWhole ? "at least \(wanted)" : "\(wanted) are only asked of \(Int(Self.wholeStorm)) s"
        return Verdict(
            name, holds: !isWhole || number >= wanted, "\(number) (\(aim))" + (words.map { ", \($0)" } ?? ""))
    }
}
