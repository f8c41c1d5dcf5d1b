import Spool
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct SpoolTests {
    let place = Place()

    @Test func handsOutInOrderAndDeletesWhatIsAcknowledged() async throws {
        let spool = try place.spool()
        try await spool.append((1...10).map { packet($0) })
        try await spool.append([])
        var status = spool.status()
        #expect(status.packets == 10 && status.bytes == 1_000 && status.edges.map(\.backlogPackets) == [10])
        for number in 1...10 {
            let next = try #require(await spool.take("a"))
            #expect(next.packet == packet(number))
            await spool.acknowledge(edge: "a", sequence: next.sequence, deadLettered: 1)
        }
        status = spool.status()
        #expect(status.packets == 0 && status.bytes == 0 && status.oldestAgeSeconds == 0)
        let events = (1...10).reduce(0) { $0 + packet($1).events }
        #expect(status.edges[0].acknowledgedEvents == events && status.edges[0].deadLetteredEvents == 10)
        await spool.close()
        let again = try place.spool()
        #expect(again.status().packets == 0 && again.status().edges[0].acknowledgedEvents == events)
        #expect(again.notes.isEmpty)
        await again.close()
    }

    @Test func releasedAndUnacknowledgedComeAgain() async throws {
        let spool = try place.spool()
        try await spool.append((1...5).map { packet($0) })
        var taken: [SpooledPacket] = []
        for _ in 1...4 { taken.append(try #require(await spool.take("a"))) }
        // Out of order: 2 and 4 are done, 1 and 3 are not.
        await spool.acknowledge(edge: "a", sequence: taken[3].sequence)
        await spool.acknowledge(edge: "a", sequence: taken[1].sequence)
        await spool.acknowledge(edge: "a", sequence: taken[1].sequence)
        await spool.acknowledge(edge: "a", sequence: 4_711)
        await spool.acknowledge(edge: "none", sequence: 1)
        spool.release(edge: "a", sequence: taken[2].sequence)
        spool.release(edge: "a", sequence: taken[0].sequence)
        spool.release(edge: "a", sequence: 4_711)
        #expect(await spool.take("a")?.packet == packet(1))
        #expect(await spool.take("a")?.packet == packet(3))
        // A late acknowledgement of a packet that was given back counts.
        spool.release(edge: "a", sequence: taken[0].sequence)
        await spool.acknowledge(edge: "a", sequence: taken[0].sequence)
        #expect(await spool.take("a")?.packet == packet(5))
        #expect(spool.status().packets == 2)
        await spool.close()
        #expect(await spool.take("a") == nil)
        let again = try place.spool()
        #expect(await again.drain() == [packet(3), packet(5)])
        await again.close()
    }

    @Test func waitsAndIsWoken() async throws {
        let spool = try place.spool(["a", "b"])
        let waiting = (0..<4).map { _ in Task { await spool.take("a") } }
        let cancelled = Task { await spool.take("b") }
        try await Task.sleep(nanoseconds: 20_000_000)
        cancelled.cancel()
        #expect(await cancelled.value == nil)
        try await spool.append((1...3).map { packet($0) })
        #expect(await eventually { spool.status().edges[0].inFlight == 3 })
        await spool.close()
        var got: [SpooledPacket] = []
        for task in waiting { if let one = await task.value { got.append(one) } }
        #expect(Set(got.map(\.packet.id)) == Set((1...3).map(uuid)))
        await #expect(throws: SpoolError.closed) { try await spool.append([packet(9)]) }
        await #expect(throws: SpoolError.closed) { _ = try await spool.deadLetters(limit: 1, after: nil) }
        await spool.close()
    }

    @Test func samePacketTwiceHasOneEffect() async throws {
        let spool = try place.spool()
        try await spool.append([packet(1), packet(2), packet(1)])
        let upper = SpoolPacket(id: "ABCDEF00-0000-4000-8000-0000000000AB", events: 1, bytes: [1])
        let lower = SpoolPacket(id: "abcdef00-0000-4000-8000-0000000000ab", events: 1, bytes: [1])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for at in 0..<20 { group.addTask { try await spool.append([packet(2), at % 2 == 0 ? upper : lower, packet(3)]) } }
            try await group.waitForAll()
        }
        #expect(spool.status().packets == 4)
        #expect(await spool.drain().count == 4)
        // Also when it is long delivered, and after a restart.
        try await spool.append([packet(1)])
        #expect(spool.status().packets == 0)
        await spool.close()
        let again = try place.spool()
        try await again.append([packet(1), packet(2), packet(3), lower])
        #expect(again.status().packets == 0)
        // Without an id there is nothing to compare.
        let unnamed = SpoolPacket(id: "", events: 1, bytes: [7])
        try await again.append([unnamed, unnamed])
        let odd = SpoolPacket(id: "ü ' \" \u{0} x", events: 1, bytes: [])
        try await again.append([odd])
        try await again.append([odd])
        #expect(await again.drain() == [unnamed, unnamed, odd])
        await again.close()
    }

    @Test func refusesWhenFullAndGoesOn() async throws {
        let spool = try place.spool(limit: 1_000)
        try await spool.append((1...9).map { packet($0) })
        await #expect(throws: SpoolError.full(limit: 1_000, used: 900)) { try await spool.append([packet(10), packet(11)]) }
        // All or none: nothing of the refused call is there, nor remembered.
        #expect(spool.status().packets == 9)
        try await spool.append([packet(10)])
        await #expect(throws: SpoolError.full(limit: 1_000, used: 1_000)) { try await spool.append([packet(11)]) }
        try await spool.append([packet(1)])
        let first = try #require(await spool.take("a"))
        await spool.acknowledge(edge: "a", sequence: first.sequence)
        try await spool.append([packet(11)])
        await #expect(throws: SpoolError.self) { try await spool.append([packet(12, size: 2_000)]) }
        #expect(await spool.drain() == (2...11).map { packet($0) })
        await spool.close()
    }

    @Test func sixteenAtOnce() async throws {
        let spool = try place.spool(["a", "b"])
        let consumers = ["a", "b"].map { edge in
            Task {
                var numbers: [String] = []
                while numbers.count < 1_600, let next = await spool.take(edge) {
                    numbers.append(next.packet.id)
                    await spool.acknowledge(edge: edge, sequence: next.sequence)
                }
                return numbers
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<16 {
                group.addTask { for at in 0..<100 { try await spool.append([packet(task * 1_000 + at)]) } }
            }
            try await group.waitForAll()
        }
        let all = Set((0..<16).flatMap { task in (0..<100).map { uuid(task * 1_000 + $0) } })
        for consumer in consumers {
            let ids = await consumer.value
            #expect(ids.count == 1_600 && Set(ids) == all)
        }
        #expect(spool.status().packets == 0)
        await spool.close()
    }

    @Test func backlogBeyondMemoryComesFromTheDisk() async throws {
        let spool = try place.spool(["fast", "slow"])
        for number in 1...60 {
            try await spool.append([packet(number, size: 1 << 20)])
            let next = try #require(await spool.take("fast"))
            #expect(next.packet.id == uuid(number))
            await spool.acknowledge(edge: "fast", sequence: next.sequence)
        }
        #expect(spool.status().packets == 60)
        for number in 1...60 {
            let next = try #require(await spool.take("slow"))
            #expect(next.packet.id == uuid(number))
            if number % 10 == 1 { #expect(next.packet == packet(number, size: 1 << 20)) }
            await spool.acknowledge(edge: "slow", sequence: next.sequence)
        }
        #expect(spool.status().packets == 0)
        // The file gives its room back.
        let shrunk = await eventually { place.size("spool.sqlite") < 50 << 20 }
        #expect(shrunk, "\(place.size("spool.sqlite"))")
        await spool.close()
    }

    @Test func oneProcessOnly() async throws {
        let spool = try place.spool()
        #expect(throws: SpoolError.self) { try place.spool() }
        await spool.close()
        let again = try place.spool()
        await again.close()
        #expect(throws: SpoolError.self) { try Spool(directory: "/proc/spool", edges: [], limitBytes: 1) }
    }

    @Test func letsGoWhenForgotten() async throws {
        do {
            let spool = try place.spool()
            try await spool.append([packet(1)])
        }
        let isFree = await eventually {
            guard let again = try? place.spool() else { return false }
            let kept = await again.drain()
            await again.close()
            return kept == [packet(1)]
        }
        #expect(isFree)
    }

    @Test func deadLetters() async throws {
        let spool = try place.spool()
        func letter(_ number: Int) -> DeadLetter {
            DeadLetter(
                eventID: uuid(number), packetID: uuid(0), worker: "w", edge: number % 2 == 0 ? nil : "a", code: "malformed",
                detail: "ä\n\u{0}", tries: 3, firstTime: 1, lastTime: 2, original: Array("{\"n\":\(number)}".utf8),
                mediaType: "application/json")
        }
        try await spool.addDeadLetters((1...5).map(letter))
        try await spool.addDeadLetters([])
        #expect(spool.deadLetterCount() == 5)
        let first = try await spool.deadLetters(limit: 2, after: nil)
        #expect(first.map(\.letter) == [letter(1), letter(2)])
        #expect(try await spool.deadLetters(limit: 10, after: first[1].id).map(\.letter) == (3...5).map(letter))
        #expect(try await spool.deleteDeadLetter(first[0].id))
        #expect(try await !spool.deleteDeadLetter(first[0].id))
        #expect(try await spool.replaceDeadLetter(first[1].id, with: letter(7)))
        #expect(try await !spool.replaceDeadLetter(99, with: letter(7)))
        #expect(try await spool.deadLetter(first[1].id)?.letter == letter(7))
        #expect(try await spool.deadLetter(first[0].id) == nil)
        await spool.close()
        let again = try place.spool()
        #expect(again.deadLetterCount() == 4 && again.status().deadLetters == 4)
        await again.close()
    }
}
