import Logging
import Synchronization

extension Service {
    /// Reads the configuration anew and goes on with it. Nothing changes when it is refused.
    ///
    /// Settings, limits of packets, tokens and the log's level change while the service runs. What a service is built around (its
    /// address, edges, folders) needs a restart: the error names it.
    /// - Returns: whether anything was different.
    @discardableResult
    func reload() throws(ConfigurationError) -> Bool {
        guard let reread else { throw ConfigurationError(["error: \(configuration.name) runs without a configuration file"]) }
        var fresh = try reread()
        let old = running.withLock { running in
            var configuration = running.configuration
            // Nothing here may hold what the worker has open.
            configuration.worker = running.unprepared
            return configuration
        }
        fresh.takeSlot(old.slot)
        let fixed = old.needingRestart(comparedTo: fresh)
        guard fixed.isEmpty else {
            throw ConfigurationError([
                "error: \(old.name): \(fixed.joined(separator: ", ")) cannot change while the service runs; restart it: intelmqctl restart \(old.name)"
            ])
        }
        refresh()
        guard old.source != fresh.source else { return false }
        try exchange(old, fresh)
        generation.add(1, ordering: .relaxed)
        log.notice("the configuration has changed and is in force")
        return true
    }

    private func exchange(_ old: ServiceConfiguration, _ fresh: ServiceConfiguration) throws(ConfigurationError) {
        guard old.settingsText != fresh.settingsText else {
            // The worker stays, with what it has open.
            running.withLock { running in
                let worker = running.configuration.worker
                running.configuration = fresh
                running.door = Door(tokens: fresh.tokens, tls: fresh.tls, listen: fresh.listen)
                running.configuration.worker = worker
            }
            return
        }
        // The new worker may need what the old one holds (the lock of a file), so the old one goes first.
        running.withLock { running in
            running.role = .reloading
            running.configuration.worker = running.configuration.entry.make()
        }
        do throws(ConfigurationError) {
            let made = try Running(fresh, log: log)
            running.withLock { $0 = made }
        } catch {
            guard let before = try? Running(old, log: log) else {
                // It takes nothing now, and says so; a restart tells the rest.
                paused.store(true, ordering: .relaxed)
                throw ConfigurationError(error.messages + ["error: \(old.name) could not go back and is paused: restart it"])
            }
            running.withLock { $0 = before }
            throw error
        }
    }

    /// The same for a signal, which nobody answers.
    func reloadBySignal() {
        guard reread != nil else { return refresh() }
        do throws(ConfigurationError) { try reload() } catch {
            log.error("the new configuration is refused, the old one goes on: \(error)")
        }
    }
}

extension ServiceConfiguration {
    /// What differs and can only be changed by a restart.
    fileprivate func needingRestart(comparedTo other: ServiceConfiguration) -> [String] {
        var names: [String] = []
        func compare<V: Equatable>(_ name: String, _ one: V, _ two: V) { if one != two { names.append(name) } }
        compare("worker", entry.name, other.entry.name)
        compare("name", name, other.name)
        compare("listen", listen, other.listen)
        compare("edges", edges, other.edges)
        compare("ack", ack, other.ack)
        compare("state", state, other.state)
        compare("control", control, other.control)
        compare("threads", threads, other.threads)
        compare("tls", tls, other.tls)
        compare("limits.connections", limits.connections, other.limits.connections)
        compare("limits.idle", limits.idle, other.limits.idle)
        compare("limits.in-flight", limits.inFlight, other.limits.inFlight)
        compare("limits.spool", limits.spool.bytes, other.limits.spool.bytes)
        compare("limits.timeout", limits.timeout, other.limits.timeout)
        return names
    }
}
