import Glibc
import HTTP

/// What is done to the services; from any thread. Hops are counted from 1.
extension Supervisor {
    private func order(_ number: Int, _ body: (pid_t, inout Slot, inout Counts) -> Void) {
        state.withLock { state in
            var slot = state.slots[number - 1]
            guard slot.process != 0 else { return }
            body(slot.process, &slot, &state.counts)
            state.slots[number - 1] = slot
        }
    }

    func slay(_ number: Int) {
        order(number) { process, slot, counts in
            guard !slot.isKilled else { return }
            slot.peakMemory = max(slot.peakMemory, Machine.peakMemory(process))
            slot.isKilled = true
            counts.kills += 1
            kill(process, SIGKILL)
        }
    }

    func stop(_ number: Int, until end: ContinuousClock.Instant) {
        order(number) { process, slot, counts in
            guard slot.stoppedUntil == nil else { return }
            slot.stoppedUntil = end
            counts.stops += 1
            kill(process, SIGSTOP)
        }
    }

    /// Asks it to end; once, for the second SIGTERM means something else.
    func terminate(_ number: Int) {
        order(number) { process, slot, counts in
            guard slot.terminatedAt == nil, !slot.isKilled else { return }
            slot.terminatedAt = .now
            counts.terminations += 1
            kill(process, SIGTERM)
        }
    }

    /// SIGHUP is the call to look at files that settings name again.
    func hangUp(_ number: Int, times: Int) {
        order(number) { process, slot, counts in
            slot.wasHungUp = true
            counts.reloads += 1
            counts.hangups += times
            for _ in 0..<times { kill(process, SIGHUP) }
        }
    }

    /// Bytes that a hop has in memory now.
    func memory(_ number: Int) -> Int { Machine.memory(state.withLock { $0.slots[number - 1].process }) }

    func isRunning(_ number: Int) -> Bool { state.withLock { $0.slots[number - 1].process != 0 } }

    /// Keeps a hop from being started, or lets it.
    func hold(_ number: Int, _ isHeld: Bool) { state.withLock { $0.slots[number - 1].isHeld = isHeld } }

    func setDatabase(isBroken: Bool) {
        state.withLock { state in
            state.databaseIsBroken = isBroken
            if isBroken { state.slots[Hop.lookUp - 1].sawBrokenDatabase = true }
        }
    }

    /// Wakes and releases all.
    func calm() {
        state.withLock { state in
            for place in hops.indices {
                state.slots[place].isHeld = false
                if state.slots[place].stoppedUntil != nil { state.slots[place].stoppedUntil = .now }
            }
        }
    }

    var counts: Counts { state.withLock { $0.counts } }
    var peakMemory: [Int] { state.withLock { $0.slots.map(\.peakMemory) } }

    /// Asks a hop to end, keeps it down, and waits until it is; `tick` reports one that does not end in time.
    func retire(_ number: Int) async {
        hold(number, true)
        terminate(number)
        while state.withLock({ $0.slots[number - 1].process != 0 && !$0.isOver }) {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Waits until all hops are ready; those that are not in time are findings.
    /// - Parameter hop: the only one; 0: all.
    func waitUntilReady(_ client: HTTPClient, hop only: Int = 0, seconds: Double) async -> Bool {
        let end = ContinuousClock.now + .seconds(seconds)
        var areReady = true
        for hop in hops where only == 0 || hop.number == only {
            var isReady = false
            while !isReady, ContinuousClock.now < end {
                let request = HTTPClientRequest(url: "\(hop.url)/readyz", timeoutMilliseconds: 1000)
                if let answer = try? await client.send(request), answer.status == 200 {
                    isReady = true
                } else {
                    try? await Task.sleep(for: .milliseconds(20))
                }
            }
            guard !isReady else { continue }
            areReady = false
            ledger.report("\(hop.name) is not ready after \(seconds) s; the end of its log:\n\(Machine.tail(hop.log, lines: 6))")
        }
        return areReady
    }
}
