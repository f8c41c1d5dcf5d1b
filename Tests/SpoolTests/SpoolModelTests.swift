import Spool
import Testing

/// Random walks against a list in memory.
@Suite(.timeLimit(.minutes(5))) struct SpoolModelTests {
    /// What an edge must still get, and what it holds.
    struct Edge {
        var pending: [Int] = []
        var held: [(number: Int, sequence: Int64)] = []
        /// Acknowledged and not yet certainly on the disk: may come again after a kill.
        var mayComeAgain: Set<Int> = []
    }

    @Test(arguments: 1...8) func randomWalk(seed: UInt64) async throws {
        var dice = Dice(state: seed)
        var place = Place()
        let names = ["a", "b", "c"]
        var spool = try place.spool(names)
        var edges = Dictionary(uniqueKeysWithValues: names.map { ($0, Edge()) })
        var next = 1
        for _ in 0..<300 {
            let name = names.randomElement(using: &dice)!
            switch Int.random(in: 0..<100, using: &dice) {
            case 0..<30:
                let count = Int.random(in: 1...4, using: &dice)
                let size = Int.random(in: 0...30_000, using: &dice)
                try await spool.append((next..<next + count).map { packet($0, size: size) })
                for name in names { edges[name]!.pending.append(contentsOf: next..<next + count) }
                next += count
            case 30..<60:
                guard !edges[name]!.pending.isEmpty else { break }
                let got = try #require(await spool.take(name))
                let number = edges[name]!.pending.removeFirst()
                #expect(got.packet.id == uuid(number) && got.packet.isIntact)
                edges[name]!.held.append((number, got.sequence))
            case 60..<82:
                guard let at = edges[name]!.held.indices.randomElement(using: &dice) else { break }
                let done = edges[name]!.held.remove(at: at)
                await spool.acknowledge(edge: name, sequence: done.sequence)
                edges[name]!.mayComeAgain.insert(done.number)
            case 82..<90:
                guard let at = edges[name]!.held.indices.randomElement(using: &dice) else { break }
                let back = edges[name]!.held.remove(at: at)
                spool.release(edge: name, sequence: back.sequence)
                edges[name]!.pending = (edges[name]!.pending + [back.number]).sorted()
            case 90..<95:
                // A duplicate of anything.
                try await spool.append([packet(Int.random(in: 1...max(1, next - 1), using: &dice))].filter { _ in next > 1 })
            case 95..<97:
                await spool.close()
                spool = try place.spool(names)
                for name in names { edges[name]!.restart() }
            default:
                // Killed: the files as they are at this moment, another process goes on with them.
                let copy = place.copy()
                await spool.close()
                place = copy
                spool = try place.spool(names)
                for name in names {
                    edges[name]!.restart()
                    edges[name]!.returnLost(spool.backlog(name))
                }
                for name in names { try await edges[name]!.settle(spool, name) }
            }
            for name in names { #expect(spool.backlog(name) == edges[name]!.pending.count + edges[name]!.held.count) }
            #expect(spool.isBalanced)
            #expect(spool.notes.isEmpty)
        }
        for name in names {
            for held in edges[name]!.held { spool.release(edge: name, sequence: held.sequence) }
            let expected = (edges[name]!.pending + edges[name]!.held.map(\.number)).sorted()
            #expect(await spool.drain(name).map(\.id) == expected.map(uuid))
        }
        #expect(spool.status().packets == 0 && spool.status().bytes == 0)
        await spool.close()
    }
}

extension SpoolModelTests.Edge {
    /// What was held comes again.
    mutating func restart() {
        pending = (pending + held.map(\.number)).sorted()
        held = []
    }

    /// After a kill some acknowledgements may be lost: which ones is seen by what comes.
    mutating func returnLost(_ backlog: Int) {
        #expect(backlog >= pending.count && backlog <= pending.count + mayComeAgain.count)
    }

    /// Takes everything: each pending one must be there, others only if their acknowledgement was fresh; gives all back.
    mutating func settle(_ spool: Spool, _ name: String) async throws {
        var numbers: [Int] = []
        var sequences: [Int64] = []
        for _ in 0..<spool.backlog(name) {
            let got = try #require(await spool.take(name))
            let number = try #require(Int(got.packet.id.suffix(12), radix: 16))
            #expect(got.packet.isIntact)
            numbers.append(number)
            sequences.append(got.sequence)
        }
        for sequence in sequences.reversed() { spool.release(edge: name, sequence: sequence) }
        #expect(numbers == numbers.sorted())
        #expect(Set(pending).isSubset(of: numbers) && Set(numbers).subtracting(pending).isSubset(of: mayComeAgain))
        pending = numbers
        held = []
        mayComeAgain = []
    }
}
