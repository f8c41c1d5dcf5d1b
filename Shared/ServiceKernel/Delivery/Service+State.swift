import Logging
import Spool
import Synchronization

/// Whether packets are taken now, and the end.
extension Service {
    /// What the service does at the moment.
    enum Phase: String { case running, paused, stopping }
    var phase: Phase {
        draining.load(ordering: .relaxed) ? .stopping : paused.load(ordering: .relaxed) ? .paused : .running
    }

    /// Whether the service takes packets.
    public var isReady: Bool { phase == .running }

    /// Waits while the service is paused; false when it stops.
    func whenRunning() async -> Bool {
        while phase == .paused { guard (try? await Task.sleep(for: .milliseconds(100))) != nil else { return false } }
        return phase == .running
    }

    /// Why nothing is taken now.
    var notNow: Answer {
        phase == .paused
            ? .refused(503, "paused", "\(configuration.name) is paused by its operator; send it again later", retryAfter: 5)
            : .refused(503, "stopping", "\(configuration.name) is stopping; send it again", retryAfter: 1)
    }

    /// Refuses what comes from now on.
    func drain() { draining.store(true, ordering: .relaxed) }

    /// Ends the service; what is in the spool stays there.
    public func close() async { await spool?.close() }

    /// Reopens what settings name, where it has changed on disk; a broken new one is reported and the old one goes on.
    func refresh() {
        LogRepetition.shared.sweep()
        // A spool may find damage at any time; nobody would know.
        for note in spool?.takeNotes() ?? [] { log.error("spool: \(note)") }
        for setting in NamedSetting.all(of: configuration.worker) {
            do {
                if try setting.slot.refresh() {
                    generation.add(1, ordering: .relaxed)
                    log.info("reopened: it has changed on disk", metadata: ["setting": "\(setting.name)"])
                }
            } catch {
                log.error(
                    "the changed file is not usable, the old one goes on: \(error.message)",
                    metadata: ["setting": "\(setting.name)"])
            }
        }
    }
}
