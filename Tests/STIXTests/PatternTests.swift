import STIX
import Testing

private typealias Pattern = STIXPattern

/// The test whether a property of an object has that number.
private func test(_ type: String, _ property: String, _ number: Int) -> Pattern.Test {
    let path = Pattern.Path(type: type, steps: [.property(property)])
    return Pattern.Test(path: path, comparator: .equal, isNegated: false, values: [.integer("\(number)")])
}

@Suite struct PatternTests {
    @Test(arguments: PatternLists.valid) func reads(_ text: String) throws { _ = try STIXPattern(text) }

    @Test(arguments: PatternLists.invalid) func refuses(_ text: String) {
        let error = #expect(throws: STIXPatternError.self) { try STIXPattern(text) }
        #expect((0...text.utf8.count).contains(error?.offset ?? -1))
    }

    @Test func andBindsStrongerThanOr() throws {
        let (a, b, c) = (
            test("a", "a", 1), test("a", "b", 2),
            test("a", "c", 3)
        )
        #expect(try STIXPattern("[a:a = 1 OR a:b = 2 AND a:c = 3]").root == .one(.any([.test(a), .all([.test(b), .test(c)])])))
        #expect(
            try STIXPattern("[(a:a = 1 OR a:b = 2) AND a:c = 3]").root == .one(.all([.any([.test(a), .test(b)]), .test(c)])))
        #expect(
            try STIXPattern("[a:a = 1] FOLLOWEDBY [a:b = 2] OR [a:c = 3] AND [a:a = 1]").root
                == .sequence([.one(.test(a)), .any([.one(.test(b)), .all([.one(.test(c)), .one(.test(a))])])]))
    }

    @Test func pathsAndValuesAreTakenApart() throws {
        let text = #"[x-a:b[0].'c-d'[*].e = 'it\'s \\ 1' AND x-a:f = +1.50 AND x-a:g = t'2026-01-01T00:00:00Z']"#
        let tests = try #require(try STIXPattern(text).alternatives().first)
        #expect(tests.map(\.path.description) == ["x-a:b.c-d.e", "x-a:f", "x-a:g"])
        #expect(tests[0].path.steps == [.property("b"), .item(0), .property("c-d"), .anyItem, .property("e")])
        #expect(tests.map(\.values) == [[.text(#"it's \ 1"#)], [.float("1.50")], [.time("2026-01-01T00:00:00Z")]])
    }

    @Test func qualifiersBelongToWhatStandsBeforeThem() throws {
        let pattern = try STIXPattern("[a:a = 1] AND [a:b = 2] REPEATS 2 TIMES WITHIN 1.5 SECONDS")
        guard case .all(let parts) = pattern.root else { return #expect(Bool(false), "found \(pattern.root)") }
        let second = Pattern.Observation.one(.test(test("a", "b", 2)))
        #expect(parts.last == .qualified(second, [.repeats(2), .within(seconds: 1.5)]))
        #expect(!pattern.isPlain)
        #expect(try STIXPattern("[a:a = 1] OR ([a:a = 2])").isPlain)
    }

    @Test func orAndInGiveAlternatives() throws {
        func plain(_ text: String) throws -> [[String]] {
            try STIXPattern(text).alternatives().map { $0.map { ($0.wanted?.plain ?? "-") } }
        }
        #expect(try plain("[a:a = 1 OR a:b IN (2, 3)]") == [["1"], ["2"], ["3"]])
        #expect(
            try plain("[(a:a = 1 OR a:a = 2) AND a:b IN ('x', 'y')]") == [["1", "x"], ["1", "y"], ["2", "x"], ["2", "y"]])
        #expect(
            try plain("[a:a = 1] AND [a:a = 2] FOLLOWEDBY ([a:a = 3] OR [a:a = 4]) WITHIN 5 SECONDS") == [
                ["1"], ["2"], ["3"], ["4"],
            ])
        #expect(
            try plain("[a:a = 1 AND a:b NOT IN (2, 3) AND a:c != 4 AND a:d NOT != 5 AND EXISTS a:e]") == [
                ["1", "-", "-", "5", "-"]
            ])
        #expect(try plain("[a:a LIKE '1%' OR a:b ISSUBSET '192.0.2.0/24' OR a:c NOT = 1]") == [["-"], ["192.0.2.0/24"], ["-"]])
        #expect(try plain("[a:a IN ()]") == [])
    }

    @Test func errorsSayWhereAndWhatIsWanted() throws {
        func failure(_ text: String) throws -> STIXPatternError {
            try #require(throws: STIXPatternError.self) { try STIXPattern(text) }
        }
        #expect(try failure("[file:size = ]").description.hasPrefix("found \"]\" at byte 13 of the pattern, wanted a value"))
        #expect(try failure("file:size = 1").description.contains("wanted a comparison in square brackets"))
        #expect(
            try failure("[a:b = 1] WITHIN 5 HOURS").description == "found \"HOURS\" at byte 19 of the pattern, wanted \"SECONDS\""
        )
        #expect(try failure("[file:hashes.'SHA-1' = 'ab']").reason == .notAHash(found: "\"ab\"", algorithm: "SHA-1"))
        #expect(try failure("[a:b = 1] REPEATS 1 TIMES REPEATS 1 TIMES").reason == .duplicate(qualifier: "REPEATS"))
        #expect(try failure("[a:b = 'x").offset == 7)
        #expect(try failure("[a:b = 1").description.contains("found the end at byte 8"))
    }
}
