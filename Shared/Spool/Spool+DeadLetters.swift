import Glibc
import SQLite
import Synchronization

/// Dead letters: kept until someone deletes them.
extension Spool {
    /// Keeps dead letters, all or none, and returns when they are synced to the disk.
    ///
    /// Taken also when the spool is full: an event must go somewhere. Throws `.disk` when there is no room, `.closed`.
    public func addDeadLetters(_ letters: [DeadLetter]) async throws(SpoolError) {
        if !letters.isEmpty { try await keep(letters, nil) }
    }

    func keep(_ letters: [DeadLetter], _ settling: Settling?) async throws(SpoolError) {
        let size = letters.reduce(Int64(0)) { $0 + Int64($1.original.count + 512) }
        _ = try await change(size: size, settling: settling) { (store) throws(SQLiteError) in
            for letter in letters { try store.insert(letter) }
            return letters.count
        }
    }

    /// Dead letters by number, oldest first.
    ///
    /// - Parameters:
    ///   - filter: which of them.
    ///   - limit: how many at most; their originals are all in memory at once.
    ///   - after: the number after which to begin; nil begins with the first.
    public func deadLetters(
        _ filter: DeadLetterFilter = .init(), limit: Int, after: Int64?
    ) async throws(SpoolError) -> [StoredDeadLetter] {
        try await query { (store) throws(SQLiteError) in try store.letters(filter, limit: limit, after: after) }
    }

    /// How many dead letters meet the conditions.
    public func countDeadLetters(_ filter: DeadLetterFilter = .init()) async throws(SpoolError) -> Int {
        try await query { (store) throws(SQLiteError) in try store.countLetters(filter) }
    }

    /// Dead letters of a spool that another process may have open: it only looks. None where there is no spool.
    public static func deadLetters(
        in directory: String, _ filter: DeadLetterFilter = .init(), limit: Int, after: Int64? = nil
    ) throws(SpoolError) -> [StoredDeadLetter] {
        try look(into: directory) { (store) throws(SQLiteError) in
            try store.letters(filter, limit: limit, after: after)
        } ?? []
    }

    /// How many dead letters meet the conditions in a spool that another process may have open; 0 where there is no spool.
    public static func countDeadLetters(
        in directory: String, _ filter: DeadLetterFilter = .init()
    ) throws(SpoolError) -> Int {
        try look(into: directory) { (store) throws(SQLiteError) in try store.countLetters(filter) } ?? 0
    }

    private static func look<R>(
        into directory: String, _ work: (ReadStore) throws(SQLiteError) -> R
    ) throws(SpoolError) -> R? {
        let path = SpoolFiles(directory: directory).main
        guard access(path, F_OK) == 0 else { return nil }
        do throws(SQLiteError) {
            return try work(try ReadStore(path: path, isOwner: false))
        } catch {
            throw .disk("cannot read \(path): \(error); try  spool check")
        }
    }

    /// One dead letter; nil when there is none with this number.
    public func deadLetter(_ id: Int64) async throws(SpoolError) -> StoredDeadLetter? {
        try await query { (store) throws(SQLiteError) in try store.letter(id) }
    }

    /// How many dead letters there are.
    public func deadLetterCount() -> Int { core.state.withLock { $0.deadLetters } }

    /// Deletes a dead letter, synced; false when there is none with this number.
    public func deleteDeadLetter(_ id: Int64) async throws(SpoolError) -> Bool {
        try await change(size: 512) { (store) throws(SQLiteError) in try store.delete(letter: id) ? -1 : 0 } != 0
    }

    /// Deletes dead letters in one transaction, synced; answers how many of these numbers there were.
    public func deleteDeadLetters(_ ids: [Int64]) async throws(SpoolError) -> Int {
        if ids.isEmpty { return 0 }
        return
            -(try await change(size: Int64(ids.count) * 512) { (store) throws(SQLiteError) in
                var count = 0
                for id in ids where try store.delete(letter: id) { count += 1 }
                return -count
            })
    }

    /// Replaces a dead letter (edited by a person), synced; false when there is none with this number.
    public func replaceDeadLetter(_ id: Int64, with letter: DeadLetter) async throws(SpoolError) -> Bool {
        let box = Box(Mutex(false))
        _ = try await change(size: Int64(letter.original.count + 512)) { (store) throws(SQLiteError) in
            let isThere = try store.replace(id, with: letter)
            box.value.withLock { $0 = isThere }
            return 0
        }
        return box.value.withLock { $0 }
    }

    private final class Box<Value: Sendable>: Sendable {
        let value: Mutex<Value>
        init(_ value: consuming Mutex<Value>) { self.value = value }
    }

    /// Runs `work` in the next transaction; it answers by how much the number of dead letters changes.
    private func change(
        size: Int64, settling: Settling? = nil, _ work: @escaping @Sendable (Store) throws(SQLiteError) -> Int
    ) async throws(SpoolError) -> Int {
        let difference = Box(Mutex(0))
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Int, SpoolError>, Never>) in
            let core = self.core
            let body: @Sendable (Store) throws(SQLiteError) -> Void = { (store) throws(SQLiteError) in
                let change = try work(store)
                difference.value.withLock { $0 = change }
            }
            core.submit(
                Job.change(
                    Change(size: size, settling: settling, work: body) { error in
                        if let error { return continuation.resume(returning: .failure(error)) }
                        let change = difference.value.withLock { $0 }
                        core.state.withLock { $0.deadLetters += change }
                        continuation.resume(returning: .success(change))
                    }))
        }
        return try result.get()
    }

    private func query<R: Sendable>(
        _ work: @escaping @Sendable (ReadStore) throws(SQLiteError) -> R
    ) async throws(SpoolError) -> R {
        let answer = Box<R?>(Mutex(nil))
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Void, SpoolError>, Never>) in
            let body: @Sendable (ReadStore) throws(SQLiteError) -> Void = { (store) throws(SQLiteError) in
                let found = try work(store)
                answer.value.withLock { $0 = found }
            }
            core.submit(
                Read.query(work: body) { error in
                    continuation.resume(returning: error.map { .failure($0) } ?? .success(()))
                })
        }
        try result.get()
        guard let found = answer.value.withLock({ $0 }) else { throw .closed }
        return found
    }
}
