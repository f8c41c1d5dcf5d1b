import Glibc
import SQLite

/// The reader's thread: fetches packets that are no longer in memory, and answers questions about dead letters.
final class Reader: @unchecked Sendable {
    private let core: SpoolCore
    private var store: ReadStore?

    init(core: SpoolCore) { self.core = core }

    /// Runs until the spool is closed.
    func run() {
        while let read = next() { perform(read) }
        store = nil
        for read in core.state.withLock({ $0.reads.removeAll() }) {
            switch read {
            case .query(_, let reply): reply(.closed)
            case .reopen(let closed, _): closed.post()
            case .load: break
            }
        }
        core.readerEnded.post()
    }

    private func next() -> Read? {
        while true {
            let (read, isClosed) = core.state.withLock { state -> (Read?, Bool) in
                if state.isClosed { return (nil, true) }
                if let read = state.reads.popFirst() { return (read, false) }
                state.readerSleeps = true
                return (nil, false)
            }
            if isClosed { return nil }
            if let read { return read }
            core.readerWakeup.wait(until: nil)
        }
    }

    private func perform(_ read: Read) {
        switch read {
        case .load(let name):
            load(name)
        case .query(let work, let reply):
            do throws(SQLiteError) {
                try work(try opened())
                reply(nil)
            } catch {
                requestRecovery(error)
                reply(.disk(core.words(error)))
            }
        case .reopen(let closed, let replaced):
            store = nil
            closed.post()
            replaced.wait(until: nil)
        }
    }

    private func opened() throws(SQLiteError) -> ReadStore {
        if let store { return store }
        let opened = try ReadStore(path: core.files.main)
        store = opened
        return opened
    }

    private func load(_ name: String) {
        let wanted = core.state.withLock { state -> (position: Int64, end: Int64, done: SequenceSet)? in
            guard let edge = state.edges[name] else { return nil }
            return (max(edge.position, edge.row.cursor), edge.end(state.last), edge.row.ahead)
        }
        guard let wanted else { return }
        do throws(SQLiteError) {
            let run = try opened().run(after: wanted.position, end: wanted.end, except: wanted.done)
            core.update { state, resumptions in
                state.loaded(name, run, after: wanted.position)
                state.serve(name, &resumptions)
            }
            for packet in run.damaged { core.bury(packet, edge: name) }
        } catch {
            requestRecovery(error)
            store = nil
            core.readerWakeup.wait(until: milliseconds(CLOCK_MONOTONIC) + 100)
            core.submit(Read.load(edge: name))
        }
    }

    private func requestRecovery(_ error: SQLiteError) {
        guard error.isCorrupt else { return }
        let isFirst = core.state.withLock { state in
            defer { state.isRecoveryRequested = true }
            return !state.isRecoveryRequested
        }
        if isFirst { core.submit(Job.recover) }
    }
}

extension SpoolState {
    /// Takes over what was read for an edge. What is not there never will be, and is done.
    mutating func loaded(_ name: String, _ run: ReadStore.Run, after position: Int64) {
        guard var edge = edges.removeValue(forKey: name) else { return }
        edge.isLoading = false
        edge.position = max(edge.position, run.through)
        var expected = position + 1
        let present = (run.packets + run.damaged).map(\.sequence).sorted() + [run.through + 1]
        for sequence in present {
            if sequence > expected {
                let before = edge.row
                edge.row.cover(expected...sequence - 1)
                if edge.row != before { edge.isDirty = true }
            }
            expected = max(expected, sequence + 1)
        }
        for packet in run.packets { edge.ready.append(packet) }
        for packet in run.damaged {
            edge.inFlight[packet.sequence] = packet
            edge.damaged.insert(packet.sequence)
        }
        edges[name] = edge
    }

    mutating func note(_ words: String) {
        notes.append(words)
        unheard += 1
        if notes.count > 100 { notes.removeFirst() }
    }

    /// Replaces the edges and counts by those of the file; what is handed out or read ahead stays so.
    ///
    /// - Returns: the tasks that waited at edges which are no more.
    mutating func takeOver(_ contents: Contents) -> [Resumption] {
        var before = edges
        edges = [:]
        for row in contents.rows {
            var edge = before.removeValue(forKey: row.name) ?? EdgeState(row: row)
            edge.row = row
            edge.isDirty = false
            edge.backlogPackets = contents.backlogs[row.name]?.packets ?? 0
            edge.backlogEvents = contents.backlogs[row.name]?.events ?? 0
            edges[row.name] = edge
        }
        last = max(last, contents.last)
        packets = contents.packets
        bytes = contents.bytes
        deadLetters = contents.deadLetters
        deletes = []
        acknowledgementsSince = nil
        return before.values.flatMap { edge in
            var waiters = edge.waiters
            return waiters.removeAll().map { Resumption(continuation: $0.continuation, packet: nil) }
        }
    }
}
