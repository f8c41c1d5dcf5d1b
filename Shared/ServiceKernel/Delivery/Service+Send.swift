import IDF
import Logging
import Spool

extension Service {
    /// Sends a packet to every edge and answers when all of them have it.
    func relay(_ packet: Outgoing) async -> Answer {
        if edges.count == 1 { return await relay(packet, over: edges[0]) }
        return await withTaskGroup(of: Answer.self) { group in
            for edge in edges { group.addTask { await self.relay(packet, over: edge) } }
            var worst = Answer(status: 200)
            for await answer in group where answer.status > worst.status { worst = answer }
            return worst
        }
    }

    private func relay(_ packet: Outgoing, over edge: Edge) async -> Answer {
        switch await send(packet, over: edge) {
        case .delivered: return Answer(status: 200)
        case .refused: return Self.noGrave
        case .later(let why, let after):
            return .refused(503, "next-hop", "edge \(edge.name): \(why)", retryAfter: after ?? 1)
        }
    }

    /// Sends once; what the next hop refuses for good is split until the bad event stands alone and becomes a dead letter.
    /// `refused` comes back only if that dead letter could not be kept.
    func send(_ packet: Outgoing, over edge: Edge) async -> Delivery {
        let delivery = await edge.channel.send(packet)
        switch delivery {
        case .delivered:
            metrics.count("intelmq_events_sent_total", packet.count, [("edge", edge.name)])
            edge.lastSuccess.store(Int(Timestamp.now().nanoseconds / 1_000_000_000), ordering: .relaxed)
            if edge.isDown.exchange(false, ordering: .relaxed) { log.notice("edge is back", metadata: ["edge": "\(edge.name)"]) }
            return .delivered
        case .later(let why, _):
            metrics.count("intelmq_errors_total", 1, [("stage", "send"), ("code", "unavailable")])
            if !edge.isDown.exchange(true, ordering: .relaxed) {
                log.warning("edge is down: \(why)", metadata: ["edge": "\(edge.name)"])
            }
            return delivery
        case .refused(let status, let why):
            metrics.count("intelmq_errors_total", 1, [("stage", "send"), ("code", String(status))])
            return await isolate(packet, edge, status: status, why)
        }
    }

    private func isolate(_ outgoing: Outgoing, _ edge: Edge, status: Int, _ why: String) async -> Delivery {
        guard let packet = try? outgoing.packet(), packet.reports.isEmpty, packet.events.count > 0 else {
            let rejection = Rejection.malformed("edge \(edge.name) answered \(status): \(why)")
            let one = letter(
                outgoing.meta.id, packet: outgoing.meta.id, rejection, original: outgoing.bytes, mediaType: Packet.mediaType,
                edge: edge.name)
            return await bury([one]) ? .delivered : .refused(status: status, why)
        }
        if packet.events.count == 1 {
            let event = packet.events[0]
            let rejection = Rejection.malformed("edge \(edge.name) answered \(status): \(why)")
            let one = letter(
                event.id, packet: packet.meta.id, rejection, original: event.encoded(), mediaType: "application/json",
                edge: edge.name)
            return await bury([one]) ? .delivered : .refused(status: status, why)
        }
        let middle = packet.events.count / 2
        for half in [packet.events[..<middle], packet.events[middle...]] {
            var part = Packet(meta: packet.meta, events: Array(half))
            // The same half has the same id when the packet must be split again.
            part.meta.id = .derived(
                from: packet.meta.id.bytes + half[half.startIndex].id.bytes + [UInt8(half.startIndex == 0 ? 0 : 1)])
            let delivery = await send(Outgoing(part), over: edge)
            guard case .delivered = delivery else { return delivery }
        }
        return .delivered
    }

    /// Delivers what the spool holds for an edge, several packets at a time, until the spool is closed.
    func pump(_ edge: Edge) async {
        guard let spool else { return }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<configuration.limits.inFlight {
                group.addTask {
                    while let spooled = await spool.next(edge: edge.name) {
                        await self.deliver(spooled, over: edge, from: spool)
                        // What was given back because the service stops would come again at once.
                        if !self.isReady { return }
                    }
                }
            }
        }
    }

    private func deliver(_ spooled: SpooledPacket, over edge: Edge, from spool: Spool) async {
        let id = UUID(spooled.packet.id) ?? .v7()
        var meta = Packet.Meta()
        meta.id = id
        let outgoing = Outgoing(meta: meta, count: spooled.packet.events, bytes: spooled.packet.bytes)
        var pause = 0.1
        while true {
            switch await send(outgoing, over: edge) {
            case .delivered:
                await spool.acknowledge(edge: edge.name, sequence: spooled.sequence)
                return
            case .later(_, let after):
                // Full jitter, so that many services do not come back at the same moment.
                let wait = max(after ?? 0, Double.random(in: 0...pause))
                pause = min(pause * 2, 30)
                guard isReady, (try? await Task.sleep(for: .seconds(wait))) != nil else {
                    return spool.release(edge: edge.name, sequence: spooled.sequence)
                }
            case .refused:
                guard isReady, (try? await Task.sleep(for: .seconds(5))) != nil else {
                    return spool.release(edge: edge.name, sequence: spooled.sequence)
                }
            }
        }
    }
}
