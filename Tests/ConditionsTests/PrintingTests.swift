import IDF
import Testing

@testable import Conditions

@Suite struct PrintingTests {
    @Test func printsCanonically() throws {
        for (text, canonical) in [
            ("((source.port==080))", "source.port == 80"), ("not not exists source.ip", "exists source.ip"),
            ("source.geo.country_iso_code=='at'", #"source.geo.country_iso_code == "AT""#),
            ("source.ip in [192.0.2.9/24]", "source.ip in 192.0.2.0/24"),
            ("source.ip in ['2001:DB8::1']", "source.ip in [2001:db8::1]"),
            ("@timestamp > '2026-11-20 13:00 +01:00'", "@timestamp > 2026-11-20T12:00:00Z"),
            ("@timestamp<now-48h", "@timestamp < now - 2d"),
            ("@timestamp<now - 7d", "@timestamp < now - 1w"), ("@timestamp<now+0s", "@timestamp < now"),
            ("exists tags and (exists source.ip and exists message)", "exists tags and exists source.ip and exists message"),
            ("exists tags or (exists source.ip and exists message)", "exists tags or exists source.ip and exists message"),
            ("(exists tags or exists source.ip) and exists message", "(exists tags or exists source.ip) and exists message"),
            ("not (source.port in [1])", "source.port not in [1]"), ("not(source.port==1)", "not source.port == 1"),
            (#"message == '\d'"#, #"message == '\d'"#), (#"message == "\\d'""#, #"message == "\\d'""#),
            (#"message == "\u001b\u202e\ud83d\ude00""#, #"message == "\u001b\u202e😀""#),
            (#"custom."a"."b c" == 5.0"#, #"custom.a."b c" == 5"#),
            ("source.port in [ 1..2 , 3 ]", "source.port in [1..2, 3]"),
        ] {
            let condition = try Condition(text)
            #expect(condition.description == canonical)
            #expect(try Condition(canonical) == condition)
        }
    }

    @Test func tellsWhatItReads() throws {
        let condition = try Condition(
            "source.port == 1 and (custom.a == 1 or not exists custom.b) or source.port == 2 or exists tags")
        #expect(condition.fields == [FieldID("source.port"), Event.customRoot, FieldID("tags")])
        #expect(condition.text.hasSuffix("exists tags"))
    }

    /// What is printed reads back as the same tree.
    @Test func printingAndReadingAreInverse() throws {
        var random = Generator(state: 42)
        for _ in 0..<1500 {
            let expression = random.expression(depth: 4)
            let text = expression.description
            do {
                let condition = try Condition(text)
                #expect(condition.expression == expression, Comment(rawValue: text))
                #expect(condition.description == text)
                _ = condition.holds(for: Event())
            } catch {
                Issue.record("\(error)")
            }
        }
    }

    /// Pieces of conditions in any order: an error or a condition that prints and reads back, never a crash.
    @Test func readsAnything() throws {
        let pieces = [
            "source.port", "source.ip", "tags", "custom.a", "custom.\"", "==", "!=", "<", "in", "not", "and", "or", "exists",
            "matches", "starts",
            "with", "(", ")", "[", "]", ",", "\"", "'", "\\", "\\u", "\"a\"", "'b'", "5", "-", "-5", "..", "1..2", "10.0.0.0/8",
            "::", "::1", "now",
            "2d", "\u{0}", "é", "😀", "\n", "@timestamp", "2026-11-20", ".", "true", "%", "'('", "1e5", "+",
        ]
        var random = Generator(state: 7)
        for _ in 0..<5000 {
            let text = (0..<random.number(12)).map { _ in pieces[random.number(pieces.count)] + (random.number(3) == 0 ? "" : " ")
            }.joined()
            do throws(ConditionError) {
                let condition = try Condition(text)
                #expect((try? Condition(condition.description)) == condition, Comment(rawValue: text))
            } catch {
                #expect(error.range.lowerBound >= 0 && error.range.upperBound <= text.utf8.count, Comment(rawValue: text))
                #expect(!error.description.isEmpty)
            }
        }
    }
}

/// Random trees as the parser builds them.
private struct Generator {
    var state: UInt64

    mutating func number(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(bound))
    }

    mutating func expression(depth: Int) -> Expression {
        switch depth > 0 ? number(5) : 4 {
        case 0: .all(parts(depth) { if case .all = $0 { false } else { true } })
        case 1: .any(parts(depth) { if case .any = $0 { false } else { true } })
        case 2: .negated(expression(depth: depth - 1))
        default: test()
        }
    }

    private mutating func parts(_ depth: Int, _ fits: (Expression) -> Bool) -> [Expression] {
        var parts: [Expression] = []
        while parts.count < 2 || number(2) == 0 {
            let part = expression(depth: depth - 1)
            if fits(part) { parts.append(part) }
        }
        return parts
    }

    private mutating func text() -> String {
        let pieces = [
            "a", "Z", " x", "\"", "'", "\\", "\n", "\u{0}", "\u{7F}", "é", "😀", "\u{202E}", "\u{2028}", "#", "/", "[", "\\d",
        ]
        return "t" + (0..<number(6)).map { _ in pieces[number(pieces.count)] }.joined() + "t"
    }

    private mutating func address() -> IPAddress {
        let high = UInt128(number(1 << 40)) << 80
        return number(2) == 0
            ? IPAddress(bits: UInt128(number(1 << 32)), isV4: true)
            : IPAddress(bits: high | UInt128(number(1 << 20)), isV4: false)
    }

    private mutating func numberLiteral() -> Number {
        switch number(3) {
        case 0: .whole(Int64(number(1000)) - 500)
        case 1: .whole(number(2) == 0 ? .min : .max)
        default: .fraction(Double(number(1000)) + 0.1 * Double(1 + number(9)))
        }
    }

    private mutating func test() -> Expression {
        let custom = Subject.custom((0...number(3)).map { _ in number(2) == 0 ? "name-\(number(9))" : text() })
        func field(_ name: String) -> Subject { .field(FieldID(name)!) }
        let comparison = Comparison.allCases[number(6)]
        switch number(9) {
        case 0: return .test(number(2) == 0 ? custom : field("source.ip"), .exists)
        case 1:
            return .test(number(2) == 0 ? custom : field("message"), .compare(number(2) == 0 ? .equal : .unequal, .text(text())))
        case 2: return .test(number(2) == 0 ? custom : field("event.risk_score"), .compare(comparison, .number(numberLiteral())))
        case 3:
            return .test(
                number(2) == 0 ? custom : field("@timestamp"), .compare(comparison, .now(Int64(number(1 << 30)) - 1 << 29)))
        case 4:
            return .test(
                number(2) == 0 ? custom : field("@timestamp"), .compare(comparison, .time("2026-11-20T12:00:0\(number(10))Z")))
        case 5:
            let networks = (0...number(3)).map { _ in
                Literal.network(IPNetwork(address: address(), prefixLength: UInt8(number(33)))!)
            }
            return .test(
                number(2) == 0 ? custom : field("source.ip"), .among(number(2) == 0 ? networks : networks + [.address(address())])
            )
        case 6: return .test(number(2) == 0 ? custom : field("tags"), .among((0...number(3)).map { _ in .text(text()) }))
        case 7: return .test(number(2) == 0 ? custom : field("message"), .text(TextRelation.allCases[number(3)], text()))
        default:
            let low = Int64(number(100))
            return .test(custom, .among([.range(.whole(-low), .whole(low)), .number(numberLiteral())]))
        }
    }
}
