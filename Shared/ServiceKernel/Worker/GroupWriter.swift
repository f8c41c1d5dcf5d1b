import Synchronization
import Threads

/// Writes on a thread of its own, all at once whatever has come while the last write was under way (group commit):
/// a store that syncs is asked to do it once for many packets, and no task's thread waits for a disk.
public final class GroupWriter<Item: Sendable>: Sendable {
    private typealias Waiting = (item: Item, answer: CheckedContinuation<Rejection?, Never>)

    private final class Core: Sendable {
        let waiting = Mutex<[Waiting]>([])
        let isClosed = Atomic<Bool>(false)
        let signal = UnsafeSemaphore(0)
    }
    private let core = Core()

    /// Starts the thread.
    /// - Parameter write: writes items, all or none, and returns when they are safe. Throwing refuses all of them.
    public init(_ write: @escaping @Sendable ([Item]) throws(Rejection) -> Void) {
        startThread { [core] in
            while true {
                core.signal.wait()
                let waiting = core.waiting.withLock { waiting in
                    defer { waiting = [] }
                    return waiting
                }
                if waiting.isEmpty {
                    if core.isClosed.load(ordering: .relaxed) { return }
                    continue
                }
                var refusal: Rejection?
                do throws(Rejection) { try write(waiting.map(\.item)) } catch { refusal = error }
                for one in waiting { one.answer.resume(returning: refusal) }
            }
        }
    }

    deinit {
        core.isClosed.store(true, ordering: .relaxed)
        core.signal.signal()
    }

    /// Returns when the item is safe.
    public func write(_ item: Item) async throws(Rejection) {
        let refusal = await withCheckedContinuation { answer in
            core.waiting.withLock { $0.append((item, answer)) }
            core.signal.signal()
        }
        if let refusal { throw refusal }
    }
}
