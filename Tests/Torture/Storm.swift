import Glibc
import HTTP
import IDF
import ServiceKernel
import Synchronization

/// One run: start, storm, calm, drain, audit. The main thread does what concerns processes, tasks do the rest.
final class Storm: Sendable {
    private enum Weather { case calm, storm }

    private static let producers = 4
    /// Events a second, so modest that the services, not the load, are what is tried.
    private static let rate = 4000.0

    private let options: Options
    private let ground: Ground
    private let root: String
    private let hops: [Hop]
    private let ledger = Ledger()
    private let supervisor: Supervisor
    private let database: [UInt8]
    private let weather = Mutex(Weather.calm)
    /// What was done in the storm, once it is over.
    private let struck = Mutex<(chaos: Chaos.Counts, badClients: BadClients.Counts)?>(nil)
    /// What is going on, for a run that does not end.
    private let parts = Mutex<[String]>([])
    /// The exit code, once there is one.
    private let code = Mutex<Int32?>(nil)

    init(_ options: Options, root: String) throws(TortureError) {
        self.options = options
        self.root = root
        let source = "deploy/demo/asn.mmdb"
        guard let database = readFile(source) else {
            throw TortureError("there is no \(source) here; run this from the root of the source tree")
        }
        self.database = database
        do { try replaceFile(Hop.database(in: root), with: database) } catch { throw TortureError(error.detail) }
        ground = try Ground(options, root: root)
        hops = try Hop.five(in: root)
        for hop in hops { try hop.configure() }
        supervisor = try Supervisor(options.binary, hops, ledger)
    }

    // MARK: the main thread

    /// Several times what it takes.
    private var longest: Duration { .seconds(480 + 10 * options.seconds) }

    /// Works until the run is over (nil) or one of the signals comes. A run that does not come to its end is ended with what it was
    /// doing, and with the stacks of all threads where SWIFT_BACKTRACE asks for them.
    func main(until signals: inout sigset_t) -> (code: Int32, signal: Int32?) {
        let end = ContinuousClock.now + longest
        // For this very thread, should it be the one that hangs.
        alarm(UInt32(longest.inSeconds) + 60)
        Task.detached { await self.run() }
        var chaos: Chaos?
        var clients = BadClients(hops, ground.load, ledger, seed: options.seed &+ 1)
        var pause = timespec(tv_sec: 0, tv_nsec: 3_000_000)
        while true {
            let signal = sigtimedwait(&signals, nil, &pause)
            if signal > 0 {
                for supervisor in ground.supervisors { supervisor.endAll() }
                return (128 + signal, signal)
            }
            if let code = code.withLock({ $0 }) {
                for supervisor in ground.supervisors { supervisor.endAll() }
                return (code, nil)
            }
            let now = ContinuousClock.now
            if now > end {
                say("error: stuck after \(longest.inSeconds) s in: \(parts.withLock { $0.joined(separator: ", ") })")
                for word in ledger.findings.words { say("finding: \(word)") }
                for supervisor in ground.supervisors { supervisor.endAll() }
                abort()
            }
            switch (weather.withLock { $0 }, chaos) {
            case (.storm, nil):
                chaos = Chaos(
                    supervisor, seed: options.seed, killEvery: options.killEvery, seconds: options.seconds, root: root,
                    database: database)
            case (.storm, _):
                chaos?.tick(now)
                clients.tick(now)
            case (.calm, let ended?):
                ended.calm()
                clients.leave()
                struck.withLock { $0 = (ended.counts, clients.counts) }
                chaos = nil
            case (.calm, nil): break
            }
            for supervisor in ground.supervisors { supervisor.tick(now) }
        }
    }

    // MARK: the run

    private func run() async {
        var outcome = Outcome(seed: options.seed)
        var result: Int32 = 1
        do throws(TortureError) {
            // The spool of an outage grows beside the storm; the other trials follow.
            async let outage = options.has(.outage) ? trial(OutageTrial.name, OutageTrial.run) : nil
            if options.has(.storm) { try await run(&outcome) }
            outcome.trials += await [outage].compactMap { $0 }
            outcome.trials += await tryAll()
            outcome.findings = ledger.findings
            outcome.print(json: options.json)
            result = outcome.fails ? 1 : 0
        } catch {
            for word in ledger.findings.words { say("finding: \(word)") }
            say("error: \(error.text)")
        }
        code.withLock { $0 = result }
    }

    private typealias Trial = @Sendable (Ground) async throws(TortureError) -> Verdict

    private static let trials: [(part: Options.Part, name: String, run: Trial)] = [
        (.disk, DiskTrial.name, DiskTrial.run), (.damage, DamageTrial.name, DamageTrial.run),
        (.clock, ClockTrial.name, ClockTrial.run), (.power, PowerTrial.name, PowerTrial.run),
    ]

    private func trial(_ name: String, _ run: Trial) async -> Verdict {
        let begin = ContinuousClock.now
        parts.withLock { $0.append(name) }
        defer { parts.withLock { $0.removeAll { $0 == name } } }
        do throws(TortureError) {
            let verdict = try await run(ground)
            let seconds = Outcome.number((ContinuousClock.now - begin).inSeconds)
            return Verdict(verdict.name, verdict.result, "\(verdict.words) (\(seconds) s)")
        } catch {
            return Verdict(name, .fail, error.text)
        }
    }

    /// In a long run each trial has the machine to itself; in a short one they mostly wait, and do so together.
    private func tryAll() async -> [Verdict] {
        let parts = Self.trials.filter { options.has($0.part) }
        var verdicts: [Verdict] = []
        if ground.isLong {
            for part in parts { verdicts.append(await trial(part.name, part.run)) }
            return verdicts
        }
        await withTaskGroup(of: Verdict.self) { group in
            for part in parts { group.addTask { await self.trial(part.name, part.run) } }
            for await verdict in group { verdicts.append(verdict) }
        }
        return verdicts
    }

    private func run(_ outcome: inout Outcome) async throws(TortureError) {
        func enter(_ part: String) { parts.withLock { $0 = $0.filter { !$0.hasPrefix("storm: ") } + ["storm: \(part)"] } }
        defer { parts.withLock { $0.removeAll { $0.hasPrefix("storm: ") } } }
        enter("start")
        ground.add(supervisor)
        guard await supervisor.waitUntilReady(ground.client, seconds: 10) else {
            throw TortureError("the workflow does not start")
        }
        enter("producers")
        await produce(&outcome)
        enter("restart of the last hop")
        let calm = ContinuousClock.now
        _ = await supervisor.waitUntilReady(ground.client, seconds: 20)
        // A fresh last hop: from its first event on its own count can be compared with the table.
        await supervisor.retire(Hop.count)
        let before = Drain.rows(Hop.store(in: root))
        supervisor.hold(Hop.count, false)
        _ = await supervisor.waitUntilReady(ground.client, seconds: 20)
        enter("drain")
        try await Drain.all(of: ledger, in: root)
        outcome.drain = (ContinuousClock.now - calm).inSeconds
        enter("end of the services")
        let delivered = await delivered()
        for hop in hops { await supervisor.retire(hop.number) }
        if let delivered { outcome.deliveredAgain = max(0, delivered - Int(Drain.rows(Hop.store(in: root)) - before)) }
        enter("audit")
        outcome.audit = try Audit(hops: hops, root: root, ledger: ledger).run()
        outcome.ledger = ledger.counts
        outcome.services = supervisor.counts
        outcome.peakMemory = supervisor.peakMemory
    }

    private func produce(_ outcome: inout Outcome) async {
        let begin = ContinuousClock.now
        let end = begin + .seconds(options.seconds)
        weather.withLock { $0 = .storm }
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<Self.producers {
                let producer = Producer(
                    hop: hops[0], client: ground.client, load: ground.load, ledger: ledger,
                    rate: Self.rate / Double(Self.producers), end: end,
                    lastCall: end + .seconds(20))
                let seed = options.seed &+ UInt64(number + 2)
                group.addTask { await producer.run(seed: seed) }
            }
            try? await Task.sleep(until: end)
            outcome.storm = (ContinuousClock.now - begin).inSeconds
            weather.withLock { $0 = .calm }
        }
        // The main thread calms down in its own time, and lets every service run then: one that is retired before would come back, and
        // be waited for in vain.
        while struck.withLock({ $0 == nil }) { try? await Task.sleep(for: .milliseconds(5)) }
        if let struck = struck.withLock({ $0 }) { (outcome.chaos, outcome.badClients) = struck }
    }

    /// Events that the last hop has stored since its start, in its own count.
    private func delivered() async -> Int? {
        let request = HTTPClientRequest(url: "\(hops[Hop.count - 1].url)/metrics")
        guard let answer = try? await ground.client.send(request) else { return nil }
        let lines = String(decoding: answer.body, as: UTF8.self).split(separator: "\n")
        let counts = lines.filter { $0.hasPrefix("intelmq_events_sent_total") }.compactMap { $0.split(separator: " ").last }
        return counts.reduce(0) { $0 + (Int($1) ?? 0) }
    }
}
