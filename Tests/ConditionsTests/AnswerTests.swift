import Conditions
import IDF
import Testing

@Suite struct AnswerTests {
    @Test func comparesTexts() throws {
        let event = try event([
            "source.geo.country_iso_code": "AT", "message": "say \"hi\"\\ \u{e9}", "source.domain": "www.example.com",
        ])
        try expect(
            event,
            [
                #"source.geo.country_iso_code == "AT""#: true, #"source.geo.country_iso_code == 'at'"#: true,
                #"source.geo.country_iso_code == "DE""#: false, #"source.geo.country_iso_code != "DE""#: true,
                #"source.geo.country_iso_code != "AT""#: false, #"source.geo.country_iso_code in ["DE", "AT", "CH"]"#: true,
                #"source.geo.country_iso_code in ["DE"]"#: false, #"source.geo.country_iso_code not in ["DE"]"#: true,
                #"message == "say \"hi\"\\ é""#: true, #"message == 'say "hi"\ é'"#: true, #"message contains '"hi"\'"#: true,
                #"message contains "Hi""#: false, #"message ends with "\u00e9""#: true, #"message starts with "say""#: true,
                #"message starts with "ay""#: false, #"message ends with "say""#: false,
                #"source.domain ends with ".EXAMPLE.com""#: true, #"source.domain == "WWW.example.com.""#: true,
                #"source.domain contains "www.example.com""#: true, #"source.domain contains "www.example.com.""#: false,
                #"source.domain not contains "ample""#: false, #"source.domain not starts with "ww""#: false,
                #"source.domain not ends with "org""#: true,
            ])
    }

    @Test func comparesNumbers() throws {
        let event = try event([
            "source.port": "443", "source.as.number": "4294967295", "source.geo.location.lat": "-48.25",
            "event.severity": "-9007199254740993",
        ])
        try expect(
            event,
            [
                "source.port == 443": true, "source.port != 443": false, "source.port != 80": true, "source.port < 443": false,
                "source.port <= 443": true, "source.port > 442": true, "source.port >= 444": false, "source.port == 443.0": true,
                "source.port in [80, 443]": true, "source.port in [80, 444]": false, "source.port in [400..443]": true,
                "source.port in [443..500]": true, "source.port in [444..500, 1..442]": false, "source.port not in [80]": true,
                "source.as.number == 4294967295": true, "source.as.number > 1": true,
                "source.geo.location.lat == -48.25": true, "source.geo.location.lat < -48.2": true,
                "source.geo.location.lat < -49": false,
                "source.geo.location.lat in [-48.3..-48.2]": true, "source.geo.location.lat == -4825e-2": true,
                "event.severity == -9007199254740993": true, "event.severity == -9007199254740992": false,
                "event.severity < -9007199254740992": true,
            ])
    }

    @Test func comparesAddresses() throws {
        let four = try event(["source.ip": "192.0.2.77", "source.network": "192.0.2.0/25"])
        try expect(
            four,
            [
                "source.ip == 192.0.2.77": true, "source.ip != 192.0.2.77": false, "source.ip == 192.0.2.78": false,
                "source.ip == '192.0.2.77'": true, "source.ip in 192.0.2.0/24": true, "source.ip in 192.0.3.0/24": false,
                "source.ip in 0.0.0.0/0": true, "source.ip in ::/0": false, "source.ip in [2001:db8::/32, 192.0.2.77]": true,
                "source.ip in [192.0.2.0/26, 192.0.2.64/26]": true, "source.ip in [192.0.2.0/26, 192.0.2.128/25]": false,
                "source.ip in 192.0.2.9/24": true, #"source.ip in ["10.0.0.0/8", "192.0.2.64/26"]"#: true,
                "source.ip not in 10.0.0.0/8": true, "source.ip in ::ffff:192.0.2.0/120": true,
                "source.ip == ::ffff:192.0.2.77": true,
                "source.network == 192.0.2.0/25": true, "source.network == 192.0.2.0/24": false,
                "source.network != 192.0.2.0/24": true,
                "source.network in 192.0.2.0/24": true, "source.network in 192.0.2.0/25": true,
                "source.network in 192.0.2.0/26": false,
                "source.network in [192.0.2.0/26, 192.0.2.64/26]": true, "source.network == 192.0.2.0": false,
            ])
        try expect(
            try event(["source.ip": "2001:db8::1"]),
            [
                "source.ip == 2001:DB8:0::1": true, "source.ip in 2001:db8::/32": true, "source.ip in 2001:db9::/32": false,
                "source.ip in ::/0": true, "source.ip in 0.0.0.0/0": false, "source.ip in [192.0.2.0/24, 2001:db8::/127]": true,
                "source.ip in fe80::/10": false,
            ])
        try expect(
            try event(["source.ip": "::ffff:192.0.2.77"]),
            [
                "source.ip == 192.0.2.77": true, "source.ip in 192.0.2.0/24": true, "source.ip in ::/0": false,
                "source.ip in 192.0.3.0/24": false, "source.ip in ::ffff:0:0/96": true,
            ])
    }

    @Test func comparesTimes() throws {
        let event = try event([
            "@timestamp": "2026-11-20T12:00:00.5Z", "event.end": "9999-12-31T00:00:00Z", "event.start": "1066-10-14T09:00:00Z",
        ])
        try expect(
            event,
            [
                "@timestamp == 2026-11-20T12:00:00.5Z": true, "@timestamp == 2026-11-20T13:00:00.500+01:00": true,
                "@timestamp == 2026-11-20T12:00:00Z": false, "@timestamp > 2026-11-20T12:00:00Z": true,
                "@timestamp < 2026-11-20T12:00:00.25Z": false, "@timestamp < 2026-11-20T12:00:00.75Z": true,
                "@timestamp >= 2026-11-20": true, "@timestamp < '2026-11-21'": true, "@timestamp != 2026-11-20": true,
                "event.end > 2026-11-20": true, "event.end > now": true, "event.start < now - 100w": true,
                "event.start > now": false,
                "event.end == 9999-12-31": true, "event.start < 1500-01-01": true,
            ])
        let noon = Timestamp(unixSeconds: 1_795_176_000)
        #expect(noon.description == "2026-11-20T12:00:00Z")
        for (text, answer) in [
            ("@timestamp > now", true), ("@timestamp < now + 1s", true), ("@timestamp > now - 2d", true),
            ("@timestamp>now-2d", true),
            ("@timestamp > now + 1m", false), ("@timestamp == now", false), ("event.end > now + 5000w", true),
        ] {
            let condition = try Condition(text)
            #expect(condition.holds(for: event, now: noon) == answer, Comment(rawValue: text))
            #expect(condition.readsClock)
        }
        #expect(try !Condition("@timestamp > 2026-11-20").readsClock)
    }

    @Test func comparesTruthAndListedValues() throws {
        let event = try event([
            "source.tor_node": "true", "threat.indicator.marking.tlp": "AMBER+STRICT", "intelmq.classification.type": "c2-server",
            "network.transport": "tcp", "event.kind": "alert",
        ])
        try expect(
            event,
            [
                "source.tor_node == true": true, "source.tor_node == false": false, "source.tor_node != false": true,
                "destination.tor_node == false": false, #"threat.indicator.marking.tlp == "amber+strict""#: true,
                #"threat.indicator.marking.tlp in ["AMBER", "RED"]"#: false, #"intelmq.classification.type == "c&c""#: true,
                #"intelmq.classification.type in ["phishing", "c2-server"]"#: true, #"network.transport == "TCP""#: true,
                #"event.kind == "alert""#: true,
            ])
    }

    @Test func matchesRegularExpressions() throws {
        let event = try event(["source.domain": "mail7.example.com|b.example.org", "message": "Größe 5\nzwei"])
        try expect(
            event,
            [
                #"source.domain matches '^mail\d+\.'"#: true, #"source.domain matches "^mail\\d+\\.""#: true,
                #"source.domain matches 'org$'"#: true, #"source.domain matches '^x'"#: false,
                #"source.domain not matches '^x'"#: true,
                #"source.domain matches '^MAIL'"#: false, #"source.domain matches '(?i)^MAIL'"#: true,
                #"message matches 'Gr..e'"#: true, #"message matches '^Gr.{1}ße'"#: true, #"message matches '^zwei'"#: false,
                #"message matches '(?m)^zwei'"#: true, #"message matches '\x{f6}'"#: true, "message matches '(*UCP)\\wß'": true,
            ])
        #expect(try !Condition("message matches '.'").holds(for: Event()))
    }

    @Test func existsAndMissing() throws {
        let event = try event(["source.port": "80"])
        try expect(
            event,
            [
                "exists source.port": true, "exists source.ip": false, "not exists source.ip": true,
                "source.ip == 192.0.2.1": false,
                "source.ip != 192.0.2.1": false, "not source.ip == 192.0.2.1": true, "not (source.ip != 192.0.2.1)": true,
                "source.ip not in 192.0.2.0/24": true, "source.ip in 192.0.2.0/24": false, "destination.port < 5": false,
                "destination.port >= 5": false, #"message contains "a""#: false, #"message not matches "a""#: true,
            ])
        try expect(
            Event(), ["exists source.port": false, "source.port == 1": false, "exists custom.a": false, "custom.a == 1": false])
    }

    @Test func anyValueCounts() throws {
        let event = try event(["tags": "a|b", "source.ip": "192.0.2.1|2001:db8::1", "source.port": "5|9000"])
        try expect(
            event,
            [
                #"tags == "a""#: true, #"tags == "b""#: true, #"tags != "a""#: true, #"not tags == "a""#: false,
                #"tags != "c""#: true,
                #"not tags != "a""#: false, #"tags in ["c", "b"]"#: true, #"tags not in ["c", "b"]"#: false,
                "source.ip in 192.0.2.0/24 and source.ip in 2001:db8::/32": true,
                "source.port >= 8000 and source.port <= 8999": true,
                "source.port in [8000..8999]": false, "source.port > 8999": true,
            ])
        var aligned = Event()
        aligned.set(.sourceASNumber, to: [nil, 64496])
        try expect(aligned, ["source.as.number == 64496": true, "source.as.number != 64496": false])
    }

    @Test func joinsByPrecedence() throws {
        let places = ["source.port", "destination.port", "event.severity"]
        for bits in 0..<8 {
            var event = Event()
            for (index, name) in places.enumerated() {
                let id = try #require(FieldID(name))
                event.add(id, text: bits >> index & 1 == 1 ? "1" : "0")
            }
            let (a, b, c) = (bits & 1 == 1, bits >> 1 & 1 == 1, bits >> 2 & 1 == 1)
            func text(_ form: String) -> String {
                form.split(separator: " ").map {
                    switch $0 {
                    case "A": "source.port == 1"
                    case "B": "destination.port == 1"
                    case "C": "event.severity == 1"
                    default: String($0)
                    }
                }.joined(separator: " ")
            }
            try expect(
                event,
                [
                    text("A and B"): a && b, text("A or B"): a || b, text("not A"): !a, text("A or B and C"): a || b && c,
                    text("A and B or C"): a && b || c, text("( A or B ) and C"): (a || b) && c, text("not A and B"): !a && b,
                    text("not ( A and B )"): !(a && b), text("not A or B"): !a || b, text("not not A"): a,
                    text("not ( A or not ( B and C ) )"): !(a || !(b && c)),
                    text("A and not B or not C and A"): a && !b || !c && a,
                    text("A or B or C"): a || b || c, text("A and ( B and C )"): a && b && c,
                ])
        }
    }
}
