import IDF
import ServiceKernel

/// What a run showed.
struct Outcome {
    let seed: UInt64
    /// Seconds of the storm, and from its end until everything was stored.
    var storm = 0.0
    var drain = 0.0
    var services = Supervisor.Counts()
    var chaos = Chaos.Counts()
    var badClients = BadClients.Counts()
    var ledger = Ledger.Counts()
    var audit = Audit.Result()
    /// Events that came to the last hop again while the rest was delivered after the storm.
    var deliveredAgain: Int?
    var peakMemory: [Int] = []
    var findings: (count: Int, words: [String]) = (0, [])
    /// What the trials beside the storm said.
    var trials: [Verdict] = []

    /// Bytes that no service may have in memory.
    static let memoryBound = 150_000_000

    private var figures: [(name: String, what: String, value: String)] {
        var figures: [(name: String, what: String, value: String)] = [
            ("seed", "seed", String(seed)), ("seconds", "seconds of the storm", Self.number(storm)),
            ("seconds-drain", "seconds until the rest was delivered", Self.number(drain)),
            ("kills", "kill -9", String(services.kills)), ("stops", "SIGSTOP and SIGCONT", String(services.stops)),
            ("terminations", "SIGTERM", String(services.terminations)), ("reloads", "reloads", String(services.reloads)),
            ("hangups", "SIGHUP", String(services.hangups)),
            ("starts", "starts of services", String(services.starts)),
            ("starts-refused", "of them refused for a broken database", String(services.refusedStarts)),
            ("early-ends", "ended by SIGTERM or SIGHUP while starting", String(services.earlyEnds)),
            ("slowest-end", "slowest end after SIGTERM, s", Self.number(services.slowestEnd)),
            ("outages", "outages of the last hop", String(chaos.outages)),
            ("replacements", "databases replaced by a valid one", String(chaos.replaced)),
            ("replacements-broken", "databases replaced by a broken one", String(chaos.broken)),
            ("bad-clients", "broken, slow and silent connections", String(badClients.all)),
            ("packets", "packets acknowledged", String(ledger.packets)), ("events", "events acknowledged", String(ledger.events)),
            ("repeats", "posts repeated", String(ledger.repeats)), ("twice", "posts made twice on purpose", String(ledger.twice)),
            ("accepted", "events that the first hop took in, in its own count", String(audit.accepted)),
            ("rows", "events stored", String(audit.rows)),
            ("unacknowledged", "of them never acknowledged (allowed)", String(audit.unacknowledged)),
        ]
        if let deliveredAgain {
            figures.append(("delivered-again", "events delivered again after the storm", String(deliveredAgain)))
        }
        figures += [
            ("left", "packets left in spools (allowed)", String(audit.leftInSpools)), ("lost", "LOST", String(audit.lost)),
            ("damaged", "DAMAGED", String(audit.damaged)), ("dead-letters", "DEAD LETTERS", String(audit.deadLetters)),
            ("half-sent", "STORED though never sent whole", String(audit.halfSent)),
            ("strangers", "STORED though never sent", String(audit.strangers)),
            ("spools-damaged", "SPOOLS found damaged", String(audit.setAside)),
            ("findings", "FINDINGS in all", String(findings.count)),
        ]
        for (place, bytes) in peakMemory.enumerated() {
            let name = "memory-hop-\(place + 1)"
            figures.append((name, "peak memory of hop \(place + 1), MB", Self.number(Double(bytes) / 1e6)))
        }
        return figures
    }

    func print(json: Bool) {
        if json {
            var members = figures.map { JSONValue.Member($0.name, .number($0.value)) }
            members += verdicts.map { .init($0.name, .string("\($0.result.rawValue): \($0.words)")) }
            members.append(.init("words", .array(findings.words.map { .string($0) })))
            return put(String(decoding: JSONValue.object(members).bytes, as: UTF8.self))
        }
        for figure in figures {
            put(figure.what.padded(52) + figure.value)
        }
        for word in findings.words { put("finding: \(word)") }
        if findings.count > findings.words.count { put("and \(findings.count - findings.words.count) more") }
        for verdict in verdicts {
            put("\(verdict.result.rawValue.padded(8))\(verdict.name): \(verdict.words)")
        }
    }

    /// With one decimal place.
    static func number(_ value: Double) -> String { value.isFinite ? "\((value * 10).rounded() / 10)" : "0" }
}

extension String {
    fileprivate func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
