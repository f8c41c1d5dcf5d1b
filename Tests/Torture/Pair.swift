import Glibc
import HTTP
import IDF
import SQLite

/// A small workflow for one trial: a durable expert (hop 1) before the SQL output (hop 2), with a ledger of its own.
struct Pair: Sendable {
    let root: String
    let hops: [Hop]
    let ledger = Ledger()
    let supervisor: Supervisor
    private let ground: Ground

    /// - Parameter change: what is different about hop 1.
    init(_ name: String, _ ground: Ground, change: (inout Hop) -> Void = { _ in }) throws(TortureError) {
        self.ground = ground
        root = "\(ground.root)/\(name)"
        mkdir(root, 0o750)
        var hops = try Hop.make(["taxonomy-expert", "sql-output"], durable: [1], in: root)
        change(&hops[0])
        for hop in hops { try hop.configure() }
        self.hops = hops
        supervisor = try Supervisor(ground.options.binary, hops, ledger)
    }

    /// Has the services run from now on.
    func start() async throws(TortureError) {
        ground.add(supervisor)
        guard await supervisor.waitUntilReady(ground.client, seconds: 20) else {
            throw TortureError("its services do not start: \(ledger.findings.words.last ?? "")")
        }
    }

    /// Posts packets while `body` does something.
    /// - Parameters:
    ///   - rate: events a second.
    ///   - most: events of a packet at most.
    func feeding<R>(
        rate: Double, most: Int = 500, _ body: () async throws(TortureError) -> R
    ) async throws(TortureError) -> R {
        let end = ContinuousClock.now + .seconds(86_400)
        let tasks = (0..<2).map { number in
            var producer = Producer(
                hop: hops[0], client: ground.client, load: ground.load, ledger: ledger, rate: rate / 2, end: end, lastCall: end)
            producer.most = most
            let seed = ground.options.seed &+ UInt64(number)
            return Task { [producer] in await producer.run(seed: seed) }
        }
        func stop() async {
            for task in tasks { task.cancel() }
            for task in tasks { await task.value }
        }
        do throws(TortureError) {
            let result = try await body()
            await stop()
            return result
        } catch {
            await stop()
            throw error
        }
    }

    /// Waits until something is so.
    func wait(_ seconds: Double = 30, for what: String, _ isSo: () async -> Bool) async throws(TortureError) {
        let end = ContinuousClock.now + .seconds(seconds)
        while await !isSo() {
            guard ContinuousClock.now < end else {
                let logs = hops.map { Machine.tail($0.log, lines: 4) }.joined(separator: "\n")
                throw TortureError("\(what) did not happen within \(seconds) s; the ends of the logs:\n\(logs)")
            }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Kills hop 1 and keeps it down; `whileDown` may do something to its files.
    func killFirst(_ whileDown: () -> Void = {}) async throws(TortureError) {
        supervisor.hold(1, true)
        supervisor.slay(1)
        try await wait(for: "the end of a killed process") { !supervisor.isRunning(1) }
        whileDown()
        supervisor.hold(1, false)
        guard await supervisor.waitUntilReady(ground.client, hop: 1, seconds: 20) else {
            throw TortureError("hop-1 does not start again: \(ledger.findings.words.last ?? "")")
        }
    }

    func holdSecond() {
        supervisor.hold(2, true)
        supervisor.slay(2)
    }

    /// The page of metrics of hop 1; nil while it does not answer.
    func page() async -> String? {
        let request = HTTPClientRequest(url: "\(hops[0].url)/metrics", timeoutMilliseconds: 2_000)
        guard let answer = try? await ground.client.send(request), answer.status == 200 else { return nil }
        return String(decoding: answer.body, as: UTF8.self)
    }

    /// The sum of a metric of hop 1.
    func metric(_ name: String) async -> Double? {
        guard let page = await page() else { return nil }
        let lines = page.split(separator: "\n").filter { $0.hasPrefix(name + " ") || $0.hasPrefix(name + "{") }
        return lines.reduce(0) { $0 + ($1.split(separator: " ").last.flatMap { Double($0) } ?? 0) }
    }

    /// Ends all, and compares what is stored with what was acknowledged.
    func audit() async throws(TortureError) -> Audit.Result {
        for hop in hops { await supervisor.retire(hop.number) }
        return try Audit(hops: hops, root: root, ledger: ledger).run()
    }

    /// The verdict of a trial in which nothing may be lost.
    func verdict(_ name: String, _ words: String) async throws(TortureError) -> Verdict {
        try await Drain.all(of: ledger, in: root)
        let result = try await audit()
        let findings = ledger.findings
        let seen = "\(words); \(ledger.counts.events) events acknowledged, \(result.lost) lost, \(result.damaged) damaged"
        return Verdict(
            name, holds: findings.count == 0 && result.isClean, ([seen] + findings.words.prefix(5)).joined(separator: "\n    "))
    }
}
