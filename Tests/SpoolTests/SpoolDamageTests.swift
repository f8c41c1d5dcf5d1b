import Foundation
import Spool
import TestSupport
import Testing

/// Killed processes, cut files, flipped bits, full disks.
@Suite(.timeLimit(.minutes(5))) struct SpoolDamageTests {
    let place = Place()

    @Test func killedAtAnyTime() async throws {
        let spool = try place.spool(["a", "b"])
        let consumer = Task {
            while let next = await spool.take("a") { await spool.acknowledge(edge: "a", sequence: next.sequence) }
        }
        var acknowledged = 0
        for round in 0..<5 {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<4 {
                    let first = round * 100 + task * 20
                    group.addTask { for at in first..<first + 20 { try await spool.append([packet(at, size: 5_000)]) } }
                }
                try await group.waitForAll()
            }
            acknowledged += 80
            let copy = place.copy()
            let other = try copy.spool(["a", "b"])
            // b has acknowledged nothing: all that was answered is there, intact.
            let kept = await other.drain("b")
            #expect(kept.count == acknowledged && other.notes.isEmpty)
            #expect(other.isBalanced && other.edge("b").acceptedEvents == kept.reduce(0) { $0 + $1.events })
            #expect(kept.allSatisfy { $0.isIntact && $0.bytes.count == 5_000 })
            await other.close()
        }
        await spool.close()
        await consumer.value
    }

    /// A closed spool of 40 packets without a log, 20 of them delivered to `a`, none to `b`, and 5 dead letters.
    func filled() async throws -> [UInt8] {
        let spool = try place.spool(["a", "b"])
        for number in 1...40 { try await spool.append([packet(number, size: number % 3 == 0 ? 300 : 40_000)]) }
        for _ in 1...20 {
            let next = try #require(await spool.take("a"))
            await spool.acknowledge(edge: "a", sequence: next.sequence)
        }
        try await spool.addDeadLetters(
            (1...5).map {
                DeadLetter(
                    eventID: "\($0)", packetID: "p", worker: "w", edge: nil, code: "c", detail: "d", tries: 1, firstTime: 1,
                    lastTime: 1, original: [UInt8](repeating: 7, count: 3_000), mediaType: "text/plain")
            })
        await spool.close()
        unlink("\(place.path)/spool.sqlite-wal")
        unlink("\(place.path)/spool.sqlite-shm")
        return place.read("spool.sqlite")
    }

    /// Opens what is left, takes everything, and checks that it is intact or a dead letter.
    func rest(_ what: String) async throws -> (kept: Int, letters: Int, notes: [String]) {
        let spool = try place.spool(["a", "b"])
        #expect(spool.isBalanced, "\(what): \(spool.status().edges)")
        try await spool.append([packet(1_000)])
        var ids: [String] = []
        let waiting = Task { await spool.take("b") }
        _ = await eventually(seconds: 5) { spool.status().edges[1].inFlight > 0 }
        while spool.backlog("b") > spool.status().edges[1].inFlight || !ids.contains(uuid(1_000)) {
            let next = ids.isEmpty ? await waiting.value : await spool.take("b")
            guard let next else { break }
            #expect(next.packet.isIntact, "\(what): packet \(next.packet.id)")
            ids.append(next.packet.id)
            await spool.acknowledge(edge: "b", sequence: next.sequence)
            if next.packet.id == uuid(1_000) { break }
        }
        #expect(ids.contains(uuid(1_000)), "\(what): goes on")
        _ = await eventually(seconds: 2) { spool.backlog("b") == 0 }
        #expect(spool.isBalanced, "\(what): \(spool.status().edges)")
        let result = (ids.count - 1, spool.deadLetterCount(), spool.notes)
        await spool.close()
        return result
    }

    @Test func soundFileIsNotTouched() async throws {
        _ = try await filled()
        let (kept, letters, notes) = try await rest("sound")
        #expect(kept == 40 && letters == 5 && notes.isEmpty)
    }

    @Test(arguments: [0, 1, 100, 4_000, 8_192, 40_000, 200_000, 500_000, 900_000]) func cut(to size: Int) async throws {
        let whole = try await filled()
        #expect(whole.count > 900_000)
        place.cut("spool.sqlite", to: size)
        let (kept, _, notes) = try await rest("cut to \(size)")
        #expect(!notes.isEmpty)
        if size >= 900_000 { #expect(kept > 20) }
        if size >= 512 { #expect(place.names.contains { $0.hasPrefix("spool.sqlite.corrupt-") }) }
    }

    @Test func firstPageDestroyed() async throws {
        _ = try await filled()
        place.write("spool.sqlite", [UInt8](repeating: 0x5a, count: 8_192))
        let (kept, letters, notes) = try await rest("first page")
        #expect(kept == 40 && letters == 5 && notes.count == 1, "\(notes)")
        var status = stat()
        #expect(stat("\(place.path)/spool.sqlite", &status) == 0 && status.st_mode & 0o007 == 0, "not for everyone to read")
    }

    @Test func everyPageDestroyedOnce() async throws {
        let whole = try await filled()
        var least = 40
        // A quarter of a page at a time: what is left of the page looks sound.
        for page in stride(from: 0, to: whole.count / 8_192, by: 5).map({ $0 }) + Array(1..<10) {
            try FileManager.default.removeItem(atPath: place.path)
            mkdir(place.path, 0o700)
            place.write("spool.sqlite", whole)
            place.write("spool.sqlite", [UInt8](repeating: 0xa5, count: 8_192), at: page * 8_192)
            let (kept, letters, _) = try await rest("page \(page)")
            // One page holds parts of one packet, or the heads of many small ones, or the table's root with everything below it.
            #expect(kept + max(0, letters - 5) >= 1 || page < 48, "page \(page): kept \(kept), letters \(letters)")
            if page >= 48 { least = min(least, kept) }
        }
        #expect(least >= 30, "\(least)")
    }

    @Test(arguments: 1...20) func bitsFlipped(seed: UInt64) async throws {
        var bytes = try await filled()
        var dice = Dice(state: seed)
        for _ in 0..<Int.random(in: 1...30, using: &dice) {
            let at = Int.random(in: 0..<(seed % 2 == 0 ? bytes.count : 100_000), using: &dice)
            bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &dice)
        }
        place.write("spool.sqlite", bytes)
        let (kept, letters, _) = try await rest("seed \(seed)")
        #expect(kept + letters >= 1)
    }

    @Test func changedPacketIsADeadLetter() async throws {
        var bytes = try await filled()
        let body = packet(31, size: 40_000).bytes
        let part = Array(body[20_000..<20_016])
        let found = bytes.indices.first { bytes[$0] == part[0] && bytes[$0...].starts(with: part) }
        let at = try #require(found)
        bytes[at] ^= 1
        place.write("spool.sqlite", bytes)
        let (kept, letters, notes) = try await rest("changed packet")
        #expect(kept == 39 && letters == 6 && notes.count == 1, "\(notes)")
        let spool = try place.spool(["a", "b"])
        let letter = try await spool.deadLetters(limit: 1, after: 5).first?.letter
        #expect(letter?.code == "spool-damaged" && letter?.packetID == uuid(31) && letter?.edge == "b")
        #expect(letter?.original.count == 40_000)
        await spool.close()
    }

    @Test func damagedWhileRunning() async throws {
        let spool = try place.spool(["a"])
        // More than memory holds, so that the first ones must come from the disk.
        for number in 1...80 { try await spool.append([packet(number, size: 1 << 20)]) }
        await spool.close()
        let whole = place.read("spool.sqlite")
        unlink("\(place.path)/spool.sqlite-wal")
        let again = try place.spool(["a"])
        #expect(again.status().packets == 80 && again.notes.isEmpty)
        // The heads of overflow pages hold the number of the next: zero ends the packet too early.
        place.write("spool.sqlite", [UInt8](repeating: 0, count: 8_192 * 4), at: whole.count / 2 / 8_192 * 8_192)
        var count = 0
        while again.backlog("a") > 0, let next = await again.take("a") {
            #expect(next.packet.isIntact)
            count += 1
            await again.acknowledge(edge: "a", sequence: next.sequence)
            if next.packet.id == uuid(80) { break }
        }
        #expect(count >= 78 && again.notes.count == 1, "\(count) \(again.notes)")
        try await again.append([packet(1_000)])
        #expect(await again.drain() == [packet(1_000)])
        await again.close()
    }

    @Test func tornLogKeepsWhatWasBefore() async throws {
        let spool = try place.spool(["a"])
        for number in 1...20 { try await spool.append([packet(number, size: 20_000)]) }
        let copy = place.copy()
        await spool.close()
        copy.cut("spool.sqlite-wal", to: copy.size("spool.sqlite-wal") - 30_000)
        let other = try copy.spool(["a"])
        let kept = await other.drain()
        #expect(kept.count >= 18 && kept == (1...kept.count).map { packet($0, size: 20_000) })
        await other.close()
    }

    @Test func stoppedInTheMiddleOfARepair() async throws {
        let whole = try await filled()
        // The repaired copy is finished, the damaged file and its log still stand in its place.
        place.write("spool.sqlite.repaired", whole)
        place.write("spool.sqlite", [UInt8](repeating: 1, count: 20_000))
        place.write("spool.sqlite-wal", [UInt8](repeating: 1, count: 20_000))
        place.write("spool.sqlite.repairing", [1, 2, 3])
        let (kept, letters, notes) = try await rest("repair finished")
        #expect(kept == 40 && letters == 5 && notes.count == 1)
        #expect(!place.names.contains("spool.sqlite.repairing") && !place.names.contains("spool.sqlite.repaired"))
        #expect(place.names.filter { $0.hasPrefix("spool.sqlite.corrupt-") }.count == 2)
    }

    @Test func laterVersionIsRefused() async throws {
        var bytes = try await filled()
        bytes[63] = 9
        place.write("spool.sqlite", bytes)
        #expect(throws: SpoolError.self) { try place.spool() }
        #expect(place.read("spool.sqlite") == bytes)
    }

    /// A small disk of its own; only root may make one.
    static func smallDisk() -> String? {
        let path = "/tmp/spool-disk-\(getpid())-\(UInt32.random(in: .min ... .max))"
        mkdir(path, 0o700)
        guard mount("tmpfs", path, "tmpfs", 0, "size=32m") == 0 else {
            rmdir(path)
            return nil
        }
        return path
    }

    @Test func fullDiskRefusesAndResumesAlone() async throws {
        guard let disk = SpoolDamageTests.smallDisk() else { return }
        defer {
            umount2(disk, 2)
            rmdir(disk)
        }
        let small = Place(disk)
        // The limit is far beyond the disk.
        let spool = try small.spool(["a"], limit: 64 << 20)
        var accepted = 0
        var refused = 0
        for number in 1...200 {
            do throws(SpoolError) {
                try await spool.append([packet(number, size: 200_000)])
                accepted += 1
            } catch {
                guard case .disk = error else { throw error }
                refused += 1
                break
            }
        }
        #expect(refused == 1 && accepted > 10, "\(accepted) \(refused)")
        #expect(spool.status().refusal != nil)
        // What was accepted can be delivered, and that alone makes room.
        let kept = await spool.drain()
        #expect(kept == (1...accepted).map { packet($0, size: 200_000) })
        // It may take packets again before all of the room is made, and then refuse once more.
        let isTaken = await eventually { (try? await spool.append((1_001...1_005).map { packet($0, size: 200_000) })) != nil }
        #expect(isTaken, "\(spool.status())")
        await spool.close()
        let again = try small.spool(["a"], limit: 64 << 20)
        #expect(again.notes.isEmpty)
        #expect(await again.drain() == (1_001...1_005).map { packet($0, size: 200_000) })
        await again.close()
    }

    @Test func diskFilledByOthers() async throws {
        guard let disk = SpoolDamageTests.smallDisk() else { return }
        defer {
            umount2(disk, 2)
            rmdir(disk)
        }
        let small = Place(disk)
        let spool = try small.spool(["a"], limit: 16 << 20)
        try await spool.append((1...5).map { packet($0, size: 100_000) })
        let filler = open("\(disk)/filler", O_RDWR | O_CREAT, 0o600)
        while posix_fallocate(filler, lseek(filler, 0, SEEK_END), 4_096) == 0 {}
        var number = 6
        let isRefused = await eventually {
            number += 1
            return (try? await spool.append([packet(number, size: 300_000)])) == nil
        }
        #expect(isRefused)
        ftruncate(filler, 0)
        close(filler)
        #expect(await eventually(seconds: 20) { spool.status().refusal == nil })
        try await spool.append([packet(5_000)])
        let kept = await spool.drain()
        #expect(kept.last == packet(5_000) && kept.prefix(5).elementsEqual((1...5).map { packet($0, size: 100_000) }))
        await spool.close()
    }
}
