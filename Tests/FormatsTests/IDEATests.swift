import IDF
import Testing

@testable import Formats

@Suite struct IDEATests {
    private static let alerts = [
        #"{"Format":"IDEA0","ID":"a.b-1","DetectTime":"2026-11-20T12:00:00+01:00","Category":["Recon.Scanning"],"Source":[{"IP4":["192.0.2.1"],"Port":[1025],"Proto":["tcp","ssh"]}],"Target":[{"IP4":["192.0.2.9"],"Port":[22]}],"ConnCount":5}"#,
        #"{"Format":"IDEA0","ID":"x","DetectTime":"2026-11-20 12:00:00Z","EventTime":"2026-11-20T11:00:00Z","CeaseTime":"2026-11-20T11:30:00Z","Category":["Fraud.Phishing","Test"],"Confidence":0.35,"Description":"A text","Note":"n","Ref":["http://a.example/","malid:x","cve:CVE-2024-1"],"Source":[{"IP4":["192.0.2.1"],"Port":[1]},{"IP4":["192.0.2.0/24","192.0.2.4-192.0.2.9"],"Port":[2],"Spoofed":true}],"Node":[{"Name":"cz.cesnet.x","Type":["Relay"],"SW":["y"]}],"_own":{"a":[1]}}"#,
        #"{"Format":"IDEA0","ID":"y","DetectTime":"2026-11-20T12:00:00Z","Category":["Malware.Virus"],"Attach":[{"Type":["OrigData"],"Content":"/wA=","ContentEncoding":"base64"},{"Hash":["sha1:aa","md5:bb"],"Handle":"h"}],"Source":[{"IP6":["2001:DB8::1"],"Type":["Tor"],"Email":["a@a.example"],"Hostname":["A.example"]}]}"#,
        #"{"Format":"IDEA0","ID":"z","DetectTime":"2026-11-20T12:00:00Z","Category":["New.Thing"],"Source":["odd"],"Target":{"odd":1},"Confidence":7,"Ref":"odd","Attach":[1],"Node":[]}"#,
    ]

    @Test(arguments: alerts) func comesBack(_ text: String) throws {
        let alert = try json(text)
        var event = Event()
        try IDEA.add(alert, to: &event)
        #expect(IDEA.message(try event.sent()).sorted == IDEA.normalised(alert).sorted)
    }

    @Test func itsFieldsAreFound() throws {
        var event = Event()
        try IDEA.add(try json(Self.alerts[1]), to: &event)
        #expect(event.all(.classificationType) == ["phishing", "test"])
        #expect(event[.timestamp]?.description == "2026-11-20T11:00:00Z")
        #expect(event[.created]?.description == "2026-11-20T12:00:00Z")
        #expect(event[Key<Double>("threat.feed.accuracy")] == 35)
        #expect(event.all(.sourceIP).map(\.description) == ["192.0.2.1"])
        #expect(event.all(.sourceNetwork).map(\.description) == ["192.0.2.0/24"])
        #expect(event.all(.sourcePort) == [1, 2])
        #expect(event[Key<String>("intelmq.classification.identifier")] == "x")
    }

    @Test func eventsComeBackWhole() throws {
        var samples = Samples(seed: 7)
        for _ in 0..<200 {
            let event = try samples.event().sent()
            let alert = try json(String(decoding: IDEA.message(event, carryRest: true).bytes, as: UTF8.self))
            for name in ["Format", "ID", "DetectTime", "Category"] { #expect(alert[name] != nil) }
            var back = Event()
            try IDEA.add(alert, to: &back)
            #expect(try back.sent().content(without: "idea") == event.content(without: "idea"))
        }
    }

    @Test func everyTypeHasACategoryThatIsRead() {
        for type in ClassificationType.all {
            var event = Event()
            event[.classificationType] = type.name
            event[.timestamp] = .now()
            var back = Event()
            try? IDEA.add(IDEA.message(event), to: &back)
            let found = back[.classificationType].flatMap { ClassificationType($0) }
            let isNear =
                found?.ideaCategory == type.ideaCategory || found?.ideaCategory.hasPrefix(type.ideaCategory + ".") == true
            #expect(isNear || found?.name == "other", "\(type.name) became \(found?.name ?? "nothing")")
        }
        #expect(IDEA.message(Event(), isTest: true)["Category"]?.items?.contains(.string("Test")) == true)
    }

    @Test(arguments: [
        ("[]", "object"), (#"{"Format":"IDEA1"}"#, "IDEA0"),
        (#"{"Format":"IDEA0","DetectTime":"2026-11-20T12:00:00Z"}"#, "Category"),
        (#"{"Category":["Other"],"DetectTime":"x"}"#, "DetectTime"),
    ]) func refuses(_ text: String, _ part: String) throws {
        let object = try json(text)
        let problem = #expect(throws: Problem.self) {
            var event = Event()
            try IDEA.add(object, to: &event)
        }
        #expect(problem?.detail.contains(part) == true)
    }
}
