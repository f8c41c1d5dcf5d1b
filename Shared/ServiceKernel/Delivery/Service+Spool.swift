import Glibc
import Spool

/// What rests on the disk.
extension Service {
    /// Whether packets rest in the spool before they go on.
    var isDurable: Bool { configuration.ack == .durable && !edges.isEmpty && spool != nil }

    var spool: Spool? { spoolBox.withLock { $0 } }

    /// The spool, also where only dead letters of an earlier time are in it; nil where there is none.
    var deadLetterSpool: Spool? {
        if let spool { return spool }
        guard let state = configuration.state, access("\(state)/spool.sqlite", F_OK) == 0 else { return nil }
        return try? openSpool()
    }

    /// The spool, made where there is none.
    func openSpool() throws(ConfigurationError) -> Spool {
        guard let state = configuration.state else {
            throw ConfigurationError([
                "error: \(configuration.name) acknowledges durably or keeps a dead letter and so needs a folder: add  state: /var/lib/intelmq/\(configuration.name)"
            ])
        }
        do {
            let made = try spoolBox.withLock { box throws(SpoolError) in
                if let box { return box }
                let made = try Spool(
                    directory: state, edges: edges.map(\.name), limitBytes: Int64(configuration.limits.spool.bytes))
                box = made
                return made
            }
            for note in made.takeNotes() { log.warning("spool: \(note)") }
            metrics.observe("intelmq_spool_packets") { [("", Double(made.status().packets))] }
            metrics.observe("intelmq_spool_bytes") { [("", Double(made.status().bytes))] }
            metrics.observe("intelmq_spool_limit_bytes") { [("", Double(made.status().limitBytes))] }
            metrics.observe("intelmq_spool_oldest_seconds") { [("", Double(made.status().oldestAgeSeconds))] }
            metrics.observe("intelmq_spool_events") {
                made.status().edges.map { (Metrics.labels([("edge", $0.name)]), Double($0.backlogEvents)) }
            }
            for (name, value) in Self.accounts {
                metrics.observe(name) { made.status().edges.map { (Metrics.labels([("edge", $0.name)]), Double(value($0))) } }
            }
            metrics.observe("intelmq_dead_letters") { [("", Double(made.deadLetterCount()))] }
            return made
        } catch {
            throw ConfigurationError(["error: cannot open the spool in \(state): \(error)"])
        }
    }

    /// What the accounts of an edge are made of: accepted = delivered + dead-lettered + dropped + lost + in the spool.
    private static let accounts: [(String, @Sendable (SpoolStatus.Edge) -> Int)] = [
        ("intelmq_edge_events_accepted_total", { $0.acceptedEvents }),
        ("intelmq_edge_events_delivered_total", { $0.acknowledgedEvents - $0.deadLetteredEvents - $0.droppedEvents }),
        ("intelmq_edge_events_dead_lettered_total", { $0.deadLetteredEvents }),
        ("intelmq_edge_events_dropped_total", { $0.droppedEvents }),
        ("intelmq_edge_events_lost_total", { $0.lostEvents }),
    ]
}
