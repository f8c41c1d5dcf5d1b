import STIX
import Testing

/// Numbers that are the same in every run.
private struct Dice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}

@Suite struct HostileTests {
    @Test(.timeLimit(.minutes(1))) func nestingIsBounded() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "(", count: depth) + "[a:b = 1]" + String(repeating: ")", count: depth)
        }
        _ = try STIXPattern(nested(STIXPattern.depthLimit))
        for text in [nested(STIXPattern.depthLimit + 1), nested(200_000), String(repeating: "(", count: 1_000_000)] {
            let error = #expect(throws: STIXPatternError.self) { try STIXPattern(text) }
            #expect(error?.reason == .tooDeep)
        }
        let inside = "[" + String(repeating: "(", count: 100_000) + "a:b = 1"
        #expect(throws: STIXPatternError.self) { try STIXPattern(inside) }
    }

    @Test(.timeLimit(.minutes(1))) func longPatternsAreRead() throws {
        let tests = (0..<50_000).map { "a:b = '\($0)'" }
        #expect(try STIXPattern("[" + tests.joined(separator: " OR ") + "]").alternatives().count == 50_000)
        #expect(try STIXPattern("[" + tests.joined(separator: " AND ") + "]").alternatives().first?.count == 50_000)
        #expect(try STIXPattern(tests.map { "[\($0)]" }.joined(separator: " OR ")).alternatives().count == 50_000)
        let steps = try STIXPattern("[a:b" + String(repeating: "[0].c", count: 100_000) + " = 1]").alternatives()[0][0].path.steps
        #expect(steps.count == 200_001)
        let text = String(repeating: "\\'", count: 500_000)
        #expect(try STIXPattern("[a:b = '\(text)']").alternatives()[0][0].wanted?.plain.utf8.count == 500_000)
    }

    @Test(.timeLimit(.minutes(1))) func productsAreCountedBeforeTheyAreMade() throws {
        let choice = "(a:b = 1 OR a:b = 2)"
        let pattern = try STIXPattern("[" + Array(repeating: choice, count: 500).joined(separator: " AND ") + "]")
        #expect(throws: STIXPatternError.self) { try pattern.alternatives() }
        let list = "a:b IN (" + (0..<1000).map(String.init).joined(separator: ",") + ")"
        #expect(throws: STIXPatternError.self) { try STIXPattern("[\(list) AND \(list)]").alternatives() }
        #expect(throws: STIXPatternError.self) {
            try STIXPattern(Array(repeating: "[\(list)]", count: 101).joined(separator: " OR ")).alternatives()
        }
        #expect(try STIXPattern("[\(list) AND a:c IN ()]").alternatives().isEmpty)
    }

    /// Whatever is changed in a pattern, reading ends with a pattern or an error inside the text.
    @Test(.timeLimit(.minutes(2))) func changedPatternsNeverCrash() throws {
        var dice = Dice(state: 20_261_122)
        let pieces = PatternLists.valid.flatMap { $0.split(separator: " ").map { Array($0.utf8) } }
        var read = 0
        for _ in 0..<20_000 {
            var bytes = Array(PatternLists.valid.randomElement(using: &dice)!.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &dice) {
                let place = Int.random(in: 0...bytes.count, using: &dice)
                switch Int.random(in: 0..<5, using: &dice) {
                case 0: bytes.insert(UInt8.random(in: 0...255, using: &dice), at: place)
                case 1 where place < bytes.count: bytes.remove(at: place)
                case 2 where place < bytes.count: bytes[place] = "'\\[]().:-+*/ tbh0aA=<>!,".utf8.randomElement(using: &dice)!
                case 3: bytes.insert(contentsOf: pieces.randomElement(using: &dice)!, at: place)
                default: bytes.removeSubrange(place...)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            do throws(STIXPatternError) {
                let pattern = try STIXPattern(text)
                _ = try pattern.alternatives()
                read += 1
            } catch {
                #expect((0...text.utf8.count).contains(error.offset))
                #expect(!error.description.isEmpty)
            }
        }
        #expect(read > 500)
    }

    @Test func everyPrefixIsReadOrRefused() {
        for text in PatternLists.valid {
            for end in text.indices { _ = try? STIXPattern(text[..<end]) }
        }
    }
}
