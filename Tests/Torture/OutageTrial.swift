import Glibc

/// The next hop is away for as long as the storm lasts, and the spool grows and grows; memory must not.
struct OutageTrial {
    static let name = "downstream down while the spool grows"
    private let ground: Ground
    private let pair: Pair

    static func run(_ ground: Ground) async throws(TortureError) -> Verdict {
        try await OutageTrial(ground: ground, pair: try Pair("outage", ground)).run()
    }

    private func run() async throws(TortureError) -> Verdict {
        try await pair.start()
        pair.holdSecond()
        let begin = ContinuousClock.now
        let length = Duration.seconds(ground.options.seconds * 0.9)
        let early = try await pair.feeding(rate: 1_500) { () async throws(TortureError) in
            try? await Task.sleep(until: begin + length / 4)
            let early = pair.supervisor.memory(1)
            try? await Task.sleep(until: begin + length)
            return early
        }
        let late = pair.supervisor.memory(1)
        let waiting = await pair.metric("intelmq_spool_bytes") ?? 0
        // Upgraded or just started again with all that in it.
        pair.supervisor.terminate(1)
        try await pair.wait(for: "the end of hop-1") { pair.supervisor.counts.starts >= 3 }
        pair.supervisor.hold(2, false)
        func megabytes(_ bytes: Int) -> String { "\(Outcome.number(Double(bytes) / 1e6)) MB" }
        let words =
            "\(Outcome.number(length.inSeconds)) s; spool \(megabytes(Int(waiting))); memory of the service "
            + "\(megabytes(early)) after a quarter of it, \(megabytes(late)) at its end"
        // What is kept in memory on purpose must be full before anything can be said.
        if ground.isLong, late > early + 32_000_000 {
            pair.ledger.report("memory grows with the spool: \(words)")
        }
        let verdict = try await pair.verdict(Self.name, words)
        let peak = pair.supervisor.peakMemory.max() ?? 0
        guard peak > Outcome.memoryBound else { return verdict }
        return Verdict(Self.name, .fail, "\(verdict.words)\n    \(megabytes(peak)) of memory")
    }
}
