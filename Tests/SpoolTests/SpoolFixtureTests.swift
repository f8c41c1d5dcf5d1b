import Glibc
import Testing

@testable import Spool

/// A spool of each format there ever was, as a service may leave it when it is upgraded: later versions must read it.
@Suite(.timeLimit(.minutes(5))) struct SpoolFixtureTests {
    let place = Place()

    /// `fixtures/spool-VERSION/spool.sqlite` beside this file.
    static func path(_ version: Int64) -> String {
        let folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        return "\(folder)/fixtures/spool-\(version)/spool.sqlite"
    }

    func letter(_ number: Int) -> DeadLetter {
        DeadLetter(
            eventID: uuid(100 + number), packetID: uuid(2), worker: "example-parser", edge: number == 1 ? "database" : nil,
            code: "malformed", detail: "line \(number): ä is no number", tries: number, firstTime: 1_700_000_000_000,
            lastTime: 1_700_000_001_000, original: Array("{\"number\":\"ä\",\"line\":\(number)}".utf8),
            mediaType: "application/json")
    }

    @Test func formatOneIsRead() async throws {
        let file = Place(at: String(Self.path(1).dropLast("/spool.sqlite".count)))
        #expect(file.size("spool.sqlite") > 0 && file.size("spool.sqlite") < 300_000)
        place.write("spool.sqlite", file.read("spool.sqlite"))
        #expect(Spool.check(directory: place.path).isEmpty)
        #expect(try Spool.inspect(directory: place.path).formatVersion == 1)
        let spool = try place.spool(["database", "mail"])
        #expect(spool.notes.isEmpty && spool.isBalanced)
        // Twelve packets: the database has 1 to 4 and 6, mail has 1 and 2; so 1 and 2 are gone.
        let status = spool.status()
        #expect(status.packets == 10 && status.edges.map(\.name) == ["database", "mail"])
        #expect(status.edges.map(\.backlogPackets) == [7, 10] && status.deadLetters == 2)
        let events = (1...12).map { packet($0).events }
        #expect(status.edges.map(\.acceptedEvents) == [events.reduce(0, +), events.reduce(0, +)])
        #expect(status.edges.map(\.acknowledgedEvents) == [events[0..<4].reduce(0, +) + events[5], events[0] + events[1]])
        #expect(status.edges.map(\.deadLetteredEvents) == [1, 0] && status.edges.map(\.droppedEvents) == [0, 2])
        #expect(try await spool.deadLetters(limit: 10, after: nil).map(\.letter) == [letter(1), letter(2)])
        // Sent again: known.
        try await spool.append([packet(1, size: 210), packet(7, size: 270)])
        #expect(await spool.drain("database") == [5, 7, 8, 9, 10, 11, 12].map { packet($0, size: 200 + $0 * 10) })
        #expect(await spool.drain("mail") == (3...12).map { packet($0, size: 200 + $0 * 10) })
        #expect(spool.status().packets == 0 && spool.isBalanced)
        await spool.close()
    }

    /// Makes the file of the present format: INTELMQ_MAKE_SPOOL_FIXTURE=1 swift test --filter makeFixture
    @Test(.enabled(if: getenv("INTELMQ_MAKE_SPOOL_FIXTURE") != nil)) func makeFixture() async throws {
        let spool = try place.spool(["database", "mail"])
        for number in 1...12 { try await spool.append([packet(number, size: 200 + number * 10)]) }
        for number in 1...6 {
            let next = try #require(await spool.take("database"))
            let letters = number == 2 ? [letter(1)] : []
            if number != 5 { try await spool.acknowledge(edge: "database", sequence: next.sequence, deadLetters: letters) }
        }
        for _ in 1...2 {
            let next = try #require(await spool.take("mail"))
            await spool.acknowledge(edge: "mail", sequence: next.sequence, dropped: 1)
        }
        try await spool.addDeadLetters([letter(2)])
        await spool.close()
        let path = Self.path(Store.version)
        let folder = String(path.dropLast("/spool.sqlite".count))
        try SpoolFiles(directory: folder).makeDirectory()
        unlink(path)
        Place(at: folder).write("spool.sqlite", place.read("spool.sqlite"))
    }
}
