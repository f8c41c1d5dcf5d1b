import IDF
import Logging
import Spool

extension Service {
    /// Sends a packet to every edge, of those that take turns to one, and answers when all of them have it.
    func relay(_ packet: Outgoing) async -> Answer {
        if edges.count == 1 { return await relay(packet, over: edges[0]) }
        let shares = turns(packet.meta.path)
        return await withTaskGroup(of: Answer.self) { group in
            for edge in edges where edge.filter?.share == nil { group.addTask { await self.relay(packet, over: edge) } }
            for share in shares {
                group.addTask {
                    var answer = Answer(status: 200)
                    // Who does not answer is passed over.
                    if share.contains(where: packet.isTaken) { return answer }
                    for edge in share {
                        answer = await self.relay(packet, over: edge)
                        if answer.isAccepted || answer.status < 500 { break }
                    }
                    return answer
                }
            }
            var worst = Answer(status: 200)
            for await answer in group where answer.status > worst.status { worst = answer }
            return worst
        }
    }

    /// The edges of each group, the one whose turn it is first.
    func turns(_ path: String?) -> [[Edge]] {
        let groups = Dictionary(grouping: edges.filter { $0.filter?.share != nil && $0.filter?.on == path }) { $0.filter?.share }
        guard !groups.isEmpty else { return [] }
        let turn = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        return groups.values.map { edges in (0..<edges.count).map { edges[(turn + $0) % edges.count] } }
    }

    private func relay(_ packet: Outgoing, over edge: Edge) async -> Answer {
        guard let part = edge.filter.map({ $0.part(of: packet, over: edge.name) }) ?? packet, !packet.isTaken(by: edge) else {
            return Answer(status: 200)
        }
        let sent = await send(part, over: edge)
        if case .later(let why, let after) = sent.delivery {
            return .refused(503, "next-hop", "edge \(edge.name): \(why)", retryAfter: after ?? 1)
        }
        if case .refused(let status, let why) = sent.delivery {
            return .refused(status, "next-hop", "edge \(edge.name): \(why)")
        }
        guard await bury(sent.letters, packet.meta.trace) else { return Self.noGrave }
        packet.take(by: edge)
        return Answer(status: 200)
    }

    /// What became of a packet: `.delivered` or `.later`; `.refused` only where no dead letter can be kept.
    struct Sent {
        var delivery: Delivery
        /// What the next hop will never take, once the rest is delivered. The packet is done only when these are kept.
        var letters: [DeadLetter] = []
        /// How many events they hold.
        var refused = 0
        /// Events of the packet that are not for this edge.
        var dropped = 0
    }

    /// Sends once; what the next hop refuses for good is split until the bad event stands alone and becomes a dead letter.
    /// - Parameter tries: which try of the packet this is.
    func send(_ packet: Outgoing, over edge: Edge, tries: Int = 1) async -> Sent {
        let started = ContinuousClock.now
        let delivery = await edge.channel.send(packet)
        switch delivery {
        case .delivered:
            if tap.isWatched { tap.show(packet, over: edge.name) }
            edge.latency.observe(since: started)
            edge.sent.add(packet.count)
            edge.lastSuccess.store(Int(Timestamp.now().nanoseconds / 1_000_000_000), ordering: .relaxed)
            if edge.isDown.exchange(false, ordering: .relaxed) { log.notice("edge is back", metadata: ["edge": "\(edge.name)"]) }
            return Sent(delivery: .delivered)
        case .later(let why, _):
            metrics.count("intelmq_errors_total", 1, [("stage", "send"), ("code", "unavailable")])
            if !edge.isDown.exchange(true, ordering: .relaxed) {
                log.warning("edge is down: \(why)", metadata: ["edge": "\(edge.name)"])
            }
            return Sent(delivery: delivery)
        case .refused(let status, let why):
            edge.latency.observe(since: started)
            metrics.count("intelmq_errors_total", 1, [("stage", "send"), ("code", String(status))])
            // A large report stays with its collector, who says why.
            let isLarge = packet.largeReport != nil
            return hasGrave && !isLarge ? await isolate(packet, edge, status: status, why, tries) : Sent(delivery: delivery)
        }
    }

    private func isolate(_ outgoing: Outgoing, _ edge: Edge, status: Int, _ why: String, _ tries: Int) async -> Sent {
        let rejection = Rejection.malformed("edge \(edge.name) answered \(status): \(why)")
        func alone(_ id: UUID, _ original: [UInt8], _ mediaType: String, holding events: Int) -> Sent {
            var one = letter(
                id, packet: outgoing.meta.id, rejection, original: original, mediaType: mediaType, edge: edge.name)
            one.tries = tries
            return Sent(delivery: .delivered, letters: [one], refused: events)
        }
        guard let packet = try? outgoing.packet(), packet.reports.isEmpty, let first = packet.events.first else {
            return alone(outgoing.meta.id, outgoing.bytes, Packet.mediaType, holding: outgoing.count)
        }
        if packet.events.count == 1 { return alone(first.id, first.encoded(), "application/json", holding: 1) }
        let middle = packet.events.count / 2
        var sent = Sent(delivery: .delivered)
        for half in [packet.events[..<middle], packet.events[middle...]] {
            var part = Packet(meta: packet.meta, events: Array(half))
            // The same half has the same id when the packet must be split again.
            part.meta.id = .derived(
                from: packet.meta.id.bytes + half[half.startIndex].id.bytes + [UInt8(half.startIndex == 0 ? 0 : 1)])
            let one = await send(Outgoing(part), over: edge, tries: tries)
            guard case .delivered = one.delivery else { return one }
            sent.letters += one.letters
            sent.refused += one.refused
        }
        return sent
    }

    /// Delivers what the spool holds for an edge, as many packets at a time as it bears, until the spool is closed.
    func pump(_ edge: Edge) async {
        guard let spool else { return }
        await withDiscardingTaskGroup { group in
            // What was given back because the service stops would come again at once.
            while await whenRunning(), await edge.gate.enter() {
                guard let spooled = await spool.next(edge: edge.name) else {
                    edge.gate.leave()
                    return
                }
                guard await whenRunning() else {
                    spool.release(edge: edge.name, sequence: spooled.sequence)
                    edge.gate.leave()
                    return
                }
                group.addTask { await self.deliver(spooled, over: edge, from: spool) }
            }
        }
    }

    /// Tries once; a packet that the other side does not take goes back to the head of the edge's line.
    private func deliver(_ spooled: SpooledPacket, over edge: Edge, from spool: Spool) async {
        var meta = Packet.Meta()
        meta.id = UUID(spooled.packet.id) ?? .v7()
        meta.trace = TraceParent(inPacket: spooled.packet.bytes)
        if edge.filter != nil {
            meta.path = Packet.path(of: spooled.packet.bytes)
            meta.notFor = Packet.notFor(of: spooled.packet.bytes)
        }
        let outgoing = Outgoing(meta: meta, count: spooled.packet.events, bytes: spooled.packet.bytes)
        let part = edge.filter.map { $0.part(of: outgoing, over: edge.name) } ?? outgoing
        let started = ContinuousClock.now
        var sent = Sent(delivery: .delivered)
        if let part { sent = await send(part, over: edge, tries: edge.tried(spooled.sequence)) }
        sent.dropped = outgoing.count - (part?.count ?? 0)
        if case .delivered = sent.delivery, let why = await settle(sent, spooled.sequence, edge, spool, meta.trace) {
            sent.delivery = .later(why, afterSeconds: 5)
        }
        if case .delivered = sent.delivery {
            edge.forget(spooled.sequence)
        } else {
            // Before anybody else comes in: where one packet is on the way at a time, none overtakes another.
            spool.release(edge: edge.name, sequence: spooled.sequence)
        }
        edge.gate.leave(started, sent.delivery)
    }

    /// Notes that a packet is delivered and keeps its dead letters in one transaction: a crash repeats both or none. Answers why it
    /// could not; nothing of it is done then.
    private func settle(_ sent: Sent, _ sequence: Int64, _ edge: Edge, _ spool: Spool, _ trace: TraceParent?) async -> String? {
        do throws(SpoolError) {
            try await spool.acknowledge(
                edge: edge.name, sequence: sequence, deadLetters: sent.letters, deadLettered: sent.refused, dropped: sent.dropped)
        } catch {
            log.error("cannot keep dead letters: \(error)")
            return error.description
        }
        for letter in sent.letters { announce(letter, trace) }
        return nil
    }
}
