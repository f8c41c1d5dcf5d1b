import Glibc
import SQLite
import Threads

/// The durable queue of a worker: packets on the worker's own disk, one cursor per edge of the graph.
///
/// Kept in `DIRECTORY/spool.sqlite` (write-ahead log, `synchronous = FULL`), with a tally beside it that tells a cut log. One thread writes: everything that waits is
/// committed with one sync and answered together. A packet leaves the disk when every edge that was in the graph when it came
/// has acknowledged it. Acknowledgements are not synced by themselves: what a crash of the machine loses of them is delivered
/// again; `kill -9` loses none that were written (at most 200 ms old ones).
public final class Spool: Sendable {
    let core: SpoolCore

    /// Opens or creates the spool in `directory`, which is made when it is missing and locked for this process.
    ///
    /// - Parameters:
    ///   - edges: the edges of the graph. A new one gets the packets that come from now on. One that is in the file but not
    ///     here gets no new packets; its backlog is kept, can be taken by `next`, and is named in `notes`.
    ///   - limitBytes: the bytes of packets at which new ones are refused.
    ///   - groupCommitMilliseconds: how long a commit waits at most for senders that were just answered.
    ///
    /// A damaged file is set aside (`spool.sqlite.corrupt-TIME`), what is readable of it is kept, and `notes` says so.
    /// Throws `.disk` when the directory cannot be used, is in use by another process, or is of a newer version.
    public init(
        directory: String, edges: [String], limitBytes: Int64, groupCommitMilliseconds: Int = 2
    ) throws(SpoolError) {
        var notes: [String] = []
        let files = SpoolFiles(directory: directory)
        try files.makeDirectory()
        let lock = try files.lock()
        let opened: (store: Store, contents: Contents)
        do throws(SpoolError) {
            opened = try Spool.open(files, edges, &notes)
        } catch {
            Glibc.close(lock)
            throw error
        }
        var state = SpoolState(contents: opened.contents, notes: notes)
        let wanted = Set(edges)
        for row in opened.contents.rows where !wanted.contains(row.name) {
            let backlog = opened.contents.backlogs[row.name] ?? (0, 0)
            let kept = "\(backlog.packets) packets with \(backlog.events) events"
            state.note("edge \(row.name) is no longer in the graph; its \(kept) are kept")
        }
        core = SpoolCore(
            files: files, limitBytes: limitBytes, groupCommitMilliseconds: groupCommitMilliseconds, lock: lock, state: state)
        let writer = Writer(core: core, store: opened.store, recent: opened.contents.recent)
        let reader = Reader(core: core)
        guard startThread({ reader.run() }) else {
            throw .disk("cannot start a thread for the spool in \(directory); raise the limit of threads")
        }
        guard startThread({ writer.run() }) else {
            core.state.withLock { $0.isClosed = true }
            core.wakeReaderToEnd()
            throw .disk("cannot start a thread for the spool in \(directory); raise the limit of threads")
        }
    }

    deinit {
        core.update { state, _ in state.isClosing = true }
    }

    static func open(
        _ files: SpoolFiles, _ edges: [String]?, _ notes: inout [String]
    ) throws(SpoolError) -> (store: Store, contents: Contents) {
        let time = milliseconds(CLOCK_REALTIME) / 1_000
        if let aside = files.exchange(at: time) { notes.append("a repair of \(files.main) was finished; before: \(aside)") }
        let wasThere = try files.prepareMain()
        // Without the file there is nothing to compare: somebody has taken the spool away.
        let tally = wasThere ? Tally.read(files.tally) : nil
        let reason: String
        do throws(SQLiteError) {
            if wasThere, files.isEmptyMain { notes.append("\(files.main) was empty (cut or never finished) and is made anew") }
            if let damage = SpoolLog(path: files.log)?.damage {
                throw SQLiteError(code: 11, message: "its log is damaged: \(damage.words)", sql: "")
            }
            try refuseNewer(files)
            let store = try Store(path: files.main)
            let contents = try store.reconcile(wanted: edges, tally: tally)
            notes += contents.notes
            return (store, contents)
        } catch {
            // 1 is what missing tables and columns lead to.
            guard error.isCorrupt || error.code == 1 else { throw files.refused(error) }
            reason = error.message
        }
        let salvaged = try Salvage.run(files, because: reason)
        notes.append(salvaged.note)
        do throws(SQLiteError) {
            let store = try Store(path: files.main)
            let contents = try store.reconcile(wanted: edges, salvaged: salvaged, tally: tally)
            notes += contents.notes
            return (store, contents)
        } catch {
            throw files.refused(error)
        }
    }

    /// A file of a later version is not damaged: going on with it would damage it.
    private static func refuseNewer(_ files: SpoolFiles) throws(SQLiteError) {
        let database = try SQLiteDatabase(path: files.main, access: .readWrite)
        try database.keepLogFile()
        let version = try database.integer("PRAGMA user_version") ?? 0
        guard version > Store.version, try database.integer("PRAGMA application_id") == Store.applicationID else { return }
        throw later(Int(version))
    }

    /// What was found and done to the file since it was opened, for the log and for people; the last 100.
    public var notes: [String] { core.state.withLock { $0.notes } }

    /// The notes that were not taken before, for whoever logs them.
    public func takeNotes() -> [String] {
        core.state.withLock { state in
            defer { state.unheard = 0 }
            return Array(state.notes.suffix(state.unheard))
        }
    }

    /// What the spool holds, from counters: cheap.
    public func status() -> SpoolStatus {
        let now = milliseconds(CLOCK_REALTIME)
        return core.state.withLock { state in
            SpoolStatus(
                packets: max(0, state.packets), bytes: max(0, state.bytes), limitBytes: core.limitBytes,
                oldestAgeSeconds: state.oldestTime.map { Double(max(0, now - $0)) / 1_000 } ?? 0,
                edges: state.edges.values.sorted { $0.row.name < $1.row.name }.map { SpoolStatus.Edge($0) },
                deadLetters: state.deadLetters, refusal: state.refusal)
        }
    }

    /// Changes the edges while the spool runs, with the same rules as opening it with them.
    public func setEdges(_ edges: [String]) async throws(SpoolError) {
        try await change(edges, discard: [])
    }

    /// Gives up the backlog of an edge that is no longer in the graph. Its events are counted nowhere: look at `status` before.
    public func discard(edge: String) async throws(SpoolError) {
        let current = core.state.withLock { $0.edges.values.filter { $0.row.until == nil }.map(\.row.name) }
        try await change(current, discard: [edge])
    }

    private func change(_ edges: [String], discard: Set<String>) async throws(SpoolError) {
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Void, SpoolError>, Never>) in
            core.submit(
                Job.edges(edges, discard: discard) { error in
                    continuation.resume(returning: error.map { .failure($0) } ?? .success(()))
                })
        }
        try result.get()
    }

    /// Writes what was accepted and acknowledged, ends both threads and lets go of the directory. `next` answers nil from now on.
    public func close() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isFinished = core.update { state, resumptions in
                state.isClosing = true
                for name in Array(state.edges.keys) {
                    let waiters = state.edges[name]?.waiters.removeAll() ?? []
                    resumptions += waiters.map { Resumption(continuation: $0.continuation, packet: nil) }
                }
                if !state.isFinished { state.closers.append(continuation) }
                return state.isFinished
            }
            if isFinished { continuation.resume() }
        }
    }
}

extension SpoolState {
    init(contents: Contents, notes: [String]) {
        self.init(hot: HotPackets(limit: HotPackets.limit), last: contents.last)
        _ = takeOver(contents)
        timeline = contents.timeline
        self.notes = notes
        unheard = notes.count
    }
}

extension SpoolStatus.Edge {
    init(_ edge: EdgeState) {
        self.init(
            name: edge.row.name, backlogPackets: max(0, edge.backlogPackets), backlogEvents: max(0, edge.backlogEvents),
            inFlight: edge.inFlight.count, acknowledgedEvents: Int(edge.row.acknowledged),
            deadLetteredEvents: Int(edge.row.deadLettered), droppedEvents: Int(edge.row.dropped),
            acceptedEvents: Int(edge.row.accepted), lostEvents: Int(edge.row.lost), isRetained: edge.row.until != nil)
    }
}
