public import IDF
import Spool

extension Service {
    /// Events after the worker's verb: what goes on, and what does not.
    struct Worked {
        var forward: [Event] = []
        /// Events that leave by a named path, in the order of the paths' first use.
        var paths: [(name: String, events: [Event])] = []
        var dropped: [String: Int] = [:]
        var failed: [(index: Int, event: Event, rejection: Rejection)] = []

        /// They come again: the expert forgets what it remembers of them.
        func release(by expert: any Expert) {
            for event in forward { expert.release(event) }
            for path in paths { for event in path.events { expert.release(event) } }
        }

        fileprivate mutating func add(_ event: Event, path: String) {
            if let known = paths.firstIndex(where: { $0.name == path }) { return paths[known].events.append(event) }
            paths.append((path, [event]))
        }
    }

    /// Runs an expert over the events of a packet. A temporary rejection stops the packet as a whole.
    func work(_ expert: any Expert, _ events: [Event]) throws(Rejection) -> Worked {
        try Self.run(expert, events, overwrite: configuration.overwrite)
    }

    /// Generic, so that `process` is called directly and not through the existential for every event.
    private static func run<E: Expert>(_ expert: E, _ events: [Event], overwrite: Bool) throws(Rejection) -> Worked {
        var worked = Worked()
        worked.forward.reserveCapacity(events.count)
        for index in events.indices {
            var event = events[index]
            event.fillOverwrites = overwrite
            do {
                switch try expert.process(&event) {
                case .forward: worked.forward.append(event)
                case .drop(let reason): worked.dropped[reason, default: 0] += 1
                case .path(let name): worked.add(event, path: "path:\(name)")
                }
            } catch {
                if error.isTemporary {
                    worked.release(by: expert)
                    throw error
                }
                worked.failed.append((index, events[index], error))
            }
        }
        return worked
    }

    /// What the worker knows about one value, or nil if the value is none of the look-up field's type.
    public func lookup(_ value: String) throws(Rejection) -> Event? {
        let role = role
        if case .reloading = role { throw .unavailable("\(configuration.name) is reloading") }
        guard case .expert(let expert) = role, let field = configuration.entry.spec.lookup else {
            throw .missing("\(configuration.name) offers no look-up")
        }
        var event = Event(id: UUID(high: 0, low: 0), reserving: 8)
        guard event.add(field, text: value) else { return nil }
        _ = try expert.process(&event)
        return event
    }

    /// Works on a packet and answers it instead of handing it on (`Prefer: return=representation`).
    public func represent(_ packet: Packet) throws(Rejection) -> Packet {
        var result = Packet(meta: packet.meta)
        result.meta.hops += 1
        result.meta.path = nil
        switch role {
        case .expert(let expert):
            for event in packet.events {
                var event = event
                event.fillOverwrites = configuration.overwrite
                if case .drop = try expert.preview(&event) { continue }
                result.events.append(event)
            }
        case .parser(let parser):
            for report in packet.reports {
                let report = try decoded(report)
                var parsed = ParsedEvents(report: report, keepsOriginal: configuration.keepsOriginal)
                try parser.parse(report, into: &parsed)
                if let first = parsed.rejected.first { throw first.rejection }
                result.events += parsed.events
            }
        case .reloading: throw .unavailable("\(configuration.name) is reloading")
        case .output, .collector: throw .malformed("\(configuration.name) makes no packets to look at")
        }
        return result
    }
}
