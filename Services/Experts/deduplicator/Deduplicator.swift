import IDF
import RecentSet
import ServiceKernel

/// Drops events that were seen a short while ago.
struct Deduplicator: Expert {
    static let spec = Spec(
        "deduplicator", "Drops an event whose chosen fields were all seen in another event within the time to live.",
        tags: ["stateful"])

    @Setting("Fields that make two events the same; empty: all but those of `ignore`.") var fields: [FieldID] = []
    @Setting("Fields that do not count when `fields` is empty.")
    var ignore = [Key.original.id, Key.created.id, Key.rawBase64.id]
    @Setting("How long an event is remembered.") var timeToLive = Interval.hours(24)
    @Setting("Events remembered at most; about 64 bytes each. The oldest go first.") var capacity = 1 << 20
    @Setting("Lets everything pass.") var bypass = false

    private var seen: RecentSet?
    // Settings as they are at the start: reading one takes a lock, and this is done for every event.
    private var chosen: [FieldID] = []
    private var ignored: [FieldID] = []
    private var lifetime: UInt32 = 0

    mutating func prepare(_ context: WorkerContext) throws(Rejection) {
        if bypass { return }
        (chosen, ignored, lifetime) = (fields, ignore, UInt32(clamping: Int(timeToLive.seconds)))
        // The file is mapped, so what is remembered outlives the process.
        let path = context.stateDirectory.map { "\($0)/seen.recent-set" }
        do throws(RecentSetError) {
            seen = try RecentSet(path: path, capacity: capacity)
        } catch {
            throw .unavailable("\(error)")
        }
    }

    func process(_ event: inout Event) throws(Rejection) -> Verdict {
        guard let seen else { return .forward }
        // The same event coming again (its packet was not acknowledged) is no duplicate: the claim is held by its id.
        switch seen.claim(key: fingerprint(event), owner: event.id.low, now: now, timeToLive: lifetime) {
        case .new, .same: return .forward
        case .duplicate: return .drop("duplicate")
        }
    }

    func preview(_ event: inout Event) throws(Rejection) -> Verdict { .forward }

    func release(_ event: Event) { seen?.release(key: fingerprint(event), owner: event.id.low) }

    private func fingerprint(_ event: Event) -> (UInt64, UInt64) {
        chosen.isEmpty ? event.fingerprint(ignoring: ignored) : event.fingerprint(of: chosen)
    }

    private var now: UInt32 { UInt32(truncatingIfNeeded: Timestamp.now().nanoseconds / 1_000_000_000) }
}
