import Glibc
import ServiceKernel

/// The wall clock of the services jumps to and fro (libfaketime); the clock that counts from the start of the machine does not.
struct ClockTrial {
    static let name = "clock jumps"
    /// The longest pause of delivery; a short run may share its machine with others.
    private var patience: Duration { .seconds(ground.isLong ? 5 : 15) }
    private let ground: Ground
    private let pair: Pair
    private let file: String

    static func run(_ ground: Ground) async throws(TortureError) -> Verdict {
        guard let library = library() else {
            return Verdict(name, .skipped, "libfaketime is not installed (apt-get install libfaketime)")
        }
        let file = "\(ground.root)/offset-of-clock"
        let pair = try Pair("clock", ground) { hop in
            hop.environment = [
                "LD_PRELOAD=\(library)", "FAKETIME_TIMESTAMP_FILE=\(file)", "FAKETIME_NO_CACHE=1",
                "FAKETIME_DONT_FAKE_MONOTONIC=1",
            ]
        }
        return try await ClockTrial(ground: ground, pair: pair, file: file).run()
    }

    private static func library() -> String? {
        for folder in fileNames(in: "/usr/lib") {
            let path = "/usr/lib/\(folder)/faketime/libfaketimeMT.so.1"
            if access(path, R_OK) == 0 { return path }
        }
        return nil
    }

    private func run() async throws(TortureError) -> Verdict {
        try set(0)
        try await pair.start()
        let hour = 3_600
        let jumps = [-24 * hour, hour, 0, -hour, 30 * 24 * hour, -600, -1, 24 * hour, 0]
        var slowest = Duration.zero
        var absurd: [String] = []
        var seen = 0
        try await pair.feeding(rate: 2_000, most: 50) { () async throws(TortureError) in
            for (number, jump) in (ground.isLong ? jumps + jumps + jumps : Array(jumps.prefix(4))).enumerated() {
                try set(jump)
                // Every third time a start falls into the other time.
                if number % 3 == 2 { try await pair.killFirst() }
                slowest = max(slowest, try await watch(.milliseconds(ground.isLong ? 1_500 : 500)))
                guard let page = await pair.page() else { continue }
                absurd += Self.absurd(page)
                if shows(page, jump) { seen += 1 }
            }
        }
        guard seen > 0 else { return Verdict(Self.name, .skipped, "libfaketime has no effect on this program") }
        for words in absurd { pair.ledger.report("absurd metric: \(words)") }
        if slowest > patience { pair.ledger.report("nothing was delivered for \(Outcome.number(slowest.inSeconds)) s") }
        return try await pair.verdict(
            Self.name,
            "\(seen) jumps between -1 d and +30 d, longest pause of delivery \(Outcome.number(slowest.inSeconds)) s")
    }

    private func set(_ seconds: Int) throws(TortureError) {
        do { try replaceFile(file, with: Array("\(seconds < 0 ? "" : "+")\(seconds)\n".utf8)) } catch {
            throw TortureError(error.detail)
        }
    }

    /// The longest time without a new row.
    private func watch(_ length: Duration) async throws(TortureError) -> Duration {
        let end = ContinuousClock.now + length
        var last = ContinuousClock.now
        var rows = Drain.rows(Hop.store(in: pair.root))
        var longest = Duration.zero
        while ContinuousClock.now < end || rows == 0 || longest < ContinuousClock.now - last {
            let now = Drain.rows(Hop.store(in: pair.root))
            if now > rows {
                longest = max(longest, ContinuousClock.now - last)
                (rows, last) = (now, .now)
                if ContinuousClock.now >= end { break }
            }
            if ContinuousClock.now - last > .seconds(30) { throw TortureError("nothing is delivered after a jump of the clock") }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return longest
    }

    /// Whether the service lives in the time that it was told.
    private func shows(_ page: String, _ jump: Int) -> Bool {
        let name = "intelmq_edge_last_success_timestamp_seconds"
        let values = page.split(separator: "\n").filter { $0.hasPrefix(name) }.compactMap { $0.split(separator: " ").last }
        guard let last = values.first.flatMap({ Double($0) }) else { return false }
        return abs(last - Double(time(nil)) - Double(jump)) < 30
    }

    /// Values that no clock excuses.
    private static func absurd(_ page: String) -> [String] {
        page.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
            guard let value = line.split(separator: " ").last.flatMap({ Double($0) }) else { return "no number: \(line)" }
            return value.isFinite && value >= 0 && value < 1e13 ? nil : String(line)
        }
    }
}
