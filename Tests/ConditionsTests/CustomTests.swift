import Conditions
import IDF
import Testing

@Suite struct CustomTests {
    static let custom = #"""
        { "sector" : "energy", "count": 7, "text": "443", "share": 0.5, "yes": true, "none": null, "obj": {"a":1,"b":{"c":"deep"}},
          "list": ["x", {"a": 2}, [3]], "ip": "192.0.2.9", "seen": "2026-11-20 12:00:00", "a\"b": "q", "w\u00f6rd": "\u00e9\\", "os-name": "L",
          "empty": "", "net": "10.0.0.0/8", "first name": "Ada" }
        """#

    static let expected: KeyValuePairs<String, Bool> = [
        #"custom.sector == "energy""#: true, #"custom.sector != "energy""#: false, #"custom.sector in ["a", "energy"]"#: true,
        "custom.count == 7": true, "custom.count > 7": false, "custom.count in [5..9]": true, #"custom.count == "7""#: true,
        "custom.text == 443": true, #"custom.text == "443""#: true, "custom.sector == 5": false, "custom.sector != 5": false,
        "custom.share < 0.75": true, "custom.yes == true": true, "custom.yes != true": false, "custom.count == true": false,
        "exists custom.none": false, "custom.none == 1": false, "exists custom.obj": true, "exists custom.obj.b": true,
        #"custom.obj contains "a""#: false, "custom.obj.a == 1": true, #"custom.obj.b.c starts with "de""#: true,
        "exists custom.obj.b.c.d": false, "exists custom.obj.x": false, #"custom.list == "x""#: true, "custom.list.a == 2": true,
        "custom.list == 3": true, "custom.ip in 192.0.2.0/24": true, "custom.ip == 192.0.2.9": true,
        "custom.ip != 192.0.2.9": false,
        "custom.ip == 192.0.2.8": false, "custom.net in 10.0.0.0/7": true, "custom.net in 10.0.0.0/9": false,
        "custom.sector in 0.0.0.0/0": false, "custom.seen >= 2026-11-20": true, "custom.seen < 2026-11-20T12:00:01Z": true,
        "custom.seen < now - 100w": false, "custom.sector < now": false, #"custom."a\"b" == "q""#: true,
        #"custom."wörd" == 'é\'"#: true,
        #"custom.os-name matches '^L$'"#: true, #"custom.empty == """#: true, "exists custom.empty": true,
        #"custom."first name" contains "da""#: true, #"custom.missing not in ["a"]"#: true,
    ]

    @Test func readsMembersAsTheyCame() throws { try expect(try event([:], custom: Self.custom), Self.expected) }

    @Test func readsMembersThatWereSet() throws {
        var event = Event()
        for member in try #require(try JSONValue(parsing: Self.custom.utf8).members) { event[custom: member.name] = member.value }
        try expect(event, Self.expected)
    }

    @Test func readsMembersAfterOneWasSet() throws {
        var event = try event([:], custom: Self.custom)
        event[custom: "new"] = .string("n")
        try expect(event, Self.expected)
        try expect(event, [#"custom.new == "n""#: true])
    }

    @Test func brokenBytesDoNoHarm() throws {
        for json in [
            "[}", "{", "[[[[", #"{"a"#, #"{"a""#, #"{"a":"#, #"{"a":}"#, "[,", #"[""#, #"{"a":"\"#, "]", ",", "", #"{"a":[1,}]"#,
            ":",
        ] {
            var event = Event()
            event.addFree(Event.customRoot, key: Event.freeKey("m")) {
                $0.append(contentsOf: json.utf8)
                return !json.isEmpty
            }
            for text in ["exists custom.m", "exists custom.m.a", #"custom.m.a == "x""#, "custom.m == 1"] {
                _ = try Condition(text).holds(for: event)
            }
        }
        let deep = String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000)
        var event = Event()
        event.addFree(Event.customRoot, key: Event.freeKey("m")) {
            $0.append(contentsOf: deep.utf8)
            return true
        }
        try expect(event, ["exists custom.m": false])
    }
}
