import Testing

@testable import Spool

@Suite(.timeLimit(.minutes(5))) struct SpoolPartsTests {
    @Test func sequenceSetAgainstASet() {
        for seed in 1...30 {
            var dice = Dice(state: UInt64(seed))
            var ranges = SequenceSet()
            var model: Set<Int64> = []
            for _ in 0..<60 {
                let lower = Int64.random(in: 1...100, using: &dice)
                let upper = min(100, lower + Int64.random(in: 0...8, using: &dice))
                ranges.insert(lower...upper)
                model.formUnion(lower...upper)
                #expect((0...101).allSatisfy { ranges.contains($0) == model.contains($0) })
                #expect(zip(ranges.ranges, ranges.ranges.dropFirst()).allSatisfy { $0.upperBound + 1 < $1.lowerBound })
                #expect(SequenceSet(encoded: ranges.encoded()) == ranges)
            }
            var other = SequenceSet(20...30)
            other.insert(50...70)
            let both = ranges.intersection(other)
            #expect((0...101).allSatisfy { both.contains($0) == (model.contains($0) && other.contains($0)) })
        }
        var all = SequenceSet(Int64.min...5)
        all.insert(7...Int64.max)
        #expect(!all.contains(6) && all.ranges.count == 2)
        all.insert(6)
        #expect(all == SequenceSet(Int64.min...Int64.max))
        #expect(SequenceSet(encoded: [UInt8](repeating: 0xff, count: 40)).isEmpty)
    }

    @Test func cursorMovesOverWhatIsContiguous() {
        var row = EdgeRow(name: "a", cursor: 3, until: 20)
        row.cover(5...6)
        row.cover(8...8)
        #expect(row.cursor == 3 && row.covers(5) && !row.covers(4) && !row.covers(7) && row.covers(21))
        row.cover(4...4)
        #expect(row.cursor == 6 && row.ahead.ranges == [8...8])
        row.cover(2...7)
        #expect(row.cursor == 8 && row.ahead.isEmpty)
        #expect(row.coverage.contains(8) && !row.coverage.contains(9) && !row.coverage.contains(20) && row.coverage.contains(21))
    }

    @Test func queueKeepsOrder() {
        var queue = Queue<Int>()
        var model: [Int] = []
        var dice = Dice(state: 3)
        for number in 0..<20_000 {
            if Int.random(in: 0..<5, using: &dice) < 3 {
                queue.append(number)
                model.append(number)
            } else {
                #expect(queue.popFirst() == (model.isEmpty ? nil : model.removeFirst()))
            }
            #expect(queue.count == model.count && queue.first == model.first)
        }
        if let some = model.dropFirst(5).first { #expect(queue.remove { $0 == some } == some) }
        #expect(queue.removeAll().count == model.count - 1 && queue.isEmpty)
    }

    @Test func recentIDsForgetTheOldest() throws {
        var recent = RecentIDs(limit: 3)
        let keys = try (1...5).map { try #require(RecentIDs.Key(uuid($0))) }
        for key in keys { recent.insert(key) }
        #expect(keys.map { recent.contains($0) } == [false, false, true, true, true])
        recent.insert(keys[2])
        #expect(recent.contains(keys[2]) && recent.contains(keys[3]))
        #expect(RecentIDs.Key("") == nil && RecentIDs.Key(String(repeating: "x", count: 201)) == nil)
        #expect(RecentIDs.Key("0000000000000000000000000000000000zz") == .text("0000000000000000000000000000000000zz"))
    }

    @Test func checksumIsXXH64() {
        // Values of the reference implementation's documentation and of its command line tool.
        #expect(UInt64(bitPattern: checksum([])) == 0xef46_db37_51d8_e999)
        #expect(UInt64(bitPattern: checksum(Array("abc".utf8))) == 0x44bc_2cf5_ad77_0999)
        let long = Array("Nobody inspects the spammish repetition".utf8)
        #expect(UInt64(bitPattern: checksum(long)) == 0xfbce_a83c_8a37_8bf1)
    }

    @Test func timelineFindsTheTime() {
        var timeline = Timeline()
        #expect(timeline.time(of: 1) == nil)
        for number in 1...20_000 { timeline.note(Int64(number), at: Int64(number) * 1_500) }
        for number in [1, 2, 777, 20_000] {
            let time = timeline.time(of: Int64(number)) ?? 0
            #expect(abs(time - Int64(number) * 1_500) <= 16 * 1_500)
        }
    }
}
