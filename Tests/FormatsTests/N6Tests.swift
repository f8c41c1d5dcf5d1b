import IDF
import Testing

@testable import Formats

@Suite struct N6Tests {
    private static let cnc = #"""
        {"category": "cnc", "confidence": "medium", "restriction": "public", "rid": "0123456789abcdef0123456789abcdef",
         "source": "abuse-ch.feodotracker", "address": [{"ip": "203.0.113.1"}], "dport": 447, "name": "trickbot",
         "time": "2019-05-27 13:36:27"}
        """#

    /// Ids that n6 itself gave.
    @Test func theIdIsThatOfN6() throws {
        #expect(N6.id(of: try json(Self.cnc)) == "c97161a6a58b023504a04c2f6835a2de")
        let other = Self.cnc.replacing("203.0.113.1", with: "203.0.113.2").replacing("447", with: "443")
            .replacing("trickbot", with: "heodo").replacing("2019-05-27 13:36:27", with: "2019-05-25 01:30:36")
        #expect(N6.id(of: try json(other)) == "7fd055d1840eff159eb006522919d9cb")
        // It comes out again when an event has none.
        var event = Event()
        try N6.add(try json(Self.cnc), to: &event)
        #expect(N6.record(event)["id"] == .string("c97161a6a58b023504a04c2f6835a2de"))
    }

    @Test func addressesStayAligned() throws {
        var event = Event()
        try N6.add(
            try json(
                #"""
                {"category": "cnc", "time": "2026-11-20T12:00:00Z", "fqdn": "c2.example", "name": "x", "dport": 443,
                 "address": [{"ip": "192.0.2.1"}, {"ip": "192.0.2.2", "asn": 64496, "cc": "AT"}, {"ip": "192.0.2.3"}]}
                """#), to: &event)
        #expect(event.aligned(.sourceIP).map { $0?.description } == ["192.0.2.1", "192.0.2.2", "192.0.2.3"])
        #expect(event.aligned(.sourceASNumber) == [nil, 64496])
        #expect(event[.sourceDomain] == "c2.example")
        // The port is that of the host that is named.
        #expect(event[.sourcePort] == 443)
        #expect(event[.classificationType] == "c2-server")
        #expect(event[Key<String>("threat.software.name")] == "x")
    }

    private static let records = [
        cnc,
        #"{"category":"bots","time":"2026-11-20T12:00:00.5Z","address":{"ip":"192.0.2.1","cc":"A1","asn":0},"fqdn":"Sink.example","dip":"192.0.2.9","dport":80,"sport":1025,"proto":"tcp","name":"Virut","target":"x","id":"7","source":"hidden.42"}"#,
        #"{"category":"scam","time":"2026-11-20 12:00:00","url":"http://a.example/","name":"Ünïcode","tags":["a","b"],"client":["x.example","y"],"until":"2026-11-21 00:00:00","count":7,"expires":"2026-11-22T00:00:00Z"}"#,
        #"{"category":"malurl","time":"2026-11-20 12:00:00","sport":80,"url":"hxxp://broken url","fqdn":"unknown","md5":"ABCDEF0123456789ABCDEF0123456789","enriched":[["fqdn"],{"192.0.2.1":["asn","cc"]}],"urls_matched":{"org.example":["http://a.example/*"]},"_bl-series-no":3,"_group":null,"intelmq":{"comment":"x","source.fqdn":"own.example"}}"#,
        #"{"category":"vulnerable","time":"2026-11-20 12:00:00","sport":1,"dport":2,"dip":"192.0.2.7","username":"root","email":"a@a.example","x":{"y":[1.50]},"intelmq":{"nonsense":1}}"#,
    ]

    @Test(arguments: records) func comesBack(_ text: String) throws {
        let record = N6.normalised(try json(text))
        var event = Event()
        try N6.add(try json(text), to: &event)
        let read = try event.sent()
        var back = N6.record(read)
        // Nothing is carried in its key but what came in it, and what n6 requires is made.
        let required = ["id", "rid", "source", "restriction", "confidence"]
        back = .object((back.members ?? []).filter { record[$0.name] != nil || !required.contains($0.name) })
        if record["intelmq"] == nil { back = .object((back.members ?? []).filter { $0.name != "intelmq" }) }
        #expect(back["intelmq"] != nil || record["intelmq"] == nil)
        func rest(_ value: JSONValue) -> JSONValue {
            JSONValue.object((value.members ?? []).filter { $0.name != "intelmq" && $0.value != .null }).sorted
        }
        #expect(rest(back) == rest(record))
    }

    @Test func everyCategoryComesBack() throws {
        for category in N6.categories.keys {
            var event = Event()
            try N6.add(
                .object(["category": .string(category), "time": .string("2026-11-20 12:00:00"), "name": .string("x")]), to: &event
            )
            #expect(ClassificationType(event[.classificationType] ?? "") != nil)
            #expect(N6.record(event)["category"] == .string(category))
            // Also where nobody has kept it, but that of those that share a type with another.
            event.removeFree("n6")
            let found = N6.record(event)["category"]?.string ?? ""
            #expect(N6.categories[found]?.type == event[.classificationType], "\(category) became \(found)")
        }
    }

    @Test func eventsComeBackWhole() throws {
        var samples = Samples(seed: 6)
        for _ in 0..<200 {
            let event = try samples.event().sent()
            let record = try json(String(decoding: N6.record(event).bytes, as: UTF8.self))
            for key in ["id", "rid", "source", "restriction", "confidence", "category", "time"] { #expect(record[key] != nil) }
            var back = Event()
            try N6.add(record, to: &back)
            #expect(try back.sent().content(without: "n6") == event.content(without: "n6"))
        }
    }

    @Test func labelsAreNotLowered() throws {
        var event = Event()
        event[Key<String>("threat.indicator.marking.tlp")] = "RED"
        try N6.add(
            try json(#"{"category":"tor","restriction":"public","intelmq":{"threat.indicator.marking.tlp":"CLEAR"}}"#), to: &event
        )
        #expect(event[Key<String>("threat.indicator.marking.tlp")] == "RED")
        #expect(N6.record(event)["restriction"] == .string("internal"))
        #expect(N6.record(Event())["restriction"] == .string("need-to-know"))
        #expect(N6.record(event, carryRest: false)["intelmq"] == nil)
    }

    @Test(arguments: [
        (#"[]"#, "object"), (#"{"time":"2026-11-20 12:00:00"}"#, "wanted one of amplifier"),
        (#"{"category":"x"}"#, "found the category"),
        (#"{"category":"tor","time":"never"}"#, "time"), (#"{"category":"tor","address":[{"ip":"x"}]}"#, "address"),
        (#"{"category":"tor","address":"192.0.2.1"}"#, "address"),
    ]) func refuses(_ text: String, _ part: String) throws {
        let object = try json(text)
        let problem = #expect(throws: Problem.self) {
            var event = Event()
            try N6.add(object, to: &event)
        }
        #expect(problem?.detail.contains(part) == true)
    }
}
