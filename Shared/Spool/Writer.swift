import Glibc
import SQLite

/// The writer's thread: takes all that waits, commits it with one sync, answers all together.
final class Writer: @unchecked Sendable {
    /// How long acknowledgements may wait to be written when nothing else is.
    static let acknowledgementDelay: Int64 = 200

    let core: SpoolCore
    private let tally: Tally
    /// Nil only while a damaged file could not be replaced.
    var store: Store?
    var recent: RecentIDs
    private var lastGroup = 1
    private var lastCommit: Int64 = 0
    var loggedBytes: Int64 = 0
    var freedBytes: Int64 = 0
    /// Whether pages were given back that the file still has.
    var isShrinking = false
    /// When acknowledgements that could not be written are tried again (monotonic milliseconds).
    private var nextTry: Int64 = 0
    var lastCare: Int64 = 0
    /// When a full disk or a damaged file is looked at again.
    var nextCare: Int64 = 0
    /// Whether the damaged file was replaced, and only opening it failed.
    var isReplaced = false
    /// Bytes of log after which it is copied into the file.
    let checkpointBytes: Int64
    /// What the file may have to grow when the log is copied: as much as the log can hold by then.
    let reserveBytes: Int

    init(core: SpoolCore, store: Store, recent: RecentIDs) {
        self.core = core
        tally = Tally(path: core.files.tally)
        self.store = store
        self.recent = recent
        checkpointBytes = min(64 << 20, max(256 << 10, core.limitBytes / 16))
        reserveBytes = Int(checkpointBytes + SpoolState.enoughBytes)
    }

    /// Runs until the spool is closed and all that was accepted is written.
    func run() {
        holdReserve()
        writeTally()
        while let batch = nextBatch() {
            if !batch.isEmpty { commit(batch) }
            care(isIdle: batch.isEmpty)
        }
        finish()
    }

    // What to do next.

    private enum Step {
        case go(Batch)
        case sleep(until: Int64?)
        case stop
    }

    private func nextBatch() -> Batch? {
        while true {
            let now = milliseconds(CLOCK_MONOTONIC)
            switch core.state.withLock({ step(&$0, now) }) {
            case .go(let batch): return batch
            case .stop: return nil
            case .sleep(let until):
                core.writerWakeup.wait(until: until)
                core.state.withLock { $0.writerSleepsUntil = nil }
            }
        }
    }

    private func step(_ state: inout SpoolState, _ now: Int64) -> Step {
        if !state.jobs.isEmpty {
            // Those answered last come back within microseconds: waiting for them saves a sync.
            let until = lastCommit + core.groupCommitMilliseconds
            if state.jobs.count < lastGroup, state.queuedBytes < SpoolState.enoughBytes, now < until, !state.isClosing {
                return sleep(&state, for: lastGroup, until: until)
            }
            return .go(take(&state))
        }
        if state.isClosing { return state.acknowledgementsSince == nil ? .stop : .go(take(&state)) }
        if let since = state.acknowledgementsSince {
            let due = max(since + Writer.acknowledgementDelay, nextTry)
            if now >= due || (state.deletes.count >= SpoolState.manyAcknowledgements && now >= nextTry) {
                return .go(take(&state))
            }
            return sleep(&state, for: 1, until: due)
        }
        let hasChores = state.refusal != nil || store == nil || freedBytes > 0
        guard hasChores else { return sleep(&state, for: 1, until: nil) }
        let due = state.refusal == nil && store != nil ? lastCare + 50 : nextCare
        return now >= due ? .go(Batch()) : sleep(&state, for: 1, until: due)
    }

    private func sleep(_ state: inout SpoolState, for jobs: Int, until: Int64?) -> Step {
        state.writerSleepsUntil = jobs
        state.hasAlarm = until != nil
        return .sleep(until: until)
    }

    private func take(_ state: inout SpoolState) -> Batch {
        var batch = Batch()
        var size: Int64 = 0
        while let job = state.jobs.first {
            var standsAlone = false
            switch job {
            case .edges, .adopt, .recover: standsAlone = true
            case .append, .change: break
            }
            if !batch.jobs.isEmpty, standsAlone || size + job.bytes > SpoolState.enoughBytes { break }
            _ = state.jobs.popFirst()
            batch.jobs.append(job)
            size += job.bytes
            if standsAlone { break }
        }
        state.queuedBytes -= size
        takeAcknowledgements(&state, &batch)
        for settling in batch.settlings { batch.settle(settling, state) }
        return batch
    }

    func takeAcknowledgements(_ state: inout SpoolState, _ batch: inout Batch) {
        batch.deletes = state.deletes
        state.deletes = []
        state.acknowledgementsSince = nil
        for name in state.edges.keys where state.edges[name]?.isDirty == true {
            state.edges[name]?.isDirty = false
            if let row = state.edges[name]?.row { batch.edges.append(row) }
        }
    }

    func putBack(_ batch: Batch) {
        core.state.withLock { state in
            state.deletes.append(contentsOf: batch.deletes)
            for row in batch.edges { state.edges[row.name]?.isDirty = true }
            if !batch.deletes.isEmpty || !batch.edges.isEmpty {
                state.acknowledgementsSince = state.acknowledgementsSince ?? milliseconds(CLOCK_MONOTONIC)
            }
        }
    }

    // Doing it.

    private func commit(_ batch: Batch) {
        lastGroup = max(1, batch.jobs.count)
        defer { lastCommit = milliseconds(CLOCK_MONOTONIC) }
        switch batch.jobs.first {
        case .edges(let names, let discard, let reply):
            putBack(batch)
            changeEdges(names, discard, reply)
        case .adopt(let adoption):
            putBack(batch)
            adopt(adoption)
        case .recover:
            putBack(batch)
            recover(because: "found while reading")
        default:
            let isWritten = write(batch)
            if !isWritten { nextTry = milliseconds(CLOCK_MONOTONIC) + 1_000 }
        }
    }

    private func write(_ batch: Batch) -> Bool {
        guard let store else {
            putBack(batch)
            for job in batch.jobs { job.fail(.disk("\(core.files.main) is damaged and could not be replaced yet")) }
            return false
        }
        var group = core.state.withLock { Group(state: $0, limit: core.limitBytes) }
        do throws(SQLiteError) {
            // An acknowledgement alone is not worth a sync: lost, it only means a second delivery.
            try store.database.setSynchronous(batch.jobs.isEmpty ? .normal : .full)
            try store.database.transaction { () throws(SQLiteError) in
                for sequence in batch.deletes { try store.end(sequence, last: group.last) }
                for sequence in batch.settled { try store.end(sequence, last: group.last) }
                for edge in batch.edges { try store.write(edge) }
                for job in batch.jobs { try group.apply(job, recent: recent, to: store) }
                if group.events > 0 { try store.addAccepted(group.events) }
                try group.forget(in: store)
            }
        } catch {
            putBack(batch)
            troubled(error)
            for job in batch.jobs { job.fail(.disk(core.words(error))) }
            return false
        }
        loggedBytes += group.size + Int64(batch.deletes.count) * 256 + 64 << 10
        freedBytes += Int64(batch.deletes.count)
        for key in group.keys { recent.insert(key) }
        core.update { state, resumptions in
            let now = milliseconds(CLOCK_MONOTONIC)
            for settling in batch.settlings { state.acknowledge(settling, now: now) }
            for packet in group.accepted { state.appended(packet, at: group.time) }
            guard !group.accepted.isEmpty else { return }
            for name in Array(state.edges.keys) { state.serve(name, &resumptions) }
        }
        if group.events > 0 { writeTally() }
        for (reply, error) in group.replies { reply(error) }
        return true
    }

    /// Notes what is counted now, before anybody hears of it.
    func writeTally() { tally.write(core.state.withLock { Tally.Contents(last: $0.last, rows: $0.edges.values.map(\.row)) }) }
}
