import Glibc
import TestSupport
import Testing

@testable import Spool

/// Accepted = acknowledged + backlog + lost, for every edge and to the event, whatever happens.
@Suite(.timeLimit(.minutes(5))) struct SpoolAccountTests {
    let place = Place()

    func letter(_ number: Int) -> DeadLetter {
        DeadLetter(
            eventID: "\(number)", packetID: uuid(number), worker: "w", edge: "a", code: "refused", detail: "d", tries: 1,
            firstTime: 1, lastTime: 2, original: Array("{\"n\":\(number)}".utf8), mediaType: "application/json")
    }

    func events(_ numbers: ClosedRange<Int>) -> Int { numbers.reduce(0) { $0 + packet($1).events } }

    @Test func addUpAfterEachKill() async throws {
        let spool = try place.spool(["a", "b"])
        for number in 1...60 {
            try await spool.append([packet(number)])
            // Twice the same is accepted once.
            if number % 10 == 0 { try await spool.append([packet(number), packet(number - 1)]) }
            if number % 3 == 0, let next = await spool.take("a") {
                await spool.acknowledge(edge: "a", sequence: next.sequence, dropped: 1)
            }
            guard number % 6 == 0 else { continue }
            let copy = place.copy()
            let other = try copy.spool(["a", "b"])
            #expect(other.isBalanced && other.notes.isEmpty)
            #expect(other.edge("a").acceptedEvents == events(1...number))
            #expect(other.edge("b").backlogEvents == events(1...number))
            await other.close()
        }
        await spool.close()
        let again = try place.spool(["a", "b"])
        #expect(again.isBalanced && again.edge("a").acknowledgedEvents == events(1...20))
        #expect(again.edge("a").droppedEvents == 20 && again.edge("a").lostEvents == 0)
        await again.close()
    }

    @Test func edgesComeAndGo() async throws {
        let spool = try place.spool(["a"])
        try await spool.append([packet(1), packet(2)])
        try await spool.setEdges(["a", "b"])
        try await spool.append([packet(3)])
        #expect(spool.edge("a").acceptedEvents == events(1...3) && spool.edge("b").acceptedEvents == events(3...3))
        let next = try #require(await spool.take("a"))
        await spool.acknowledge(edge: "a", sequence: next.sequence)
        // a leaves: what comes now is not accepted for it.
        try await spool.setEdges(["b"])
        try await spool.append([packet(4)])
        #expect(spool.edge("a").acceptedEvents == events(1...3) && spool.isBalanced && spool.edge("a").isRetained)
        let copy = place.copy()
        await spool.close()
        let other = try copy.spool(["a", "b", "c"])
        try await other.append([packet(5)])
        #expect(other.isBalanced && other.edge("a").acceptedEvents == events(1...3) + events(5...5))
        #expect(await other.drain("a").count == 3)
        #expect(other.edge("c").acceptedEvents == events(5...5) && other.isBalanced)
        try await other.setEdges(["c"])
        try await other.discard(edge: "b")
        #expect(other.status().edges.map(\.name) == ["c"] && other.isBalanced)
        await other.close()
    }

    @Test func manyHolesAreAllKept() async throws {
        let spool = try place.spool()
        try await spool.append((1...10_000).map { packet($0, size: 1) })
        var taken: [SpooledPacket] = []
        for _ in 1...10_000 { if let next = await spool.next(edge: "a") { taken.append(next) } }
        for next in taken where next.sequence % 2 == 0 { await spool.acknowledge(edge: "a", sequence: next.sequence) }
        await spool.close()
        let again = try place.spool()
        #expect(again.isBalanced && again.backlog("a") == 5_000 && again.notes.isEmpty)
        await again.close()
    }

    @Test func numbersOfEventsThatCannotBeAddedUp() async throws {
        let spool = try place.spool()
        for (number, events) in [Int.max, Int.min, -1, 1 << 40, 0].enumerated() {
            try await spool.append([SpoolPacket(id: "\(number)", events: events, bytes: [1])])
        }
        #expect(spool.isBalanced && spool.edge("a").acceptedEvents == 2 << 31)
        await spool.close()
        let again = try place.spool()
        #expect(await again.drain().count == 5)
        #expect(again.isBalanced && again.notes.isEmpty)
        await again.close()
    }

    @Test func lettersAndAcknowledgementAreOneTransaction() async throws {
        let spool = try place.spool(["a", "b"])
        try await spool.append((1...40).map { packet($0) })
        var seen = 0
        for number in 1...40 {
            let next = try #require(await spool.take("a"))
            try await spool.acknowledge(edge: "a", sequence: next.sequence, deadLetters: [letter(number)])
            guard number % 8 == 0 else { continue }
            seen += 1
            // Killed right after: neither the letter twice nor the packet again.
            let copy = place.copy()
            let other = try copy.spool(["a", "b"])
            #expect(other.deadLetterCount() == number && other.backlog("a") == 40 - number && other.isBalanced)
            #expect(other.edge("a").deadLetteredEvents == number)
            await other.close()
        }
        #expect(seen == 5 && spool.isBalanced)
        // Done twice, or never handed out: the letters are kept, the accounts stay.
        try await spool.acknowledge(edge: "a", sequence: 1, deadLetters: [letter(1)])
        try await spool.acknowledge(edge: "b", sequence: 1, deadLetters: [letter(1)])
        try await spool.acknowledge(edge: "none", sequence: 1, deadLetters: [letter(1)])
        #expect(spool.deadLetterCount() == 43 && spool.isBalanced && spool.backlog("b") == 40)
        for number in 1...40 {
            let next = try #require(await spool.take("b"))
            try await spool.acknowledge(
                edge: "b", sequence: next.sequence, deadLetters: [letter(number)], deadLettered: 0, dropped: 1)
        }
        #expect(spool.status().packets == 0 && spool.status().bytes == 0 && spool.isBalanced)
        await spool.close()
        let again = try place.spool(["a", "b"])
        #expect(again.status().packets == 0 && again.isBalanced && again.deadLetterCount() == 83)
        #expect(again.edge("b").droppedEvents == 40 && again.edge("b").deadLetteredEvents == 0)
        await again.close()
    }

    /// Changes a closed file behind the spool's back.
    func edit(_ sql: String) throws {
        unlink("\(place.path)/spool.sqlite-wal")
        unlink("\(place.path)/spool.sqlite-shm")
        try SQL.run(sql, in: "\(place.path)/spool.sqlite")
    }

    func filled() async throws {
        let spool = try place.spool(["a", "b"])
        try await spool.append((1...20).map { packet($0) })
        for _ in 1...5 {
            let next = try #require(await spool.take("a"))
            await spool.acknowledge(edge: "a", sequence: next.sequence)
        }
        await spool.close()
    }

    @Test func aChangedCursorIsNoticed() async throws {
        try await filled()
        try edit("UPDATE edge SET cursor = 17 WHERE name = 'a'")
        let spool = try place.spool(["a", "b"])
        #expect(spool.notes.count == 1 && spool.notes[0].contains("edge a") && spool.isBalanced, "\(spool.notes)")
        #expect(await spool.drain("a").count == 20)
        #expect(spool.edge("a").lostEvents == 0 && spool.isBalanced && spool.edge("a").acceptedEvents == events(1...20))
        await spool.close()
        let again = try place.spool(["a", "b"])
        #expect(again.notes.isEmpty && again.isBalanced)
        await again.close()
    }

    @Test(arguments: ["cursor = 2", "accepted = 1000000", "accepted = 3", "acknowledged = -9223372036854775807", "lost = 9"])
    func changedAccountsAreNoticed(_ change: String) async throws {
        try await filled()
        try edit("UPDATE edge SET \(change) WHERE name = 'a'")
        let spool = try place.spool(["a", "b"])
        #expect(spool.notes.count == 1 && spool.isBalanced, "\(spool.notes)")
        #expect(await spool.drain("a").count >= 15)
        #expect(spool.isBalanced && spool.edge("b").lostEvents == 0)
        await spool.close()
    }

    @Test func lostPacketsAreCounted() async throws {
        try await filled()
        // The list still knows them: lost for the one that needed them.
        try edit("DELETE FROM body WHERE sequence IN (3, 7, 8)")
        let spool = try place.spool(["a", "b"])
        _ = await spool.take("b", seconds: 5)
        #expect(await eventually { spool.notes.count == 1 && spool.edge("b").lostEvents > 0 }, "\(spool.notes)")
        #expect(spool.isBalanced && spool.edge("a").lostEvents == events(7...8))
        #expect(spool.edge("b").lostEvents == events(7...8) + events(3...3))
        #expect(spool.status().packets == 17)
        await spool.close()
    }

    @Test func whatMemoryHoldsIsNotLost() async throws {
        let spool = try place.spool(["a"])
        try await spool.append((1...20).map { packet($0) })
        let held = try #require(await spool.take("a"))
        try SQL.run("DELETE FROM body; UPDATE packet SET live = 7 WHERE sequence = 20", in: "\(place.path)/spool.sqlite")
        spool.core.submit(Job.recover)
        #expect(await eventually { spool.notes.count == 1 })
        #expect(spool.isBalanced && spool.edge("a").lostEvents == 0 && spool.backlog("a") == 20, "\(spool.notes)")
        await spool.acknowledge(edge: "a", sequence: held.sequence)
        await spool.close()
        let again = try place.spool(["a"])
        #expect(await again.drain() == (2...20).map { packet($0) })
        #expect(again.isBalanced && again.notes.isEmpty)
        await again.close()
    }
}
