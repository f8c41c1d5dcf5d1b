import IDF
import Synchronization

/// Remembers what was sent and what was promised. The promise is a 202.
final class Ledger: Sendable {
    /// What is known about a packet.
    enum Fate: Sendable {
        /// Never sent to its end: its events must not be anywhere.
        case half
        /// Sent whole, at least once, and never acknowledged: its events may be stored or not.
        case sent
        /// Acknowledged after so many seconds of the run: its events must be stored.
        case acknowledged(Double)
    }

    struct Record: Sendable {
        let packet: UUID
        let events: [UUID]
        var fate: Fate
    }

    struct Counts: Sendable {
        var packets = 0
        var events = 0
        /// Posts of a packet that was posted before, because there was no 202.
        var repeats = 0
        /// Posts of a packet that were made twice on purpose.
        var twice = 0
        /// Answers 503 and 507.
        var refusals = 0
    }

    private struct State {
        var records: [Record] = []
        var counts = Counts()
        var findings: [String] = []
        var found = 0
    }
    private let state = Mutex(State())
    let start = ContinuousClock.now

    /// Enters a packet before its first byte is sent.
    func enter(_ parcel: Parcel, _ fate: Fate) -> Int {
        state.withLock { state in
            state.records.append(Record(packet: parcel.id, events: parcel.events, fate: fate))
            return state.records.count - 1
        }
    }

    func acknowledge(_ number: Int) {
        let now = (ContinuousClock.now - start).inSeconds
        state.withLock { state in
            if case .acknowledged = state.records[number].fate { return }
            state.records[number].fate = .acknowledged(now)
            state.counts.packets += 1
            state.counts.events += state.records[number].events.count
        }
    }

    func countRepeat() { state.withLock { $0.counts.repeats += 1 } }
    func countTwice() { state.withLock { $0.counts.twice += 1 } }
    func countRefusal() { state.withLock { $0.counts.refusals += 1 } }

    var counts: Counts { state.withLock { $0.counts } }
    var records: [Record] { state.withLock { $0.records } }

    /// Something that must not be. The first hundred are kept with their words.
    func report(_ finding: String) {
        let now = (ContinuousClock.now - start).inSeconds
        state.withLock { state in
            state.found += 1
            if state.findings.count < 100 { state.findings.append("at \(Outcome.number(now)) s: \(finding)") }
        }
    }

    var findings: (count: Int, words: [String]) { state.withLock { ($0.found, $0.findings) } }
}
