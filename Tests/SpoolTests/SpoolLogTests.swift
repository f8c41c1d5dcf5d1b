import Glibc
import Testing

@testable import Spool

/// The write-ahead log: a torn end is no damage, a changed middle must not take what was acknowledged behind it.
@Suite(.timeLimit(.minutes(5))) struct SpoolLogTests {
    let place = Place()
    static let frame = Store.pageSize + SpoolLog.frameHeadSize

    /// What a killed process leaves: 40 packets, all in the log, 10 of them delivered to `a`.
    func killed() async throws -> Place {
        let spool = try place.spool(["a", "b"])
        for number in 1...40 {
            try await spool.append([packet(number, size: number % 4 == 0 ? 60_000 : 2_000)])
            guard number % 4 == 0, let next = await spool.take("a") else { continue }
            await spool.acknowledge(edge: "a", sequence: next.sequence)
        }
        // The acknowledgements are written with the next packet.
        try await spool.append([packet(41)])
        let copy = place.copy()
        await spool.close()
        return copy
    }

    func frames(_ place: Place) -> Int { (place.size("spool.sqlite-wal") - SpoolLog.headSize) / Self.frame }

    @Test func soundLogIsSilent() async throws {
        let copy = try await killed()
        let log = try #require(SpoolLog(path: copy.path + "/spool.sqlite-wal"))
        #expect(log.isHeaderSound && log.damage == nil && log.frames.count == frames(copy))
        #expect(!log.frames.contains { !$0.isSound })
        let spool = try copy.spool(["a", "b"])
        #expect(spool.notes.isEmpty && spool.backlog("b") == 41 && spool.backlog("a") == 31 && spool.isBalanced)
        await spool.close()
        // A closed spool leaves nothing in the log.
        #expect(copy.size("spool.sqlite-wal") <= 0)
        #expect(SpoolLog(path: "/nonexistent") == nil)
    }

    @Test(arguments: [0, 5, 31, 32, 40, 5_000, 32_824, 32_840, 100_000, -1, -20_000, -32_792, -32_800, -100_000, -400_000])
    func tornEndIsSilent(_ size: Int) async throws {
        let copy = try await killed()
        copy.cut("spool.sqlite-wal", to: size >= 0 ? size : copy.size("spool.sqlite-wal") + size)
        // Before the tables were made there is nothing.
        let spool = try copy.spool(["a", "b"])
        #expect(spool.notes.isEmpty && spool.isBalanced, "\(spool.notes)")
        let kept = await spool.drain("b")
        #expect(kept.map(\.id) == kept.indices.map { uuid($0 + 1) } && kept.areIntact)
        await spool.close()
    }

    @Test func garbageAtTheEndIsSilent() async throws {
        let copy = try await killed()
        let size = copy.size("spool.sqlite-wal")
        copy.write("spool.sqlite-wal", [UInt8](repeating: 0x5a, count: 100_000), at: size)
        // A torn write of the last frame, and frames behind it as of a transaction that was never finished.
        let bytes = copy.read("spool.sqlite-wal")
        var left = Array(bytes[SpoolLog.headSize..<SpoolLog.headSize + Self.frame])
        for at in 4..<8 { left[at] = 0 }
        copy.write("spool.sqlite-wal", left, at: size)
        let spool = try copy.spool(["a", "b"])
        #expect(spool.notes.isEmpty && spool.backlog("b") == 41)
        await spool.close()
    }

    /// Killed again and again in the middle of transactions: what they leave in the log is no damage.
    @Test func leftoversOfManyKillsAreSilent() async throws {
        var current = place
        var number = 0
        for round in 0..<12 {
            let spool = try current.spool(["a"])
            #expect(spool.notes.isEmpty, "\(spool.notes)")
            number += 1
            try await spool.append([packet(number)])
            async let long: Void = spool.append((0..<40).map { packet(10_000 * (round + 1) + $0, size: 30_000) })
            try await Task.sleep(nanoseconds: UInt64(round) * 700_000)
            let copy = current.copy()
            _ = try? await long
            await spool.close()
            current = copy
        }
        let spool = try current.spool(["a"])
        #expect(spool.notes.isEmpty && spool.isBalanced)
        let ids = Set(await spool.drain().map(\.id))
        #expect(Set((1...number).map { uuid($0) }).isSubset(of: ids))
        await spool.close()
    }

    @Test(arguments: 0..<16) func flippedInTheMiddle(_ seed: Int) async throws {
        let copy = try await killed()
        var dice = Dice(state: UInt64(seed))
        let count = frames(copy)
        let bit = UInt8(1) << UInt8.random(in: 0..<8, using: &dice)
        // In the head of a frame, in its page, in the log's own head.
        let frame = Int.random(in: 4..<count - 6, using: &dice)
        let within = seed % 3 == 0 ? Int.random(in: 0..<24, using: &dice) : Int.random(in: 24..<Self.frame, using: &dice)
        let at = seed % 8 == 7 ? Int.random(in: 0..<32, using: &dice) : SpoolLog.headSize + frame * Self.frame + within
        copy.write("spool.sqlite-wal", [copy.read("spool.sqlite-wal")[at] ^ bit], at: at)
        let what = "seed \(seed), byte \(at), frame \(frame) of \(count)"
        #expect(!Spool.check(directory: copy.path).isEmpty, "\(what)")
        let spool = try copy.spool(["a", "b"])
        #expect(spool.notes.count == 1 && spool.notes[0].contains("log is damaged"), "\(what): \(spool.notes)")
        #expect(copy.names.contains { $0.hasPrefix("spool.sqlite.corrupt-") && $0.hasSuffix("-wal") })
        #expect(spool.isBalanced)
        let kept = await spool.drain("b")
        #expect(kept.areIntact, "\(what)")
        // One page holds one long packet, or some short ones: all others are there, the ones behind too.
        let ids = Set(kept.map(\.id))
        #expect(kept.count + spool.deadLetterCount() >= 38 && ids.contains(uuid(41)), "\(what): \(kept.count), \(spool.notes)")
        #expect(spool.isBalanced)
        await spool.close()
        #expect(Spool.check(directory: copy.path).isEmpty)
    }

    @Test func aStretchDestroyed() async throws {
        let copy = try await killed()
        let at = SpoolLog.headSize + frames(copy) / 2 * Self.frame - 100
        copy.write("spool.sqlite-wal", [UInt8](repeating: 0, count: 3 * Self.frame), at: at)
        let spool = try copy.spool(["a", "b"])
        #expect(spool.notes.count == 1 && spool.isBalanced, "\(spool.notes)")
        let kept = await spool.drain("b")
        #expect(kept.count >= 30 && kept.areIntact && kept.last?.id == uuid(41), "\(kept.count)")
        await spool.close()
    }
}
