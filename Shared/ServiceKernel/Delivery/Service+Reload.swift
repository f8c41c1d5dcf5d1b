import Logging
import Synchronization

extension Service {
    /// How long a reload waits for packets in work; they may wait for a next hop.
    private static let patience = 5.0

    /// Reads the configuration anew and goes on with it. Nothing changes when it is refused.
    ///
    /// Settings, limits of packets, tokens and the log's level change while the service runs. What a service is built around (its
    /// address, edges, folders) needs a restart: the error names it.
    /// - Returns: whether anything was different.
    @discardableResult
    func reload() async throws(ConfigurationError) -> Bool {
        guard let reread else { throw ConfigurationError(["error: \(configuration.name) runs without a configuration file"]) }
        guard !isReloading.exchange(true, ordering: .relaxed) else {
            throw ConfigurationError(["error: \(configuration.name) is reloading already; try again"])
        }
        defer { isReloading.store(false, ordering: .relaxed) }
        var fresh = try reread()
        // Nothing here may hold what the worker has open.
        let old = running.withLock { $0.withoutState }
        fresh.takeSlot(old.slot)
        let fixed = old.needingRestart(comparedTo: fresh)
        guard fixed.isEmpty else {
            throw ConfigurationError([
                "error: \(old.name): \(fixed.joined(separator: ", ")) cannot change while the service runs; restart it: intelmqctl restart \(old.name)"
            ])
        }
        refresh()
        guard old.edition != fresh.edition else { return false }
        // The same edges, with the secrets that their channels hold.
        fresh.edges = old.edges
        if old.settingsEdition == fresh.settingsEdition {
            running.withLock { $0.goOn(with: fresh) }
        } else {
            try await exchange(for: fresh)
        }
        if old.logLevel != fresh.logLevel { LogLevel.current = fresh.logLevel }
        generation.add(1, ordering: .relaxed)
        log.notice("the configuration has changed and is in force")
        return true
    }

    /// Exchanges the worker. The new one may need what the old one holds (the lock of a file), so the old one goes first, when
    /// no packet is in work any more.
    private func exchange(for fresh: ServiceConfiguration) async throws(ConfigurationError) {
        var old: Running? = running.withLock { running in
            defer {
                running.role = .reloading
                running.configuration.worker = running.unprepared
            }
            return running
        }
        let deadline = ContinuousClock.now + .seconds(Self.patience)
        while inWork.load(ordering: .acquiring) > 0 {
            if ContinuousClock.now < deadline, (try? await Task.sleep(for: .milliseconds(10))) != nil { continue }
            running.withLock { [old] in if let old { $0 = old } }
            throw ConfigurationError([
                "error: \(fresh.name): packets are in work for more than \(Int(Self.patience)) s (a next hop is slow); the old configuration goes on; try again"
            ])
        }
        let before = old?.withoutState
        old = nil
        do throws(ConfigurationError) {
            let made = try Running(fresh, log: log)
            running.withLock { $0 = made }
        } catch {
            guard let before, let back = try? Running(before, log: log) else {
                throw ConfigurationError(error.messages + ["error: \(fresh.name) cannot go back either: restart it"])
            }
            running.withLock { $0 = back }
            throw error
        }
    }

    /// The same for a signal, which nobody answers.
    func reloadBySignal() async {
        guard reread != nil else { return refresh() }
        do throws(ConfigurationError) { try await reload() } catch {
            log.error("the new configuration is refused, the old one goes on: \(error.withoutSource)")
        }
    }
}

extension Service.Running {
    /// The same worker, with what it has open, under another configuration.
    fileprivate mutating func goOn(with fresh: ServiceConfiguration) {
        let worker = configuration.worker
        configuration = fresh
        configuration.worker = worker
        door = Door(tokens: fresh.tokens, tls: fresh.tls, listen: fresh.listen)
    }

    /// The configuration with the worker as it was before it had opened anything.
    fileprivate var withoutState: ServiceConfiguration {
        var configuration = configuration
        configuration.worker = unprepared
        return configuration
    }
}

extension ConfigurationError {
    /// The messages without the lines of the file, which may hold a secret: for logs, and for callers from elsewhere.
    package var withoutSource: ConfigurationError {
        ConfigurationError(messages.map(\.withoutSource))
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
        compare("statusd (and its intelmq-statusd, too)", statusd, other.statusd)
        compare("log.format", logFormat, other.logFormat)
        compare("limits.connections", limits.connections, other.limits.connections)
        compare("limits.idle", limits.idle, other.limits.idle)
        compare("limits.in-flight", limits.inFlight, other.limits.inFlight)
        compare("limits.spool", limits.spool.bytes, other.limits.spool.bytes)
        compare("limits.timeout", limits.timeout, other.limits.timeout)
        compare("limits.drain", limits.drain, other.limits.drain)
        return names
    }
}
