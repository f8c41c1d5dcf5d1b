import Spool
import Testing

/// Looking for dead letters and deleting them.
@Suite(.timeLimit(.minutes(5))) struct SpoolLetterTests {
    let place = Place()

    func filled() async throws -> Spool {
        let spool = try place.spool()
        let details = ["Timeout after 30 s", "no such FIELD", "100% of it_all", "x'); DROP TABLE dead_letter; --", "ä\u{0}End"]
        try await spool.addDeadLetters(
            (0..<50).map { number in
                DeadLetter(
                    eventID: "e\(number)", packetID: uuid(number / 10), worker: number % 2 == 0 ? "w1" : "w2",
                    edge: number % 5 == 0 ? nil : "edge\(number % 3)", code: number % 4 == 0 ? "timeout" : "refused",
                    detail: details[number % 5], tries: 1, firstTime: 1, lastTime: Int64(1_000 + number),
                    original: number == 7 ? [0xff, 0x00, 0x41, 0x62, 0x43, 0x80] : Array("{\"number\":\(number)}".utf8),
                    mediaType: "application/json")
            })
        return spool
    }

    /// The same conditions, without SQL.
    func meets(_ letter: DeadLetter, _ filter: DeadLetterFilter) -> Bool {
        func has(_ bytes: some Collection<UInt8>, _ text: String) -> Bool {
            func lower(_ bytes: some Collection<UInt8>) -> [UInt8] { bytes.map { (65...90).contains($0) ? $0 + 32 : $0 } }
            let (all, part) = (lower(bytes), lower(text.utf8))
            return all.indices.contains { all[$0...].starts(with: part) }
        }
        if let edge = filter.edge, edge != letter.edge ?? "" { return false }
        if let code = filter.code, code != letter.code { return false }
        if let worker = filter.worker, worker != letter.worker { return false }
        if let id = filter.eventID, id != letter.eventID { return false }
        if let id = filter.packetID, id != letter.packetID { return false }
        if let since = filter.since, letter.lastTime < since { return false }
        if let until = filter.until, letter.lastTime >= until { return false }
        if let text = filter.text, !text.isEmpty { return has(letter.detail.utf8, text) || has(letter.original, text) }
        return true
    }

    @Test func filters() async throws {
        let spool = try await filled()
        let all = try await spool.deadLetters(limit: 100, after: nil)
        #expect(all.count == 50)
        let filters: [DeadLetterFilter] = [
            .init(), .init(edge: "edge1"), .init(edge: ""), .init(edge: "none"), .init(code: "timeout"), .init(worker: "w2"),
            .init(eventID: "e7"), .init(packetID: uuid(3)), .init(text: "TIMEOUT"), .init(text: "field"), .init(text: "%"),
            .init(text: "_"), .init(text: "x'); drop"), .init(text: "abc\u{0}"), .init(text: "aBc"), .init(text: "\u{0}end"),
            .init(text: ""), .init(text: "\"number\":1"), .init(text: "' OR 1=1 --"), .init(code: "' OR 1=1 --"),
            .init(since: 1_010, until: 1_020), .init(until: 1_000), .init(code: "refused", text: "timeout"),
            .init(
                edge: "edge1", code: "refused", worker: "w2", eventID: "e13", packetID: uuid(1), text: "DROP", since: 1,
                until: 9_999),
        ]
        for filter in filters {
            let expected = all.filter { meets($0.letter, filter) }
            #expect(try await spool.deadLetters(filter, limit: 100, after: nil) == expected, "\(filter)")
            #expect(try await spool.countDeadLetters(filter) == expected.count)
            // Another process sees the same while it is open.
            #expect(try Spool.deadLetters(in: place.path, filter, limit: 100) == expected)
            #expect(try Spool.countDeadLetters(in: place.path, filter) == expected.count)
            let second = try await spool.deadLetters(filter, limit: 2, after: expected.first?.id)
            #expect(second == Array(expected.dropFirst().prefix(2)))
        }
        #expect(try Spool.deadLetters(in: place.path, limit: 3).count == 3)
        #expect(try Spool.deadLetters(in: "/nonexistent", limit: 3).isEmpty)
        await spool.close()
        // Looking into a closed one changes nothing.
        let before = place.read("spool.sqlite")
        #expect(try Spool.countDeadLetters(in: place.path) == 50)
        #expect(place.read("spool.sqlite") == before)
    }

    @Test func deletesManyAtOnce() async throws {
        let spool = try await filled()
        let some = try await spool.deadLetters(.init(code: "timeout"), limit: 100, after: nil).map(\.id)
        #expect(try await spool.deleteDeadLetters([]) == 0)
        #expect(try await spool.deleteDeadLetters(some + some + [4_711, -1]) == some.count)
        #expect(spool.deadLetterCount() == 50 - some.count)
        #expect(try await spool.countDeadLetters(.init(code: "timeout")) == 0)
        let copy = place.copy()
        let other = try copy.spool()
        #expect(other.deadLetterCount() == 50 - some.count)
        await other.close()
        await spool.close()
        await #expect(throws: SpoolError.closed) { _ = try await spool.deleteDeadLetters([1]) }
    }
}
