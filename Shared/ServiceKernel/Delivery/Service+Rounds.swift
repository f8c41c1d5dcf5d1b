import IDF
import Logging
import Synchronization

/// What a collector does.
extension Service {
    /// A report that was handed on.
    struct Handed {
        let id: UUID
        /// Edges whose next hop has it.
        var takers: Set<String> = []
        /// All have: it is only handed on again because something else of its round was not taken.
        var isTaken = false
    }

    /// The rounds of a collector: fetch, hand on, wait; a failed round is tried again with growing pauses.
    func rounds() async {
        var pause = 1.0
        while await whenRunning() {
            guard case .collector(let collector) = role else {
                try? await Task.sleep(for: .milliseconds(100))
                continue
            }
            do throws(Rejection) {
                try await collector.collect(WorkerContext(stateDirectory: configuration.state, log: log)) {
                    report throws(Rejection) in
                    try await self.hand(report)
                }
                pause = 1
                handed.withLock { $0 = [:] }
            } catch {
                metrics.count("intelmq_errors_total", 1, [("stage", "collect"), ("code", error.code)])
                log.error("a round failed, it is tried again: \(error)")
                // What was refused for good is not better in a second.
                let wait = error.isTemporary ? Double.random(in: 0...pause) + 0.5 : collector.interval.seconds
                guard (try? await Task.sleep(for: .seconds(wait))) != nil else { return }
                pause = min(pause * 2, max(1, collector.interval.seconds), 600)
                continue
            }
            guard (try? await Task.sleep(for: collector.interval.duration)) != nil else { return }
        }
    }

    /// Hands a report of a collector on, again and again until it is acknowledged. To the next hops it is the same report each time,
    /// in later rounds, too, until one ends well; those that have taken it are not asked again.
    ///
    /// Throws `.malformed` when one of them refuses it for good, `.unavailable` when the service stops. A one-time run tries once.
    func hand(_ report: Report) async throws(Rejection) {
        let stopping = Rejection.unavailable(
            "\(configuration.name) is stopping; the report is fetched again after its next start")
        guard await whenRunning() else { throw stopping }
        metrics.count("intelmq_reports_received_total")
        var report = report
        let name = Report.id(named: (report.fields[.feedURL] ?? "") + " " + (report.fileName ?? ""), report.content)
        let before = handed.withLock { handed in
            // Who is refused something else in every round is not remembered for ever.
            if handed.count > 1000 { handed = [:] }
            let known = handed[name] ?? Handed(id: report.id)
            handed[name] = known
            return known
        }
        if before.isTaken { return }
        report.id = before.id
        var packet = Packet(reports: [report])
        // Its own, but the same each time.
        packet.meta.id = report.id.part(-1)
        packet.meta.source = emitter
        packet.meta.producer = configuration.producer
        packet.meta.intakeAt = .now()
        let outgoing = outgoing(packet, takenBy: before.takers)
        defer { handed.withLock { $0[name]?.takers = outgoing.takenBy } }
        var (pause, tries) = (1.0, 0)
        while await whenRunning() {
            let answer = await pass([outgoing])
            if answer.isAccepted {
                handed.withLock { $0[name]?.isTaken = true }
                return metrics.sawData()
            }
            let why = answer.problems.first?.detail ?? "the report was not taken"
            guard answer.status >= 500 else { throw .malformed(why) }
            guard !configuration.isOneTime else { throw .unavailable(why) }
            // Now, and about once an hour.
            if tries % 60 == 0 {
                log.warning("a report waits for its next hop: \(why)", metadata: ["packet.id": "\(packet.meta.id)"])
            }
            tries += 1
            let wait = max(answer.retryAfter ?? 0, Double.random(in: 0...pause) + 0.5)
            guard (try? await Task.sleep(for: .seconds(wait))) != nil else { break }
            pause = min(pause * 2, 60)
        }
        throw stopping
    }
}
