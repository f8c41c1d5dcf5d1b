import IDF
import Parsers
import ServiceKernel
import Testing
import YAML

/// Numbers that are the same in every run.
private struct Dice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}

/// Parsers of reports that are one document: what is broken, long or hostile spoils itself only.
@Suite(.serialized) struct ReportParserTests {
    private func parse(_ name: String, _ text: String, limit: Int = .max) throws -> ParsedEvents {
        try parse(name, Array(text.utf8), limit: limit)
    }

    private func parse(_ name: String, _ bytes: [UInt8], limit: Int = .max) throws -> ParsedEvents {
        let parser = try #require(Roster(parsers).worker(named: name)?.make() as? any Parser)
        let report = Report(content: bytes)
        var events = ParsedEvents(report: report, limit: limit)
        try parser.parse(report, into: &events)
        return events
    }

    private func indicator(_ id: Int, _ pattern: String) -> String {
        #"{"type":"indicator","id":"indicator--\#(id)","valid_from":"2026-11-20T00:00:00Z","pattern":"\#(pattern)"}"#
    }

    private func bundle(_ objects: [String]) -> String {
        #"{"type":"bundle","objects":["# + objects.joined(separator: ",\n") + "]}"
    }

    @Test(arguments: [
        ("cins-army-parser", "192.0.2.1\n"), ("danger-rulez-parser", "192.0.2.1\t# 2026-11-20 09:11:03\n"),
        ("eset-parser", #"[{"ip": "192.0.2.1", "url": "http://a.example/"}]"#),
        ("urlhaus-json-parser", #"{"urls": [{"url": "http://a.example/", "date_added": "2026-11-20 09:11:03"}]}"#),
        ("json-parser", #"{"source.ip": "192.0.2.1"}"#), ("dho-parser", #"{"source.ip": "192.0.2.1"}"#),
        ("dho-parser", #"[{"source.ip": "192.0.2.1"}]"#),
        ("stix-parser", #"{"type": "url", "id": "a", "value": "http://a.example/"}"#),
        ("misp-parser", #"{"Attribute": [{"type": "ip-src", "category": "Network activity", "value": "192.0.2.1"}]}"#),
        ("shodan-parser", #"{"ip_str": "192.0.2.1", "port": 80}"#), ("surbl-parser", ".a.example\n"),
        ("ioc-extractor-parser", "www.example.org was seen\n"),
        ("cymru-cap-parser", "spam|192.0.2.1|64496|2026-11-20 09:11:03||EXAMPLE, AT\n"),
    ]) func aByteOrderMarkChangesNothing(_ name: String, _ text: String) throws {
        let plain = try parse(name, text)
        #expect(plain.added == 1 && plain.rejected.isEmpty, "\(plain.rejected.map(\.rejection))")
        let marked = try parse(name, "\u{FEFF}" + text)
        #expect(marked.added == 1 && marked.rejected.isEmpty)
        #expect(marked.events.map(\.originalBytes) == plain.events.map(\.originalBytes))
    }

    @Test func oneBadObjectOfManyIsOneDeadLetter() throws {
        var objects = (0..<1000).map { indicator($0, "[ipv4-addr:value = '198.51.100.\($0 % 256)']") }
        let bad = indicator(500, "[ipv4-addr:value == ]")
        objects[500] = bad
        objects[600] = #"{"type": "ipv4-addr", "value": "\x"}"#
        let events = try parse("stix-parser", bundle(objects))
        #expect(events.added == 998)
        #expect(events.rejected.map(\.line) == [501, 601])
        // What stands in the dead letter is a report of its own that can be mended and sent again.
        #expect(events.rejected.first?.bytes == Array(bad.utf8))
        let mended = indicator(500, "[ipv4-addr:value = '192.0.2.1']")
        #expect(try parse("stix-parser", mended).events.first?[.sourceIP]?.description == "192.0.2.1")
    }

    @Test func aDeadLetterOfMISPBringsItsEvent() throws {
        let text =
            #"{"Event":{"uuid":"11111111-2222-4333-8444-555555555555","info":"x","Tag":[{"name":"rsit:fraud=\"phishing\""}],"#
            + #""Attribute":[{"type":"ip-src","category":"Network activity","value":"192.0.2.300"}]}}"#
        let letter = try #require(try parse("misp-parser", text).rejected.first)
        let mended = String(decoding: letter.bytes, as: UTF8.self).split(separator: "192.0.2.300").joined(separator: "192.0.2.3")
        let event = try #require(try parse("misp-parser", mended).events.first)
        #expect(event[.sourceIP]?.description == "192.0.2.3")
        #expect(event[.classificationType] == "phishing")
        #expect(event[Key<String>("misp.event_uuid")] == "11111111-2222-4333-8444-555555555555")
    }

    @Test func aLongPatternIsNotKeptWithEveryAlternative() throws {
        let values = (0..<20_000).map { "'198.51.\($0 / 256).\($0 % 256)'" }
        let events = try parse("stix-parser", indicator(1, "[ipv4-addr:value IN (\(values.joined(separator: ", ")))]"))
        #expect(events.added == 20_000)
        #expect(events.events[0].originalBytes != nil)
        #expect(events.events[1].originalBytes == nil)
    }

    @Test(.timeLimit(.minutes(1))) func patternsThatStandForTooMuchAreRefused() throws {
        let choice = "(a:b = 1 OR a:b = 2)"
        let product = "[" + Array(repeating: choice, count: 100).joined(separator: " AND ") + "]"
        #expect(
            try parse("stix-parser", indicator(1, product)).rejected.first?.rejection.detail.contains("100000 alternatives")
                == true)
        let wide = "[" + (0..<5000).map { "a:b\($0) = \($0)" }.joined(separator: " AND ") + "]"
        #expect(try parse("stix-parser", indicator(1, wide)).rejected.first?.rejection.detail.contains("at most 256") == true)
    }

    private func domain(_ id: Int, _ name: String, to other: Int) -> String {
        #"{"type":"domain-name","id":"domain-name--\#(id)","value":"\#(name)","resolves_to_refs":["domain-name--\#(other)"]}"#
    }

    @Test(.timeLimit(.minutes(1))) func referencesInCirclesEnd() throws {
        let events = try parse(
            "stix-parser",
            bundle([
                #"{"type":"observed-data","id":"o","object_refs":["domain-name--1","domain-name--2","domain-name--3"]}"#,
                domain(1, "a.example", to: 2), domain(2, "b.example", to: 1), domain(3, "c.example", to: 1),
            ]))
        #expect(events.events.map { $0[.sourceDomain] } == ["c.example"])
    }

    @Test func readingStopsWhereNoMoreIsWanted() throws {
        let objects = (0..<100).map { indicator($0, "[ipv4-addr:value IN ('192.0.2.1', '192.0.2.2')]") }
        #expect(try parse("stix-parser", bundle(objects), limit: 5).added == 5)
    }

    @Test(.timeLimit(.minutes(1))) func deepAndOddDocumentsAreRefused() throws {
        for text in [
            String(repeating: "[", count: 100_000), String(repeating: #"{"objects":["#, count: 10_000),
            String(repeating: "\"", count: 9999),
            String(repeating: "}", count: 100), String(repeating: #"{"response":"#, count: 50_000), #"{"type":"indicator""#,
            #"{"type":5}"#, #"{"type":"indicator","pattern":["#,
            #"{"objects":[{"type":"indicator","id":"#, "{\"objects\":[\"" + String(repeating: "\\", count: 99_999), "\u{FEFF}[]]",
            ",,::,,",
        ] {
            for name in ["stix-parser", "misp-parser"] {
                do {
                    #expect(try parse(name, text).added == 0)
                } catch let error as Rejection {
                    #expect(!error.detail.isEmpty)
                }
            }
        }
    }

    /// Whatever is changed in a report, parsing ends, and events that come out can be read again.
    @Test(.timeLimit(.minutes(2)), arguments: ["stix-parser", "misp-parser"]) func changedReportsNeverCrash(_ name: String) throws
    {
        let stix = bundle([
            indicator(1, "[ipv4-addr:value = '192.0.2.1' OR file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4']"),
            #"{"type":"observed-data","id":"o","first_observed":"2026-11-20T00:00:00Z","object_refs":["url--1"]}"#,
            #"{"type":"url","id":"url--1","value":"http://a.example/x"}"#,
            #"{"type":"ipv4-addr","id":"ipv4-addr--1","value":"192.0.2.7"}"#,
            #"{"type":"relationship","relationship_type":"indicates","id":"r","source_ref":"indicator--1","#
                + #""target_ref":"malware--1"}"#,
            #"{"type":"malware","id":"malware--1","name":"x","malware_types":["bot"]}"#,
        ])
        let attributes = [
            #"{"type":"filename|md5","category":"Payload delivery","value":"a|79054025255fb1a26e4bc422aef54eb4","date":"1"}"#,
            #"{"type":"ip-dst|port","category":"Network activity","value":"192.0.2.1|80","to_ids":true}"#,
        ]
        let misp =
            #"{"response":[{"Event":{"id":"1","info":"x","Tag":[{"name":"tlp:red"}],"Attribute":["# + attributes[0]
            + #"],"Object":[{"Attribute":["# + attributes[1] + "]}]}}]}"
        let original = Array((name == "stix-parser" ? stix : misp).utf8)
        let parser = try #require(Roster(parsers).worker(named: name)?.make() as? any Parser)
        var dice = Dice(state: 20_261_122)
        for _ in 0..<3000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...5, using: &dice) {
                let place = Int.random(in: 0..<max(1, bytes.count), using: &dice)
                switch Int.random(in: 0..<4, using: &dice) {
                case 0: bytes.insert(UInt8.random(in: 0...255, using: &dice), at: place)
                case 1 where !bytes.isEmpty: bytes.remove(at: place)
                case 2 where !bytes.isEmpty: bytes[place] = "\"\\{}[],:'0a|".utf8.randomElement(using: &dice)!
                default: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 0..<40, using: &dice)))
                }
            }
            let report = Report(content: bytes)
            var events = ParsedEvents(report: report)
            do throws(Rejection) { try parser.parse(report, into: &events) } catch { continue }
            guard !events.events.isEmpty else { continue }
            let again = try Packet(decoding: Packet(events: events.events).encoded())
            #expect(again.events.count == events.events.count)
        }
    }
}
