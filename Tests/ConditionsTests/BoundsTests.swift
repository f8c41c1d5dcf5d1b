import Conditions
import IDF
import Testing

@Suite struct BoundsTests {
    @Test func refusesWhatIsTooMuch() throws {
        let deep = String(repeating: "(", count: 60) + "exists source.ip" + String(repeating: ")", count: 60)
        #expect(try Condition(deep).description == "exists source.ip")
        for text in [
            String(repeating: "(", count: 30_000), String(repeating: "not ", count: 10_000) + "exists source.ip",
            String(repeating: "exists source.ip or (", count: 3000),
        ] {
            #expect(try failure(text).message.contains("nested"))
        }
        #expect(try failure(String(repeating: " ", count: 65_537)).message.contains("at most 65536"))
        #expect(try failure("source.port in [" + String(repeating: "1,", count: 4097) + "1]").message.contains("more than 4096"))
        let list = "source.port in [" + String(repeating: "1,", count: 4094) + "1]"
        #expect(try failure([list, list, list].joined(separator: " or ")).message.contains("more than 8192"))
        let pattern = "message matches 'a'"
        #expect(try failure(Array(repeating: pattern, count: 33).joined(separator: " or ")).message.contains("more than 32"))
        #expect(try failure("exists custom" + String(repeating: ".a", count: 17)).help?.contains("at most 16") == true)
        #expect(try failure("message matches '(((ab){99}c){99}d){99}'").message.contains("too large"))
        #expect(
            try failure("message matches '" + String(repeating: "(", count: 300) + String(repeating: ")", count: 300) + "'")
                .message.contains("nested"))
    }

    @Test func longConditionsWork() throws {
        let addresses = (0..<4000).map { "10.\($0 >> 6).\(($0 & 63) * 2).0/24" }
        let condition = try Condition("source.ip in [\(addresses.joined(separator: ","))]")
        try #require(condition.description.utf8.count > 50_000)
        #expect(condition.holds(for: try event(["source.ip": "10.62.62.5"])))
        #expect(!condition.holds(for: try event(["source.ip": "10.62.63.5"])))
        let words = (0..<4000).map { "\"tag\($0)\"" }
        let tags = try Condition("tags in [\(words.joined(separator: ","))]")
        for tag in ["x|tag3999", "tag0", "tag10"] { #expect(tags.holds(for: try event(["tags": tag]))) }
        for tag in ["tag4000", "tag", "a|b"] { #expect(!tags.holds(for: try event(["tags": tag]))) }
        let wide = try Condition((1...2500).map { "source.port==\($0)" }.joined(separator: " or "))
        #expect(wide.holds(for: try event(["source.port": "2000"])))
    }

    /// What would take ages ends soon, is no match, and is seen.
    @Test(arguments: ["(a+)+$", "^(a|aa)+$", "(a*)*[bc]", #"(a)\1*[bc]"#, "(*NO_JIT)(a+)+$", "(?:ab|a)*+[bc]"])
    func givesUp(_ pattern: String) throws {
        let condition = try Condition("event.original matches '\(pattern)'")
        var event = Event()
        event[Key<String>.original] = String(repeating: "a", count: 20_000) + "!"
        let start = ContinuousClock.now
        #expect(!condition.holds(for: event))
        // Without limits it would be minutes to ages.
        #expect(ContinuousClock.now - start < .seconds(5))
        #expect(condition.limitHits == 1)
        event[Key<String>.original] = "ordinary"
        #expect(!condition.holds(for: event))
        #expect(condition.limitHits == 1)
        #expect(try Condition("not event.original matches '\(pattern)'").holds(for: event))
    }

    @Test func searchesLongValues() throws {
        var event = Event()
        let line = String(repeating: "é lorem ipsum, ", count: 3000)
        event[Key<String>.original] = line + "needle"
        try expect(
            event,
            [
                "event.original matches 'needle$'": true, "event.original matches '(?<=, )needle'": true,
                "event.original matches '^needle'": false,
                "event.original matches 'é'": true, "event.original matches 'x'": false,
                #"event.original contains "needle""#: true,
                #"event.original matches '\bl\w+m\b.{3,9},\s+need'"#: true,
            ])
        event[Key<String>.original] = line + line
        let tooLong = try Condition("event.original matches 'lorem'")
        #expect(!tooLong.holds(for: event))
        #expect(tooLong.limitHits == 1)
    }

    @Test func threadsAskTogether() async throws {
        let condition = try Condition("source.domain matches '^mail[0-9]+' and source.ip in [192.0.2.0/24, 2001:db8::/32]")
        let yes = try event(["source.domain": "mail1.example.com", "source.ip": "192.0.2.1"])
        let no = try event(["source.domain": "web1.example.com", "source.ip": "192.0.2.1"])
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask { (0..<2000).allSatisfy { _ in condition.holds(for: yes) && !condition.holds(for: no) } }
            }
            for await right in group { #expect(right) }
        }
        #expect(condition.limitHits == 0)
    }
}
