import IDF
import Logging
import Spool

/// Dead letters, and who is told of them.
extension Service {
    /// Whether dead letters can be kept here. A relay without a folder keeps nothing at all: it refuses the packet with 422, and the
    /// durable service before it finds the bad event and keeps it.
    var hasGrave: Bool { configuration.state != nil || configuration.isOneTime }

    /// Keeps dead letters on disk; false when that is not possible, and then nothing may be acknowledged.
    func bury(_ letters: [DeadLetter], _ trace: TraceParent? = nil) async -> Bool {
        guard !letters.isEmpty else { return true }
        for letter in letters { announce(letter, trace) }
        do {
            try await openSpool().addDeadLetters(letters)
            return true
        } catch let error as SpoolError {
            log.error("cannot keep dead letters: \(error)")
        } catch {
            // Without a folder there is only the log; one-time runs print it, services refuse.
            if configuration.isOneTime { return true }
            log.error("\(error)")
        }
        return false
    }

    /// Tells of a dead letter in log and metrics.
    func announce(_ letter: DeadLetter, _ trace: TraceParent?) {
        var words: Log.Metadata = ["code": "\(letter.code)", "detail": "\(letter.detail)", "event": "\(letter.eventID)"]
        words["packet.id"] = "\(letter.packetID)"
        if let trace { words["trace.id"] = "\(trace.traceID)" }
        // A one-time run has no other place for them.
        if configuration.isOneTime { words[Log.everyOne] = "true" }
        log.warning("dead letter", metadata: words)
        metrics.count("intelmq_events_dead_lettered_total", 1, [("code", letter.code)])
    }

    func letter(_ id: UUID, packet: UUID, _ rejection: Rejection, original: [UInt8], mediaType: String, edge: String? = nil)
        -> DeadLetter
    {
        let now = Timestamp.now().nanoseconds / 1_000_000
        return DeadLetter(
            eventID: id.description, packetID: packet.description, worker: configuration.name, edge: edge, code: rejection.code,
            detail: rejection.detail, tries: 1, firstTime: now, lastTime: now, original: original, mediaType: mediaType)
    }
}
