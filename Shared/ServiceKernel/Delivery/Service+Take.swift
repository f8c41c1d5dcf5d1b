public import IDF
import Logging
import Spool

extension Service {
    /// Takes one encoded packet in.
    /// - Parameter trace: what the request's header says of it.
    public func take(bytes: [UInt8], trace: TraceParent? = nil) async -> Answer {
        let started = ContinuousClock.now
        do {
            var packet = try Packet(decoding: bytes, eventLimit: configuration.limits.events)
            packet.meta.trace = trace ?? packet.meta.trace
            return await take(packet, started: started)
        } catch {
            metrics.count("intelmq_errors_total", 1, [("stage", "intake"), ("code", error.problems.first?.code ?? "malformed")])
            return Answer(status: error.status, problems: error.problems)
        }
    }

    /// Takes one packet in and answers when it may be forgotten by whoever sent it.
    public func take(_ packet: Packet, started: ContinuousClock.Instant) async -> Answer {
        guard isReady else { return notNow }
        if tap.isWatched { tap.show(packet) }
        var packet = packet
        packet.meta.trace = packet.meta.trace?.next() ?? TraceParent(beginning: packet.meta.id)
        inWork.add(1, ordering: .acquiringAndReleasing)
        defer { inWork.subtract(1, ordering: .acquiringAndReleasing) }
        let answer: Answer
        switch role {
        case .expert(let expert): answer = await take(packet, expert)
        case .output(let output): answer = await take(packet, output)
        case .parser: answer = await takeReports(packet)
        case .collector: answer = .refused(405, "no-intake", "\(configuration.name) is a collector: it takes no packets")
        case .reloading: answer = Self.reloading
        }
        if answer.isAccepted {
            metrics.received.add(packet.events.count)
            if let intake = packet.meta.intakeAt {
                // The sender says when that was: it may say anything.
                let (age, over) = Timestamp.now().nanoseconds.subtractingReportingOverflow(intake.nanoseconds)
                if !over { metrics.eventLatency.observe(max(0, Double(age) / 1e9), times: packet.events.count) }
            }
        } else {
            metrics.count(
                "intelmq_errors_total", 1, [("stage", "intake"), ("code", answer.problems.first?.code ?? String(answer.status))])
        }
        metrics.packetDuration.observe(since: started)
        note(packet, answer)
        return answer
    }

    private func take(_ packet: Packet, _ expert: any Expert) async -> Answer {
        guard packet.reports.isEmpty else {
            return .refused(422, "wrong-resource", "\(configuration.name) takes events; reports go to a parser")
        }
        let worked: Worked
        do {
            worked = try work(expert, packet.events)
        } catch {
            return Self.answer(error)
        }
        if let bad = worked.failed.first, !hasGrave, !hasErrorEdge {
            worked.release(by: expert)
            return .refused(422, bad.rejection.code, "the event at \(bad.index): \(bad.rejection.detail)")
        }
        var results = ([(nil, worked.forward)] + worked.paths).map { self.result(of: packet, $0.0, $0.1) }
        if hasErrorEdge {
            results.append(result(of: packet, EdgeFilter.error, worked.failed.map { failed($0.event, $0.rejection) }))
        }
        var answer = await pass(results)
        guard answer.isAccepted else {
            worked.release(by: expert)
            return answer
        }
        if !hasErrorEdge {
            let letters = worked.failed.map {
                letter(
                    $0.event.id, packet: packet.meta.id, $0.rejection, original: $0.event.encoded(), mediaType: "application/json"
                )
            }
            guard await bury(letters, packet.meta.trace) else { return Self.noGrave }
        }
        for (reason, count) in worked.dropped { metrics.count("intelmq_events_dropped_total", count, [("reason", reason)]) }
        answer.accepted = packet.events.count
        answer.failed = worked.failed.map { ($0.index, $0.rejection.code, $0.rejection.detail) }
        return answer
    }

    /// What goes on of a packet by one path.
    private func result(of packet: Packet, _ path: String?, _ events: [Event]) -> Packet {
        var result = Packet(meta: packet.meta, events: events)
        result.meta.hops += 1
        result.meta.path = path
        // What goes on is another packet than what came: next time it may hold other events, and whoever knows this one's id skips it.
        var bytes = packet.meta.id.bytes + configuration.name.utf8 + (path ?? "").utf8
        bytes.reserveCapacity(bytes.count + events.count * 16)
        for index in events.indices { events[index].id.appendBytes(to: &bytes) }
        result.meta.id = .derived(from: bytes)
        return result
    }

    /// Whether events that cannot be processed go over an edge of their own, instead of becoming dead letters.
    var hasErrorEdge: Bool { edges.contains { $0.filter?.on == EdgeFilter.error } }

    /// An event that says why it could not be processed.
    func failed(_ event: Event, _ rejection: Rejection) -> Event {
        metrics.count("intelmq_errors_total", 1, [("stage", "work"), ("code", rejection.code)])
        var event = event
        event[Key<String>("event.kind")] = "pipeline_error"
        event[Key<String>("error.code")] = rejection.code
        event[Key<String>("error.message")] = rejection.detail
        return event
    }

    private func take(_ packet: Packet, _ output: any Output) async -> Answer {
        guard packet.reports.isEmpty else {
            return .refused(422, "wrong-resource", "\(configuration.name) takes events; reports go to a parser")
        }
        do {
            let rejected = try await output.write(packet.events)
            let letters = rejected.map { one in
                let event = packet.events[one.index]
                return letter(
                    event.id, packet: packet.meta.id, one.rejection, original: event.encoded(), mediaType: "application/json")
            }
            guard await bury(letters, packet.meta.trace) else { return Self.noGrave }
            metrics.count("intelmq_events_sent_total", packet.events.count - rejected.count, [("edge", "sink")])
            var answer = Answer(status: 200, accepted: packet.events.count)
            answer.failed = rejected.map { ($0.index, $0.rejection.code, $0.rejection.detail) }
            return answer
        } catch {
            return Self.answer(error)
        }
    }

    private func takeReports(_ packet: Packet) async -> Answer {
        guard packet.events.isEmpty else {
            return .refused(422, "wrong-resource", "\(configuration.name) takes reports; events go to an expert or an output")
        }
        var total = Answer(status: isDurable ? 202 : 200)
        for (index, report) in packet.reports.enumerated() {
            let answer = await take(report, from: packet.meta)
            if !answer.isAccepted, answer.status < 500, packet.reports.count > 1 {
                // The others are good, and some may be done already.
                let rejection = Rejection.malformed(answer.problems.map(\.description).joined(separator: "; "))
                let one = letter(
                    report.id, packet: packet.meta.id, rejection, original: report.content.array,
                    mediaType: "application/octet-stream")
                guard await bury([one], packet.meta.trace) else { return Self.noGrave }
                total.failed.append((index, rejection.code, rejection.detail))
                continue
            }
            guard answer.isAccepted else { return answer }
            total.accepted += answer.accepted
            total.failed += answer.failed
        }
        return total
    }

    /// Hands packets on: into the spool (202), or to every edge (200).
    func pass(_ packets: [Packet]) async -> Answer {
        let packets = packets.filter { !$0.events.isEmpty || !$0.reports.isEmpty }
        guard !packets.isEmpty else { return Answer(status: 200) }
        let answer = await pass(packets.map { outgoing($0) })
        if answer.isAccepted, !edges.isEmpty { for packet in packets { countUnrouted(packet) } }
        return answer
    }

    /// A packet that is to be handed on.
    /// - Parameter takers: edges whose next hop has it from earlier tries.
    func outgoing(_ packet: Packet, takenBy takers: Set<String> = []) -> Outgoing {
        var packet = packet
        if packet.meta.trace == nil { packet.meta.trace = TraceParent(beginning: packet.meta.id) }
        let outgoing = Outgoing(packet, takenBy: takers)
        // Whose turn it is is written down for what goes into the spool.
        guard isDurable, outgoing.largeReport == nil else { return outgoing }
        packet.meta.notFor = notTheirTurn(packet.meta.path)
        return packet.meta.notFor.isEmpty ? outgoing : Outgoing(packet)
    }

    /// The same with packets that may have been tried before.
    func pass(_ packets: [Outgoing]) async -> Answer {
        guard !edges.isEmpty else {
            if configuration.isOneTime { return Answer(status: 200) }
            return .refused(
                503, "no-edges",
                "\(configuration.name) has no edges: what it takes would be lost; add edges: to its configuration")
        }
        // A report in a file is too large for the spool, too: it stays with its collector until the next hops have taken it.
        if isDurable, !packets.contains(where: { $0.largeReport != nil }) { return await keep(packets) }
        var answer = Answer(status: 200)
        for one in packets where answer.isAccepted { answer = await relay(one) }
        return answer
    }

    /// Edges that a packet of the spool is not for. It is written down when the packet is kept: whatever becomes of the group, each
    /// packet stays with the edge whose turn it was.
    func notTheirTurn(_ path: String?) -> [String] { turns(path).flatMap { $0.dropFirst().map(\.name) } }

    /// Counts the events that no edge takes. Where one takes all, nothing is looked at.
    private func countUnrouted(_ packet: Packet) {
        let filters = edges.map { $0.filter ?? EdgeFilter() }.filter { $0.on == packet.meta.path }
        guard filters.allSatisfy(\.chooses) else { return }
        let unrouted = packet.events.count { event in !filters.contains { $0.admits(event) } }
        if unrouted > 0 { metrics.count("intelmq_events_dropped_total", unrouted, [("reason", "unrouted")]) }
    }

    /// Puts packets into the spool, all or none.
    func keep(_ packets: [Outgoing]) async -> Answer {
        guard let spool else { return .refused(503, "no-spool", "the spool is not open") }
        do {
            try await spool.append(packets.map { SpoolPacket(id: $0.meta.id.description, events: $0.count, bytes: $0.bytes) })
            return Answer(status: 202)
        } catch {
            let status = if case .full = error { 507 } else { 503 }
            log.error("cannot keep a packet: \(error)", metadata: packets.first.map { Self.words($0.meta) } ?? [:])
            return .refused(status, "spool", "\(error)", retryAfter: 5)
        }
    }

    static let reloading = Answer.refused(
        503, "reloading", "the service is reading its configuration; send it again", retryAfter: 1)

    static let noGrave = Answer.refused(
        503, "no-dead-letters", "an event cannot be processed and its dead letter cannot be kept; see the log of this service",
        retryAfter: 5)

    static func answer(_ rejection: Rejection) -> Answer {
        var after: Double?
        if case .limited(_, let seconds) = rejection { after = Double(seconds) } else if rejection.isTemporary { after = 1 }
        return .refused(rejection.status, rejection.code, rejection.detail, retryAfter: after)
    }
}
