import Synchronization

/// How many packets may be on the way over an edge at once, and when the next may start.
///
/// The number follows what the other side bears: one more while all places are taken and answers come as fast as usual, fewer
/// when answers become slower than usual or the other side says that it has too much (additive increase, multiplicative
/// decrease). While the edge is down one packet at a time is tried, after pauses that grow to half a minute and are random
/// between nothing and that (full jitter), so that many services do not come back at the same moment.
final class Gate: Sendable {
    private struct State {
        var limit: Double
        var running = 0
        var waiter: CheckedContinuation<Void, Never>?
        var failures = 0
        var opensAt: ContinuousClock.Instant?
        var latency = Latency()
    }

    /// Answer times of the round that goes on, and what is usual.
    private struct Latency {
        var sum = 0.0
        var count = 0
        var wasFull = false
        var began: ContinuousClock.Instant?
        var usual: Double?
        var deviation = 0.0
    }

    /// Longest pause between two tries, in seconds.
    static let longestPause = 30.0
    private static let slowdown = 0.9
    private let most: Int
    private let state: Mutex<State>

    /// - Parameter most: packets that may be on the way at once.
    init(most: Int) {
        self.most = max(1, most)
        state = Mutex(State(limit: Double(max(1, most / 2))))
    }

    /// Packets that may be on the way at the moment.
    var limit: Int { state.withLock { Self.places($0) } }

    private static func places(_ state: State) -> Int { state.failures > 0 ? 1 : max(1, Int(state.limit)) }

    private enum Step { case go, wait, sleep(ContinuousClock.Instant) }

    /// Waits for a place; false when the task is cancelled. One task at a time may wait.
    func enter() async -> Bool {
        while !Task.isCancelled {
            let step = state.withLock { state -> Step in
                if state.running >= Self.places(state) { return .wait }
                if let opensAt = state.opensAt, opensAt > .now { return .sleep(opensAt) }
                state.running += 1
                return .go
            }
            switch step {
            case .go: return true
            case .sleep(let until): try? await Task.sleep(until: until, clock: .continuous)
            case .wait: await wait()
            }
        }
        return false
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isFree = state.withLock { state in
                    if state.running < Self.places(state) || Task.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if isFree { continuation.resume() }
            }
        } onCancel: {
            wake()
        }
    }

    private func wake() {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Gives a place back that was not used.
    func leave() {
        state.withLock { $0.running -= 1 }
        wake()
    }

    /// Gives the place back.
    /// - Parameters:
    ///   - started: when the packet was sent.
    ///   - delivery: what became of it.
    func leave(_ started: ContinuousClock.Instant, _ delivery: Delivery) {
        let now = ContinuousClock.now
        state.withLock { state in
            let isFull = state.running >= Self.places(state)
            state.running -= 1
            switch delivery {
            case .delivered, .refused:
                state.failures = 0
                state.opensAt = nil
                note((now - started) / .seconds(1), now, isFull, &state)
            case .later(_, let after):
                // Packets that were on the way together fail together: that is one failure.
                if let opensAt = state.opensAt, started < opensAt { break }
                state.failures += 1
                if state.failures == 1 { state.limit = max(1, state.limit / 2) }
                let longest = min(Self.longestPause, 0.1 * Double(1 << min(state.failures, 12)))
                state.opensAt = now + .seconds(max(after ?? 0, Double.random(in: 0...longest)))
                state.latency = Latency()
            }
        }
        wake()
    }

    /// Counts an answer time; at the end of a round, which lasts about as long as an answer takes, the limit moves.
    private func note(_ seconds: Double, _ now: ContinuousClock.Instant, _ isFull: Bool, _ state: inout State) {
        var latency = state.latency
        latency.sum += seconds
        latency.count += 1
        latency.wasFull = latency.wasFull || isFull
        let began = latency.began ?? now
        latency.began = began
        if (now - began) / .seconds(1) >= max(latency.usual ?? 0, 0.02) {
            let mean = latency.sum / Double(latency.count)
            let usual = latency.usual ?? mean
            if mean > usual * 1.5 + max(2.5 * latency.deviation, 0.05) {
                state.limit = max(1, state.limit * Self.slowdown)
            } else if latency.wasFull {
                state.limit = min(Double(most), state.limit + 1)
            }
            latency.deviation += 0.4 * (abs(mean - usual) - latency.deviation)
            latency.usual = usual + 0.4 * (mean - usual)
            (latency.sum, latency.count, latency.wasFull, latency.began) = (0, 0, false, nil)
        }
        state.latency = latency
    }
}
