import Spool
import Testing

@Suite(.timeLimit(.minutes(5))) struct SpoolEdgeTests {
    let place = Place()

    @Test func eachEdgeHasItsOwnCursor() async throws {
        let spool = try place.spool(["a", "b"])
        try await spool.append((1...4).map { packet($0) })
        #expect(await spool.drain("a").count == 4)
        #expect(spool.status().packets == 4 && spool.backlog("a") == 0 && spool.backlog("b") == 4)
        #expect(await spool.take("unknown") == nil)
        await spool.close()
        let again = try place.spool(["a", "b"])
        #expect(again.status().packets == 4 && again.backlog("a") == 0)
        #expect(await again.drain("b") == (1...4).map { packet($0) })
        #expect(again.status().packets == 0)
        await again.close()
    }

    @Test func addedRemovedAndBack() async throws {
        var spool = try place.spool(["a"])
        try await spool.append([packet(1)])
        await spool.close()

        // b is new: it gets what comes from now on. a leaves with a backlog: kept, but nothing new.
        spool = try place.spool(["b"])
        #expect(spool.notes.count == 1 && spool.notes[0].contains("edge a") && spool.notes[0].contains("1 packets"))
        try await spool.append([packet(2)])
        #expect(spool.backlog("a") == 1 && spool.backlog("b") == 1)
        #expect(spool.status().edges.map(\.isRetained) == [true, false])
        #expect(await spool.drain("b") == [packet(2)])
        try await spool.append([packet(3)])
        await spool.close()

        // a is back: what came in between was never meant for it.
        spool = try place.spool(["a", "b"])
        try await spool.append([packet(4)])
        #expect(await spool.drain("a") == [packet(1), packet(4)])
        #expect(await spool.drain("b") == [packet(3), packet(4)])
        #expect(spool.status().packets == 0)
        await spool.close()

        // Gone without a backlog: gone.
        spool = try place.spool(["b"])
        #expect(spool.status().edges.map(\.name) == ["b"] && spool.notes.isEmpty)
        await spool.close()
    }

    @Test func changedWhileRunning() async throws {
        let spool = try place.spool(["a"])
        try await spool.append([packet(1), packet(2)])
        let held = try #require(await spool.take("a"))
        try await spool.setEdges(["a", "b"])
        try await spool.append([packet(3)])
        try await spool.setEdges(["b"])
        try await spool.append([packet(4)])
        #expect(await spool.drain("b") == [packet(3), packet(4)])
        #expect(await spool.take("a")?.packet == packet(2))
        #expect(await spool.take("a")?.packet == packet(3))
        // Retained and nothing left to hand out: no waiting for ever.
        #expect(await spool.take("a") == nil)
        await spool.acknowledge(edge: "a", sequence: held.sequence)
        #expect(spool.backlog("a") == 2 && spool.status().packets == 2)
        try await spool.discard(edge: "a")
        #expect(spool.status().packets == 0 && spool.status().edges.map(\.name) == ["b"])
        // An edge of the graph cannot be discarded.
        try await spool.append([packet(5)])
        try await spool.discard(edge: "b")
        #expect(await spool.drain("b") == [packet(5)])
        let waiting = Task { await spool.take("b") }
        try await Task.sleep(nanoseconds: 20_000_000)
        try await spool.setEdges([])
        #expect(await waiting.value == nil)
        // No edges: accepted, remembered, needed by nobody.
        try await spool.append([packet(6)])
        #expect(spool.status().packets == 0)
        await spool.close()
    }

    @Test func changedUnderLoad() async throws {
        let spool = try place.spool(["a"])
        let consumer = Task {
            var count = 0
            while count < 600, let next = await spool.take("a") {
                count += 1
                await spool.acknowledge(edge: "a", sequence: next.sequence)
            }
            return count
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<6 { group.addTask { for at in 0..<100 { try await spool.append([packet(task * 1_000 + at)]) } } }
            group.addTask { for at in 0..<50 { try await spool.setEdges(at % 2 == 0 ? ["a", "b"] : ["a"]) } }
            try await group.waitForAll()
        }
        #expect(await consumer.value == 600)
        #expect(spool.backlog("a") == 0)
        try await spool.setEdges(["a"])
        try? await spool.discard(edge: "b")
        #expect(spool.status().packets == 0 && spool.status().bytes == 0)
        await spool.close()
    }
}
