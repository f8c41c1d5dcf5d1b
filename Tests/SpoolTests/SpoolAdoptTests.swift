import Glibc
import Testing

@testable import Spool

/// A slot that is no more: its packets and dead letters go to another.
@Suite(.timeLimit(.minutes(5))) struct SpoolAdoptTests {
    let place = Place()
    let vanished = Place()

    func letter(_ number: Int) -> DeadLetter {
        DeadLetter(
            eventID: "", packetID: uuid(number / 3), worker: "w", edge: nil, code: "c", detail: "d", tries: 1, firstTime: 1,
            lastTime: 1, original: Array("row \(number / 2)".utf8), mediaType: "text/plain")
    }

    /// 300 packets for a, b and gone; a has 1...100, b the even ones, gone all but 298...300; 301 came twice; 400 dead letters.
    func filled() async throws {
        let spool = try vanished.spool(["a", "b", "gone"])
        for first in stride(from: 1, to: 300, by: 50) {
            try await spool.append((first..<first + 50).map { packet($0, size: 20_000) })
        }
        var taken: [SpooledPacket] = []
        for number in 1...300 {
            if number <= 100, let next = await spool.next(edge: "a") { taken.append(next) }
            for next in taken { await spool.acknowledge(edge: "a", sequence: next.sequence) }
            taken = []
            if let next = await spool.next(edge: "b"), number % 2 == 0 {
                await spool.acknowledge(edge: "b", sequence: next.sequence)
            }
            if let next = await spool.next(edge: "gone"), number <= 297 {
                await spool.acknowledge(edge: "gone", sequence: next.sequence)
            }
        }
        try await spool.append([packet(301)])
        try await spool.addDeadLetters((1...400).map(letter))
        await spool.close()
    }

    func check(_ spool: Spool) async throws {
        #expect(spool.isBalanced && spool.notes.isEmpty)
        #expect(spool.edge("gone").isRetained)
        let a = await spool.drain("a").map(\.id)
        #expect(a.sorted() == ((101...301).map { uuid($0) } + [uuid(900)]).sorted(), "\(a.count)")
        let b = await spool.drain("b")
        #expect(b.map(\.id).sorted() == (stride(from: 1, through: 301, by: 2).map { uuid($0) } + [uuid(900)]).sorted())
        #expect(b.areIntact && spool.isBalanced)
        #expect(Set(await spool.drain("gone").map(\.id)) == Set((298...301).map { uuid($0) }))
        #expect(spool.status().packets == 0 && spool.isBalanced)
        let letters = try await spool.deadLetters(limit: 1_000, after: nil).map(\.letter)
        #expect(letters.count == 401 && letters.count { $0 == letter(399) } == letters.count { $0 == letter(398) })
    }

    @Test func eachEdgeGetsWhatItStillNeeds() async throws {
        try await filled()
        let spool = try place.spool(["a", "b"])
        try await spool.append([packet(900)])
        try await spool.addDeadLetters([letter(1_000)])
        let got = try await spool.adopt(from: vanished.path)
        #expect(got.packets == 251 && got.deadLetters == 400, "\(got)")
        #expect(access(vanished.path, F_OK) != 0, "\(vanished.names)")
        #expect(try await spool.adopt(from: vanished.path) == (0, 0))
        // What is on the disk says the same.
        let copy = place.copy()
        let other = try copy.spool(["a", "b"])
        #expect(other.notes.count == 1 && other.notes[0].contains("edge gone"))
        #expect(other.backlog("a") == 202 && other.backlog("b") == 152 && other.backlog("gone") == 4 && other.isBalanced)
        await other.close()
        try await check(spool)
        // The next goes on as ever.
        try await spool.append([packet(902), packet(901)])
        #expect(await spool.drain("a").count == 2 && spool.isBalanced)
        await spool.close()
        let again = try place.spool(["a", "b"])
        #expect(again.isBalanced && again.backlog("b") == 2)
        await again.close()
    }

    @Test func killedInTheMiddle() async throws {
        try await filled()
        let spool = try place.spool(["a", "b"])
        try await spool.append([packet(900)])
        try await spool.addDeadLetters([letter(1_000)])
        let before = vanished.copy()
        // The other spool is only read until the end: it is the same at any moment.
        let adopter = Adopter(core: spool.core, other: SpoolFiles(directory: vanished.path), bytesAtATime: 200_000)
        let adopting = Task.detached { adopter.run() }
        var copies: [Place] = []
        var size = 0
        while access("\(vanished.path)/spool.sqlite", F_OK) == 0, copies.count < 12 {
            usleep(500)
            let now = place.size("spool.sqlite-wal")
            guard now > size + 600_000 else { continue }
            copies.append(place.copy())
            size = now
        }
        #expect(try await adopting.value.get().packets == 251)
        copies.append(place.copy())
        await spool.close()
        var partial = 0
        for copy in copies {
            let rest = before.copy()
            let other = try copy.spool(["a", "b"])
            let had = other.backlog("a")
            if had > 1, had < 202 { partial += 1 }
            let got = try await other.adopt(from: rest.path)
            #expect(access(rest.path, F_OK) != 0 && got.packets <= 251)
            let reopened = other.notes.isEmpty
            if reopened { try await check(other) } else { #expect(other.isBalanced && other.backlog("a") == 202) }
            await other.close()
        }
        #expect(partial > 0 || copies.count < 3, "\(copies.count)")
    }

    @Test func leftAloneWhenInUseOrNotThere() async throws {
        let spool = try place.spool()
        let other = try vanished.spool()
        try await other.append([packet(1)])
        #expect(try await spool.adopt(from: vanished.path) == (0, 0))
        #expect(try await spool.adopt(from: place.path) == (0, 0))
        #expect(try await spool.adopt(from: "/nonexistent/slot-9") == (0, 0))
        await other.close()
        // Something else in the folder stays.
        vanished.write("state.json", [1])
        #expect(try await spool.adopt(from: vanished.path) == (1, 0))
        #expect(vanished.names == ["state.json"])
        #expect(await spool.drain() == [packet(1)])
        await spool.close()
        await #expect(throws: SpoolError.self) {
            let other = try vanished.spool()
            try await other.append([packet(2)])
            await other.close()
            _ = try await spool.adopt(from: vanished.path)
        }
        let again = try vanished.spool()
        #expect(again.backlog("a") == 1)
        await again.close()
    }

    @Test func killedAndDamagedOnesToo() async throws {
        let other = try vanished.spool(["a"])
        for number in 1...20 { try await other.append([packet(number, size: 40_000)]) }
        // Killed: everything is in the log; and a bit of it changes.
        let left = vanished.copy()
        await other.close()
        let at = left.size("spool.sqlite-wal") / 2
        left.write("spool.sqlite-wal", [left.read("spool.sqlite-wal")[at] ^ 4], at: at)
        let spool = try place.spool(["a"], limit: 10_000)
        let got = try await spool.adopt(from: left.path)
        #expect(got.packets >= 18 && spool.notes.count == 1 && spool.isBalanced, "\(got) \(spool.notes)")
        // Beyond the limit: kept, but no more is taken meanwhile.
        await #expect(throws: SpoolError.self) { try await spool.append([packet(100)]) }
        #expect(await spool.drain().areIntact)
        try await spool.append([packet(100)])
        #expect(left.names.allSatisfy { $0.hasPrefix("spool.sqlite.corrupt-") } && !left.names.isEmpty)
        await spool.close()
    }
}
