import Glibc
import Spool
import Testing

/// `spool ls`, `check` and `repair`.
@Suite(.timeLimit(.minutes(5))) struct SpoolInspectionTests {
    let place = Place()

    func filled() async throws -> Spool {
        let spool = try place.spool(["a", "b"])
        for number in 1...20 { try await spool.append([packet(number, size: 20_000)]) }
        for _ in 1...4 {
            let next = try #require(await spool.take("a"))
            if next.packet != packet(2, size: 20_000) { await spool.acknowledge(edge: "a", sequence: next.sequence) }
        }
        for _ in 1...2 {
            let next = try #require(await spool.take("b"))
            await spool.acknowledge(edge: "b", sequence: next.sequence)
        }
        try await spool.addDeadLetters([
            DeadLetter(
                eventID: "1", packetID: "p", worker: "w", edge: nil, code: "c", detail: "d", tries: 1, firstTime: 1, lastTime: 1,
                original: [1], mediaType: "text/plain")
        ])
        return spool
    }

    @Test func looksAtOneInUseAndAtAClosedOne() async throws {
        let spool = try await filled()
        for isInUse in [true, false] {
            let seen = try Spool.inspect(directory: place.path, limit: 5)
            #expect(seen.isInUse == isInUse && seen.formatVersion == 1 && seen.deadLetters == 1 && seen.setAside.isEmpty)
            #expect(seen.packetCount == 19 && seen.packetBytes == 19 * 20_000 && seen.packets.count == 5)
            #expect(seen.packets.map(\.neededBy) == [["a"], ["b"], ["b"], ["a", "b"], ["a", "b"]])
            #expect(seen.packets[0].id == uuid(2) && seen.packets[0].events == 3 && seen.packets[0].bytes == 20_000)
            #expect(seen.packets[0].created > 1_700_000_000_000 && seen.packets.map(\.sequence) == [2, 3, 4, 5, 6])
            #expect(seen.edges.map(\.backlogPackets) == [17, 18] && seen.edges.map(\.isBalanced) == [true, true])
            #expect(Spool.check(directory: place.path).isEmpty)
            if isInUse {
                #expect(seen.logBytes > 0)
                #expect(throws: SpoolError.self) { try Spool.repair(directory: place.path) }
                await spool.close()
            }
        }
        #expect(try Spool.inspect(directory: place.path, limit: 1_000).packets.count == 19)
        #expect(try Spool.inspect(directory: place.path, limit: -1).packets.isEmpty)
        #expect(try Spool.repair(directory: place.path).contains("nothing was done"))
    }

    @Test func looksAtOneThatWasKilled() async throws {
        let spool = try await filled()
        let copy = place.copy()
        await spool.close()
        let before = (copy.read("spool.sqlite"), copy.read("spool.sqlite-wal"))
        #expect(try Spool.inspect(directory: copy.path).packetCount == 19)
        #expect(Spool.check(directory: copy.path).isEmpty)
        // The log is the only place where some of it stands: looking must not copy it or take it away.
        #expect(copy.read("spool.sqlite") == before.0 && copy.read("spool.sqlite-wal") == before.1)
    }

    @Test func whereThereIsNone() {
        #expect(throws: SpoolError.self) { try Spool.inspect(directory: "/nonexistent") }
        #expect(throws: SpoolError.self) { try Spool.repair(directory: place.path) }
        #expect(Spool.check(directory: place.path).isEmpty && place.names.isEmpty)
    }

    @Test(arguments: [
        ("DELETE FROM body WHERE sequence = 7", "packet 7 has no content"),
        ("UPDATE packet SET live = 0 WHERE sequence = 7", "packet 7 is not in the list"),
        ("UPDATE edge SET acknowledged = 1 WHERE name = 'a'", "edge a: its accounts do not add up"),
        ("UPDATE body SET bytes = zeroblob(20000) WHERE sequence = 8", "packet 8 (\(uuid(8))) is not what was written"),
    ]) func findsAndRepairs(_ change: String, _ words: String) async throws {
        let spool = try await filled()
        await spool.close()
        try SQL.run(change, in: "\(place.path)/spool.sqlite")
        let problems = Spool.check(directory: place.path)
        #expect(problems.contains { $0.contains(words) }, "\(problems)")
        let note = try Spool.repair(directory: place.path)
        #expect(note.contains("is set aside as"), "\(note)")
        #expect(Spool.check(directory: place.path).isEmpty)
        #expect(try Spool.inspect(directory: place.path).setAside.count >= 1)
        let again = try place.spool(["a", "b"])
        #expect(again.notes.isEmpty && again.isBalanced && again.status().packets >= 18)
        #expect(await again.drain("b").areIntact)
        await again.close()
    }

    @Test func brokenInManyWays() async throws {
        let spool = try await filled()
        await spool.close()
        let whole = place.read("spool.sqlite")
        for (at, size) in [(0, 100), (0, 40_000), (16, 2), (28, 4), (32_768, 9_000), (100_000, 200_000)] {
            place.write("spool.sqlite", whole)
            place.write("spool.sqlite", [UInt8](repeating: 0xff, count: size), at: at)
            let problems = Spool.check(directory: place.path)
            if at != 28 { #expect(!problems.isEmpty, "\(at)") }
            _ = try? Spool.inspect(directory: place.path)
            _ = try Spool.repair(directory: place.path)
            #expect(Spool.check(directory: place.path).isEmpty, "\(at)")
            let again = try place.spool(["a", "b"])
            #expect(again.notes.isEmpty && again.isBalanced, "\(at): \(again.notes)")
            await again.close()
        }
        place.write("spool.sqlite", whole)
        place.write("spool.sqlite", [9], at: 63)
        #expect(Spool.check(directory: place.path).first?.contains("later version") == true)
        #expect(throws: SpoolError.self) { try Spool.repair(directory: place.path) }
        #expect(throws: SpoolError.self) { try Spool.inspect(directory: place.path) }
        place.cut("spool.sqlite", to: 0)
        #expect(Spool.check(directory: place.path).count == 1)
    }

    /// The repair forgot whose the packets are: whoever opens the spool next gets them.
    @Test func edgesThatCannotBeRead() async throws {
        let spool = try await filled()
        await spool.close()
        try SQL.run("DELETE FROM edge", in: "\(place.path)/spool.sqlite")
        _ = try Spool.repair(directory: place.path)
        let again = try place.spool(["a", "b"])
        #expect(again.backlog("a") == 19 && again.backlog("b") == 19 && again.isBalanced)
        await again.close()
    }
}
