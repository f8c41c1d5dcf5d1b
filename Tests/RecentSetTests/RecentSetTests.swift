import Glibc
import Testing

@testable import RecentSet

@Suite struct RecentSetTests {
    /// A file of its own, removed at the end.
    final class Place: Sendable {
        let path = "/tmp/recent-\(getpid())-\(UInt64.random(in: .min ... .max))"

        deinit { unlink(path) }

        func edit(_ body: (Int32) -> Void) {
            let descriptor = open(path, O_RDWR | O_CREAT, 0o600)
            body(descriptor)
            close(descriptor)
        }

        func poke(_ bytes: [UInt8], at offset: Int) { edit { _ = pwrite($0, bytes, bytes.count, offset) } }

        var size: Int {
            var status = stat()
            return stat(path, &status) == 0 ? Int(status.st_size) : -1
        }
    }

    let place = Place()

    func key(_ number: Int) -> (UInt64, UInt64) { (mixed(UInt64(number)), mixed(UInt64(number) ^ 0x5555)) }

    @Test func claimsAndReleases() throws {
        let set = try RecentSet(path: nil, capacity: 100)
        #expect(set.claim(key: key(1), owner: 7, now: 1_000, timeToLive: 60) == .new)
        #expect(set.claim(key: key(1), owner: 7, now: 1_001, timeToLive: 60) == .same)
        #expect(set.claim(key: key(1), owner: 8, now: 1_059, timeToLive: 60) == .duplicate)
        // The first claim counts, not the last.
        #expect(set.claim(key: key(1), owner: 8, now: 1_060, timeToLive: 60) == .new)
        #expect(!set.release(key: key(1), owner: 7) && !set.release(key: key(2), owner: 8))
        #expect(set.release(key: key(1), owner: 8) && !set.release(key: key(1), owner: 8))
        #expect(set.claim(key: key(1), owner: 9, now: 1_061, timeToLive: 60) == .new)
        // Zero keys, owners, times.
        #expect(set.claim(key: (0, 0), owner: 0, now: 0, timeToLive: 1) == .new)
        #expect(set.claim(key: (0, 0), owner: 0, now: 0, timeToLive: 1) == .same)
        #expect(set.claim(key: key(3), owner: 1, now: 5, timeToLive: 0) == .new)
        #expect(set.claim(key: key(3), owner: 2, now: 5, timeToLive: 0) == .new)
        #expect(set.claim(key: key(4), owner: 1, now: .max - 1, timeToLive: .max) == .new)
        #expect(set.claim(key: key(4), owner: 2, now: .max - 1, timeToLive: .max) == .duplicate)
    }

    @Test func clockGoesBack() throws {
        let set = try RecentSet(path: nil, capacity: 100)
        // Recorded by a clock twenty years ahead.
        #expect(set.claim(key: key(1), owner: 1, now: 2_400_000_000, timeToLive: 60) == .new)
        #expect(set.claim(key: key(1), owner: 2, now: 1_700_000_000, timeToLive: 60) == .duplicate)
        #expect(set.claim(key: key(1), owner: 2, now: 1_700_000_059, timeToLive: 60) == .duplicate)
        #expect(set.claim(key: key(1), owner: 2, now: 1_700_000_060, timeToLive: 60) == .new)
        // Keys from the future do not hold their places against those of today.
        let small = try RecentSet(path: nil, capacity: 1)
        for number in 0..<8 { _ = small.claim(key: key(number), owner: 1, now: 2_400_000_000, timeToLive: 60) }
        #expect(small.claim(key: key(100), owner: 1, now: 1_700_000_000, timeToLive: 60) == .new)
        #expect(small.claim(key: key(100), owner: 2, now: 1_700_000_000, timeToLive: 60) == .duplicate)
    }

    @Test func firstToExpireGoes() throws {
        let set = try RecentSet(path: nil, capacity: 1)
        for number in 0..<8 {
            #expect(set.claim(key: key(number), owner: 1, now: 100, timeToLive: number == 5 ? 10 : 50) == .new)
        }
        #expect(set.claim(key: key(8), owner: 1, now: 100, timeToLive: 50) == .new)
        for number in [0, 1, 2, 3, 4, 6, 7, 8] {
            #expect(set.claim(key: key(number), owner: 2, now: 101, timeToLive: 50) == .duplicate, "\(number)")
        }
        #expect(set.claim(key: key(5), owner: 2, now: 101, timeToLive: 50) == .new)
    }

    @Test func keepsAlmostAllOfItsCapacity() throws {
        let set = try RecentSet(path: nil, capacity: 100_000)
        for number in 0..<100_000 { #expect(set.claim(key: key(number), owner: 1, now: 1, timeToLive: 9) == .new) }
        var kept = 0
        for number in 0..<100_000 where set.claim(key: key(number), owner: 2, now: 2, timeToLive: 9) == .duplicate { kept += 1 }
        #expect(kept > 98_000)
        let estimate = set.estimatedCount(now: 2)
        #expect(estimate > 90_000 && estimate < 110_000, "\(estimate)")
        #expect(set.estimatedCount(now: 100) == 0)
    }

    @Test func survivesAndMovesToAnotherCapacity() throws {
        do {
            let set = try RecentSet(path: place.path, capacity: 1_000)
            for number in 0..<1_000 { _ = set.claim(key: key(number), owner: UInt64(number), now: 1, timeToLive: 100) }
            #expect(throws: RecentSetError.inUse(place.path)) { try RecentSet(path: place.path, capacity: 1_000) }
        }
        for capacity in [1_000, 5_000, 2_000] {
            let set = try RecentSet(path: place.path, capacity: capacity)
            var kept = 0
            for number in 0..<1_000 where set.claim(key: key(number), owner: UInt64(number), now: 2, timeToLive: 100) == .same {
                kept += 1
            }
            #expect(kept > 950, "\(capacity): \(kept)")
            #expect(place.size == 4_096 + (capacity * 2 + 7) / 8 * 256)
        }
        #expect(throws: RecentSetError.badCapacity(0)) { try RecentSet(path: place.path, capacity: 0) }
        #expect(throws: RecentSetError.badCapacity(.max)) { try RecentSet(path: nil, capacity: .max) }
        #expect(throws: RecentSetError.self) { try RecentSet(path: "/proc/none/x", capacity: 1) }
        #expect(throws: RecentSetError.self) { try RecentSet(path: "/dev/null", capacity: 1) }
    }

    @Test func refusesWhatIsNotItsFile() throws {
        // Empty, and never finished: made anew.
        place.edit { _ in }
        _ = try RecentSet(path: place.path, capacity: 100)
        let whole = place.size
        place.poke([UInt8](repeating: 0, count: 4_096), at: 0)
        _ = try RecentSet(path: place.path, capacity: 100)

        for size in [1, 40, 48, 4_096, whole - 1, whole + 1] {
            truncate(place.path, size)
            #expect(throws: RecentSetError.self, "\(size)") { try RecentSet(path: place.path, capacity: 100) }
            #expect(place.size == size)
            truncate(place.path, 0)
            _ = try RecentSet(path: place.path, capacity: 100)
        }
        for offset in [0, 8, 12, 16, 24, 32, 40] {
            // Four bytes, because the seed is random and may hold one of them by itself.
            place.poke([0xee, 0xdd, 0xcc, 0xbb], at: offset)
            #expect(throws: RecentSetError.self, "\(offset)") { try RecentSet(path: place.path, capacity: 100) }
            truncate(place.path, 0)
            _ = try RecentSet(path: place.path, capacity: 100)
        }
    }

    @Test func tornSlotsAreEmpty() throws {
        do {
            let set = try RecentSet(path: place.path, capacity: 4)
            for number in 0..<4 { _ = set.claim(key: key(number), owner: 1, now: 1, timeToLive: 100) }
        }
        // The expiry of the first slot changes, its check does not.
        place.poke([0xff, 0xff], at: 4_096 + 24)
        let set = try RecentSet(path: place.path, capacity: 4)
        let claims = (0..<4).map { set.claim(key: key($0), owner: 2, now: 2, timeToLive: 100) }
        #expect(claims == [.new, .duplicate, .duplicate, .duplicate])
        // Noise everywhere.
        let other = Place()
        do { _ = try RecentSet(path: other.path, capacity: 100) }
        other.poke((0..<other.size - 4_096).map { _ in UInt8.random(in: 0...255) }, at: 4_096)
        let noisy = try RecentSet(path: other.path, capacity: 100)
        #expect(noisy.estimatedCount(now: 0) == 0)
        for number in 0..<20 { #expect(noisy.claim(key: key(number), owner: 1, now: 1, timeToLive: 9) == .new) }
    }

    @Test func oneNewAmongMany() async throws {
        let set = try RecentSet(path: place.path, capacity: 50_000)
        var new = [Int](repeating: 0, count: 5_000)
        await withTaskGroup(of: [Int].self) { group in
            for task in 0..<8 {
                group.addTask {
                    (0..<5_000).filter { number in
                        let key = (mixed(UInt64(number)), UInt64(number))
                        return set.claim(key: key, owner: UInt64(task), now: 1, timeToLive: 9) == .new
                    }
                }
            }
            for await found in group { for number in found { new[number] += 1 } }
        }
        #expect(new.allSatisfy { $0 == 1 })
    }
}
