import Glibc
import Testing

@testable import Spool

/// What is cut off the end of the log looks as if it had never been: the tally knows better.
@Suite(.timeLimit(.minutes(5))) struct SpoolTallyTests {
    let place = Place()
    static let total = (1...40).reduce(0) { $0 + packet($1).events }

    /// What a killed process leaves: 40 packets, all in the log, none of them delivered to `b`.
    func killed() async throws -> Place {
        let spool = try place.spool(["a", "b"])
        for number in 1...40 {
            try await spool.append([packet(number, size: 20_000)])
            guard number % 4 == 0, let next = await spool.take("a") else { continue }
            await spool.acknowledge(edge: "a", sequence: next.sequence)
        }
        let copy = place.copy(["spool.sqlite", "spool.sqlite-wal", "spool.tally"])
        await spool.close()
        return copy
    }

    /// Opens it, and checks that what is missing is counted, once.
    func check(_ copy: Place, _ what: String) async throws {
        for isAgain in [false, true] {
            let spool = try copy.spool(["a", "b"])
            #expect(spool.notes.contains { $0.contains("edge b: the files have lost") } != isAgain, "\(what): \(spool.notes)")
            #expect(spool.isBalanced, "\(what): \(spool.status().edges)")
            let there = spool.edge("b").backlogEvents
            #expect(there + spool.edge("b").lostEvents == Self.total && spool.edge("b").acceptedEvents == Self.total, "\(what)")
            #expect(spool.edge("a").acceptedEvents == Self.total)
            await spool.close()
        }
        let spool = try copy.spool(["a", "b"])
        #expect(await spool.drain("b").areIntact)
        await spool.close()
    }

    @Test func soundFilesAreSilent() async throws {
        let copy = try await killed()
        let spool = try copy.spool(["a", "b"])
        #expect(spool.notes.isEmpty && spool.edge("b").lostEvents == 0 && spool.backlog("b") == 40)
        await spool.close()
    }

    @Test(arguments: [0, 40, 100_000, 400_000, -33_000, -200_000, -500_000]) func cutLogIsCounted(_ size: Int) async throws {
        let copy = try await killed()
        copy.cut("spool.sqlite-wal", to: size >= 0 ? size : copy.size("spool.sqlite-wal") + size)
        try await check(copy, "log cut by \(size)")
    }

    @Test func changedLastFrameIsCounted() async throws {
        let copy = try await killed()
        let at = copy.size("spool.sqlite-wal") - 1_000
        copy.write("spool.sqlite-wal", [copy.read("spool.sqlite-wal")[at] ^ 4], at: at)
        try await check(copy, "last frame")
    }

    @Test func missingLogIsCounted() async throws {
        let copy = try await killed()
        unlink(copy.path + "/spool.sqlite-wal")
        try await check(copy, "no log")
    }

    @Test func emptiedFileIsCounted() async throws {
        let copy = try await killed()
        copy.cut("spool.sqlite", to: 0)
        copy.cut("spool.sqlite-wal", to: 0)
        try await check(copy, "emptied")
    }

    @Test(arguments: [0, 3, 9, 20, 60, 100]) func aDamagedTallyIsNoTally(_ at: Int) async throws {
        let copy = try await killed()
        copy.cut("spool.sqlite-wal", to: 100_000)
        let bytes = copy.read("spool.tally")
        #expect(bytes.count > 100)
        copy.write("spool.tally", [bytes[at] ^ 0x81], at: at)
        var spool = try copy.spool(["a", "b"])
        #expect(spool.notes.isEmpty && spool.isBalanced)
        await spool.close()
        copy.cut("spool.tally", to: at)
        spool = try copy.spool(["a", "b"])
        #expect(spool.notes.isEmpty && spool.isBalanced)
        await spool.close()
    }

    @Test func anEdgeThatComesBackBeginsAnew() async throws {
        var spool = try place.spool(["a", "b"])
        try await spool.append([packet(1)])
        _ = await spool.drain("a")
        _ = await spool.drain("b")
        try await spool.setEdges(["b"])
        try await spool.append([packet(2)])
        await spool.close()
        spool = try place.spool(["a", "b"])
        #expect(spool.notes.isEmpty && spool.edge("a").acceptedEvents == 0 && spool.edge("a").lostEvents == 0)
        await spool.close()
    }

    @Test func aSpoolTakenAwayIsNotMissed() async throws {
        let copy = try await killed()
        for name in ["spool.sqlite", "spool.sqlite-wal"] { unlink("\(copy.path)/\(name)") }
        let spool = try copy.spool(["a", "b"])
        #expect(spool.notes.isEmpty && spool.edge("b").acceptedEvents == 0)
        await spool.close()
    }
}
