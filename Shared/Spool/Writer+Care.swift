import Glibc
import SQLite

/// What the writer does beside writing: the log, a full disk, a damaged file, other edges, the end.
extension Writer {
    /// After each transaction, and from time to time when there is something to be put in order.
    func care(isIdle: Bool) {
        let now = milliseconds(CLOCK_MONOTONIC)
        lastCare = now
        let isRefusing = core.state.withLock { $0.refusal != nil }
        if store == nil || isRefusing {
            guard now >= nextCare else { return }
            nextCare = now + 1_000
            if store == nil { recover(because: "not yet replaced") } else { tryAgain() }
            return
        }
        do throws(SQLiteError) {
            if loggedBytes >= checkpointBytes { try checkpoint() }
            if isIdle { try shrink() }
        } catch {
            troubled(error)
        }
    }

    private func checkpoint() throws(SQLiteError) {
        guard let store else { return }
        // A reader may hold back the log's new beginning; it is waited for only when the log has become long.
        let done = try store.database.checkpoint(restart: loggedBytes >= 4 * checkpointBytes)
        if done.log == done.copied { loggedBytes = 0 }
    }

    /// As many pages as are given back at a time, and kept to work with: 32 MiB.
    private static let pagesAtATime = Int64(32 << 20 / Store.pageSize)

    /// Gives pages back to the disk in small steps, but keeps some to work with.
    private func shrink() throws(SQLiteError) {
        guard let store, freedBytes > 0 else { return }
        let free = try store.database.integer("PRAGMA freelist_count") ?? 0
        guard free > Self.pagesAtATime else {
            // The file becomes shorter when all of the log is in it; a reader may have been in the way.
            if isShrinking { try checkpoint() }
            guard !isShrinking || loggedBytes == 0 else { return }
            isShrinking = false
            freedBytes = 0
            return
        }
        try store.database.setSynchronous(.normal)
        try store.database.execute("PRAGMA incremental_vacuum(\(Self.pagesAtATime))")
        isShrinking = true
        loggedBytes += 64 << 10
        if loggedBytes >= checkpointBytes || free <= 2 * Self.pagesAtATime { try checkpoint() }
    }

    func holdReserve() {
        if !core.files.holdReserve(reserveBytes) {
            refuse("no room for \(core.files.directory)/spool.reserve (\(reserveBytes) bytes); free some space on that disk")
        }
    }

    private func refuse(_ words: String) {
        core.state.withLock { $0.refusal = words }
        nextCare = milliseconds(CLOCK_MONOTONIC) + 1_000
    }

    /// An error of the file: the next transactions shall have it easier.
    func troubled(_ error: SQLiteError) {
        if error.isCorrupt { return recover(because: error.message) }
        guard error.isFull || error.code == 10 else { return }
        core.files.giveUpReserve()
        refuse(core.words(error))
        // In the room of the reserve the log can be copied and begun anew; deletions then need no more room.
        _ = try? store?.database.checkpoint(restart: true)
    }

    private func tryAgain() {
        guard let store else { return }
        do throws(SQLiteError) {
            var batch = Batch()
            core.state.withLock { takeAcknowledgements(&$0, &batch) }
            if !batch.isEmpty { try writeAcknowledgements(batch, store) }
            try store.database.checkpoint(restart: true)
            loggedBytes = 0
            try store.database.execute("PRAGMA incremental_vacuum(\(Self.pagesAtATime))")
            try store.database.checkpoint(restart: true)
        } catch {
            if error.isCorrupt { recover(because: error.message) }
            return
        }
        guard core.files.holdReserve(reserveBytes) else { return }
        core.state.withLock { $0.refusal = nil }
    }

    private func writeAcknowledgements(_ batch: Batch, _ store: Store) throws(SQLiteError) {
        let last = core.state.withLock { $0.last }
        do throws(SQLiteError) {
            try store.database.setSynchronous(.normal)
            try store.database.transaction { () throws(SQLiteError) in
                for sequence in batch.deletes { try store.end(sequence, last: last) }
                for edge in batch.edges { try store.write(edge) }
            }
        } catch {
            putBack(batch)
            throw error
        }
    }

    // Other edges, another file.

    func changeEdges(_ names: [String], _ discard: Set<String>, _ reply: (SpoolError?) -> Void) {
        guard let store else { return reply(.disk("\(core.files.main) is damaged and could not be replaced yet")) }
        do throws(SQLiteError) {
            try store.database.setSynchronous(.full)
            try align(store, wanted: names, discard: discard)
            writeTally()
            reply(nil)
        } catch {
            troubled(error)
            reply(.disk(core.words(error)))
        }
    }

    /// Brings file and memory in line. Callers wait meanwhile: it is rare, and nothing may move between counting and taking over.
    private func align(_ store: Store, wanted: [String]?, discard: Set<String> = []) throws(SQLiteError) {
        let result: Result<[Resumption], SQLiteError> = core.state.withLock { state in
            do throws(SQLiteError) {
                let names = wanted ?? state.edges.values.filter { $0.row.until == nil }.map(\.row.name)
                let contents = try store.reconcile(wanted: names, discard: discard, rows: state.edges.values.map(\.row))
                return .success(state.takeOver(contents))
            } catch {
                return .failure(error)
            }
        }
        for resumption in try result.get() { resumption.continuation.resume(returning: resumption.packet) }
        core.update { state, resumptions in
            for name in Array(state.edges.keys) { state.serve(name, &resumptions) }
        }
    }

    /// Replaces a damaged file by what is readable of it; memory goes on and knows the cursors.
    func recover(because reason: String) {
        store = nil
        nextCare = milliseconds(CLOCK_MONOTONIC) + 1_000
        let closed = Wakeup()
        let replaced = Wakeup()
        core.submit(.reopen(closed: closed, replaced: replaced))
        closed.wait(until: nil)
        defer {
            replaced.post()
            core.state.withLock { $0.isRecoveryRequested = false }
        }
        do throws(SpoolError) {
            if !isReplaced {
                let known = core.state.withLock { $0.known }
                let result = try Salvage.run(core.files, because: reason, known: known)
                core.state.withLock { state in
                    state.note(result.note)
                    for (name, correction) in result.corrections { state.edges[name]?.row.apply(correction) }
                }
                isReplaced = true
            }
            do throws(SQLiteError) {
                let opened = try Store(path: core.files.main)
                try align(opened, wanted: nil)
                store = opened
                loggedBytes = 0
                isReplaced = false
            } catch {
                throw .disk(core.words(error))
            }
        } catch {
            refuse(error.description)
        }
        if store != nil { core.state.withLock { $0.refusal = nil } }
    }

    /// Closes the file and tells everyone.
    func finish() {
        core.state.withLock { $0.isClosed = true }
        core.wakeReaderToEnd()
        core.readerEnded.wait(until: nil)
        // All of the log goes into the file, and none of it stays: what is not there cannot be damaged.
        _ = try? store?.database.execute("PRAGMA journal_size_limit = 0")
        _ = try? store?.database.checkpoint()
        store = nil
        core.unlock()
        let closers = core.state.withLock { state in
            defer { state.closers = [] }
            state.isFinished = true
            return state.closers
        }
        for closer in closers { closer.resume() }
    }
}
