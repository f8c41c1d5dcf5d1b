import Glibc
import Synchronization

/// A bounded memory of 128-bit keys, each with an owner and a time to live: what a deduplicator has seen lately.
///
/// With a path it is a mapped file that survives the end of the process, also by `kill -9` (not a crash of the machine: what
/// was not yet on the disk is forgotten, and a half-written slot reads as empty). Without one it lives in memory.
/// All calls may come from any thread. Times are Unix seconds; when the clock goes back, a key stays at most its time to live
/// from the next claim on. The file must not be cut while it is open.
public final class RecentSet: Sendable {
    /// What a claim found.
    public enum Claim: Sendable, Equatable {
        /// Not seen within its time: recorded now.
        case new
        /// Recorded before by the same owner: the same event once more, not a second one.
        case same
        /// Recorded before by another owner.
        case duplicate
    }

    /// The greatest capacity, in keys.
    public static let greatestCapacity = 1 << 36

    /// A lock of its own cache line, for a part of the buckets.
    private struct Stripe: ~Copyable {
        let mutex = Mutex<UInt64>(0)
        let padding: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
    }

    private static let stripes = 256

    /// The keys it is meant for; there is room for twice as many, so that few lose their place early.
    public let capacity: Int
    private nonisolated(unsafe) let slots: UnsafeMutablePointer<Slot>
    private nonisolated(unsafe) let locks: UnsafeMutablePointer<Stripe>
    private let buckets: UInt64
    private let seed: UInt64
    private let memory: Memory

    /// Keeps the mapping until the set is gone.
    private final class Memory: Sendable {
        let file: RecentSetFile
        init(_ file: consuming RecentSetFile) { self.file = file }
    }

    /// Opens or makes a memory for `capacity` keys (about 64 bytes each).
    ///
    /// - Parameter path: the file, made when it is missing or empty; nil keeps the memory in this process. When it was made
    ///   for another capacity, its living keys move to a new file in its place.
    ///
    /// Throws when the file is something else, of another version, cut, in use by another process, or has no room.
    public init(path: String?, capacity: Int) throws(RecentSetError) {
        guard capacity >= 1, capacity <= RecentSet.greatestCapacity else { throw .badCapacity(capacity) }
        if let path {
            let file = try RecentSetFile(path: path, capacity: capacity)
            if file.capacity == capacity {
                memory = Memory(file)
            } else {
                memory = Memory(try RecentSet.resized(file, path, capacity))
            }
        } else {
            memory = Memory(try RecentSetFile(capacity: capacity))
        }
        self.capacity = capacity
        slots = RecentSet.slots(memory.file)
        buckets = UInt64(memory.file.buckets)
        seed = memory.file.seed
        locks = UnsafeMutablePointer<Stripe>.allocate(capacity: RecentSet.stripes)
        for at in 0..<RecentSet.stripes { (locks + at).initialize(to: Stripe()) }
    }

    deinit {
        locks.deinitialize(count: RecentSet.stripes)
        locks.deallocate()
    }

    private static func slots(_ file: borrowing RecentSetFile) -> UnsafeMutablePointer<Slot> {
        let count = file.buckets * RecentSetFile.bucketSlots
        return (file.base + RecentSetFile.headerBytes).bindMemory(to: Slot.self, capacity: count)
    }

    private static func resized(
        _ old: borrowing RecentSetFile, _ path: String, _ capacity: Int
    ) throws(RecentSetError) -> RecentSetFile {
        let temporary = path + ".resizing"
        unlink(temporary)
        let new = try RecentSetFile(path: temporary, capacity: capacity)
        let from = slots(old)
        let to = slots(new)
        for at in 0..<old.buckets * RecentSetFile.bucketSlots where from[at].isSound {
            let slot = from[at]
            let bucket = to + bucket(slot.high, slot.low, new.seed, UInt64(new.buckets)) * RecentSetFile.bucketSlots
            place(slot.high, slot.low, slot.owner, slot.expiry, in: bucket, now: 0, greatest: .max)
        }
        guard rename(temporary, path) == 0 else {
            throw .system("cannot rename \(temporary) to \(path): \(String(cString: strerror(errno)))")
        }
        return new
    }

    @inline(__always)
    private static func bucket(_ high: UInt64, _ low: UInt64, _ seed: UInt64, _ buckets: UInt64) -> Int {
        // The seed is secret: nobody can choose keys that push others out of their bucket.
        Int(truncatingIfNeeded: mixed(mixed(high ^ seed) &+ low).multipliedFullWidth(by: buckets).high)
    }

    /// Records the key for `owner` unless it is recorded and alive. The first claim counts: later ones do not prolong its time.
    ///
    /// - Parameters:
    ///   - key: a hash of what makes two events the same.
    ///   - owner: tells redeliveries of one event from another event with the same key (e.g. a hash of the event's id).
    ///   - now: Unix time in seconds.
    ///   - timeToLive: seconds; with 0 nothing is ever a duplicate.
    public func claim(key: (UInt64, UInt64), owner: UInt64, now: UInt32, timeToLive: UInt32) -> Claim {
        let number = RecentSet.bucket(key.0, key.1, seed, buckets)
        let bucket = slots + number &* RecentSetFile.bucketSlots
        let (sum, isOver) = now.addingReportingOverflow(timeToLive)
        let expiry = isOver ? UInt32.max : sum
        return locks[number & (RecentSet.stripes - 1)].mutex.withLock { _ in
            for at in 0..<RecentSetFile.bucketSlots
            where bucket[at].low == key.1 && bucket[at].high == key.0 && bucket[at].isSound {
                let slot = bucket[at]
                // Further away than it could be set now: the clock went back, or the time to live became shorter.
                let end = min(slot.expiry, expiry)
                if end <= now {
                    bucket[at].write(key.0, key.1, owner, expiry)
                    return .new
                }
                if end != slot.expiry { bucket[at].write(key.0, key.1, slot.owner, end) }
                return slot.owner == owner ? .same : .duplicate
            }
            RecentSet.place(key.0, key.1, owner, expiry, in: bucket, now: now, greatest: expiry)
            return .new
        }
    }

    /// Writes to an empty or expired slot, else to the one that expires first.
    @inline(__always)
    private static func place(
        _ high: UInt64, _ low: UInt64, _ owner: UInt64, _ expiry: UInt32, in bucket: UnsafeMutablePointer<Slot>, now: UInt32,
        greatest: UInt32
    ) {
        var victim = 0
        var earliest = UInt32.max
        for at in 0..<RecentSetFile.bucketSlots {
            let end = bucket[at].check == 0 ? 0 : min(bucket[at].expiry, greatest)
            if end <= now {
                victim = at
                break
            }
            if end < earliest {
                victim = at
                earliest = end
            }
        }
        bucket[victim].write(high, low, owner, expiry)
    }

    /// Forgets the key if `owner` holds it; whether it did. For an event that was claimed and then could not be handed on.
    @discardableResult
    public func release(key: (UInt64, UInt64), owner: UInt64) -> Bool {
        let number = RecentSet.bucket(key.0, key.1, seed, buckets)
        let bucket = slots + number &* RecentSetFile.bucketSlots
        return locks[number & (RecentSet.stripes - 1)].mutex.withLock { _ in
            for at in 0..<RecentSetFile.bucketSlots
            where bucket[at].low == key.1 && bucket[at].high == key.0 && bucket[at].isSound && bucket[at].owner == owner {
                bucket[at].clear()
                return true
            }
            return false
        }
    }

    /// About how many keys are alive, from up to 4,096 buckets evenly taken.
    public func estimatedCount(now: UInt32) -> Int {
        let looked = min(buckets, 4_096)
        var alive = 0
        for sample in 0..<looked {
            let number = Int(sample * buckets / looked)
            let bucket = slots + number * RecentSetFile.bucketSlots
            locks[number & (RecentSet.stripes - 1)].mutex.withLock { _ in
                for at in 0..<RecentSetFile.bucketSlots where bucket[at].isSound && bucket[at].expiry > now { alive += 1 }
            }
        }
        return Int(Double(alive) * Double(buckets) / Double(looked))
    }
}

/// A key's place. All zero is empty; a check that does not fit the rest means a write that did not end, also empty.
struct Slot {
    private(set) var high: UInt64
    private(set) var low: UInt64
    private(set) var owner: UInt64
    private(set) var expiry: UInt32
    private(set) var check: UInt32

    @inline(__always)
    private static func check(_ high: UInt64, _ low: UInt64, _ owner: UInt64, _ expiry: UInt32) -> UInt32 {
        let sum = (high &* 0x9E37_79B9_7F4A_7C15) ^ (low &+ owner &* 0xC2B2_AE3D_27D4_EB4F) &+ UInt64(expiry)
        return UInt32(truncatingIfNeeded: mixed(sum) &>> 32) | 1
    }

    var isSound: Bool { @inline(__always) get { check == Slot.check(high, low, owner, expiry) } }

    @inline(__always)
    mutating func write(_ high: UInt64, _ low: UInt64, _ owner: UInt64, _ expiry: UInt32) {
        self.high = high
        self.low = low
        self.owner = owner
        self.expiry = expiry
        check = Slot.check(high, low, owner, expiry)
    }

    mutating func clear() {
        check = 0
        high = 0
        low = 0
        owner = 0
        expiry = 0
    }
}
