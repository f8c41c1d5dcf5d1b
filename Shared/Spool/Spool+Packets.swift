import Glibc

/// Packets in and out.
extension Spool {
    /// Appends packets, all or none, and returns when they are synced to the disk. Calls at the same time share one sync.
    ///
    /// A packet whose id is among the last 100,000 is acknowledged without a second copy.
    ///
    /// Throws `.full` when they would not fit, `.disk` when the disk refuses (nothing was kept), `.closed` after `close`.
    public func append(_ packets: [SpoolPacket]) async throws(SpoolError) {
        if packets.isEmpty { return }
        var size: Int64 = 0
        // Counted and summed up here, by the caller's task, so that the one writer need not.
        let items = packets.map { packet in
            size += Int64(packet.bytes.count)
            let packet = packet.countable
            return Append.Item(packet: packet, key: RecentIDs.Key(packet.id), checksum: checksum(packet.bytes))
        }
        if let refusal = core.state.withLock({ $0.refusal }) { throw .disk(refusal) }
        let total = size
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Void, SpoolError>, Never>) in
            core.submit(
                Job.append(
                    Append(items: items, size: total) { error in
                        continuation.resume(returning: error.map { .failure($0) } ?? .success(()))
                    }))
        }
        try result.get()
    }

    /// The next packet of an edge that is not handed out, in order, but released ones first. Waits until there is one.
    ///
    /// Nil when the spool is closed, the task is cancelled, the edge is unknown, or it left the graph and has nothing left.
    /// A packet is handed out again after `release`, or after a restart when it was not acknowledged.
    public func next(edge: String) async -> SpooledPacket? {
        let ticket = core.state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        let core = self.core
        return await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<SpooledPacket?, Never>) in
                let waits = core.update { state, resumptions in
                    guard !state.isClosing, state.edges[edge] != nil else { return false }
                    state.edges[edge]?.waiters.append(EdgeState.Waiter(ticket: ticket, continuation: continuation))
                    state.serve(edge, &resumptions)
                    return true
                }
                if !waits { continuation.resume(returning: nil) }
                // Cancelled before it stood in the line: nobody else would take it out.
                if waits, Task.isCancelled { core.cancel(edge: edge, ticket: ticket) }
            }
        } onCancel: {
            core.cancel(edge: edge, ticket: ticket)
        }
    }

    /// The edge has the packet (or its events became dead letters, or were dropped on purpose; both only for the accounts).
    ///
    /// Any order will do. Written with the next commit, or after 200 ms; a crash before that means a second delivery.
    /// A sequence that is not handed out is ignored.
    public func acknowledge(edge: String, sequence: Int64, deadLettered: Int = 0, dropped: Int = 0) async {
        let now = milliseconds(CLOCK_MONOTONIC)
        core.update { state, _ in
            _ = state.acknowledge(edge: edge, sequence: sequence, deadLettered: deadLettered, dropped: dropped, now: now)
        }
    }

    /// The edge has the packet except for the events in `deadLetters`: both are kept in one transaction, synced on return.
    ///
    /// Nobody sees a dead letter of a packet that comes again. A sequence that is not handed out is ignored, the letters are kept.
    /// Taken also when the spool is full. Throws `.disk` when there is no room (nothing of it was done then: try again or
    /// `release`), `.closed`.
    ///
    /// - Parameters:
    ///   - deadLettered: the events counted as dead letters; nil counts one for each letter.
    ///   - dropped: the events counted as dropped on purpose.
    public func acknowledge(
        edge: String, sequence: Int64, deadLetters: [DeadLetter], deadLettered: Int? = nil, dropped: Int = 0
    ) async throws(SpoolError) {
        if deadLetters.isEmpty {
            return await acknowledge(edge: edge, sequence: sequence, deadLettered: deadLettered ?? 0, dropped: dropped)
        }
        let settling = Settling(
            edge: edge, sequence: sequence, deadLettered: deadLettered ?? deadLetters.count, dropped: dropped)
        try await keep(deadLetters, settling)
    }

    /// Gives a packet back, to be handed out again before all later ones. A sequence that is not handed out is ignored.
    public func release(edge: String, sequence: Int64) {
        core.update { state, resumptions in
            state.edges[edge]?.giveBack(sequence)
            state.serve(edge, &resumptions)
        }
    }
}

extension SpoolPacket {
    /// A number of events that can be added up.
    fileprivate var countable: SpoolPacket {
        let sound = min(max(0, events), 1 << 31)
        return sound == events ? self : SpoolPacket(id: id, events: sound, bytes: bytes)
    }
}

extension SpoolCore {
    /// Takes a cancelled task out of the line; does nothing when it was served.
    func cancel(edge: String, ticket: UInt64) {
        update { state, resumptions in
            if let waiter = state.edges[edge]?.waiters.remove(where: { $0.ticket == ticket }) {
                resumptions.append(Resumption(continuation: waiter.continuation, packet: nil))
            }
        }
    }
}
