import IDF
import Testing
import YAML

@testable import ServiceKernel

/// What people read when a configuration is wrong: word for word.
@Suite struct ConfigurationErrorTests {
    @Test func unknownSetting() {
        let text = """
            # comment
            worker: asn-lookup-expert
            listen: 127.0.0.1:0
            edges: []
            settings:
              database: /x
              databse: /var/lib/intelmq/GeoLite2-ASN.mmdb
            """
        #expect(
            complaint(text, file: "etc/config.d/asn-lookup.yaml") == """
                error: unknown setting "databse" in worker "asn-lookup"
                  --> etc/config.d/asn-lookup.yaml:7:3
                   |  databse: /var/lib/intelmq/GeoLite2-ASN.mmdb
                   |  ^^^^^^^  did you mean "database"?   (list them: intelmq asn-lookup-expert sample)
                """)
    }

    @Test func missingSetting() {
        let found = complaint("worker: asn-lookup-expert\n")
        #expect(found.contains(#"error: worker "asn-lookup-expert" needs the setting "database": The database."#), "\(found)")
        #expect(found.contains("etc/config.d/test.yaml:1:1"))
        #expect(found.contains("add below settings:  database: /var/lib/x.mmdb"))
    }

    @Test func unknownWorker() {
        let found = complaint("worker: obediant-expert\n")
        #expect(
            found == """
                error: unknown worker "obediant-expert"
                  --> etc/config.d/test.yaml:1:9
                   |  worker: obediant-expert
                   |          ^^^^^^^^^^^^^^^  did you mean "obedient-expert"?   (list them: intelmq list)
                """)
    }

    @Test func everythingWrongIsSaidAtOnce() {
        let found = complaint(
            """
            worker: obedient-expert
            lisen: 127.0.0.1:80
            threads: 0
            limits: {body: many, evnts: 5}
            log: {level: loud, format: xml}
            settings: {pause: soon, wrds: x}
            """)
        for part in [
            #"unknown member "lisen""#, #"did you mean "listen"?"#, #"threads: found "0""#, #"body: found "many""#,
            #"did you mean "events"?"#,
            #"level"#, #"setting "pause": found "soon", wanted a length of time"#, #"did you mean "words"?"#,
        ] { #expect(found.contains(part), "\(part) is missing in\n\(found)") }
    }

    @Test(arguments: [
        ("", "a configuration is a mapping"), ("[]", "a configuration is a mapping"), ("listen: 127.0.0.1:80\n", "which worker"),
        ("worker: obedient-expert\nlisten: 0.0.0.0:80\n", "opens a door"),
        ("worker: obedient-expert\nlisten: nowhere\n", "wanted address:port"),
        ("worker: obedient-expert\nlisten: 127.0.0.1:99999\n", "wanted address:port"),
        ("worker: obedient-expert\nack: maybe\n", "relay or durable"),
        ("worker: obedient-expert\nedges: [gopher://x]\n", "wanted a target"),
        ("worker: obedient-expert\nedges: http://x\n", "a list"),
        ("worker: obedient-expert\nedges: [http://a:1, http://a:1]\n", "two edges are named"),
        ("worker: obedient-expert\nedges: [{to: http://a, nam: b}]\n", "did you mean \"name\"?"),
        ("worker: obedient-expert\nsettings: hello\n", "settings"), ("worker: obedient-expert\nsettings: [a]\n", "settings"),
        ("worker: obedient-expert\nlimits: 5\n", "limits"), ("worker: obedient-expert\nlog: json\n", "log"),
        ("worker: obedient-expert\nlimits: {drain: 1e9}\n", "drain"),
        ("worker: obedient-expert\nlimits: {events: 0}\n", "above 0"),
        ("worker: obedient-expert\nsettings: {token: {a: b}}\n", "token"),
        ("worker: obedient-expert\nsettings: {a: 1, a: 2}\n", "twice"),
        ("worker: obedient-expert\nworker: line-parser\n", "twice"), ("worker: {a: b}\n", "unknown worker"),
    ]) func refuses(_ text: String, _ part: String) {
        let found = complaint(text)
        #expect(!found.isEmpty, "accepted")
        #expect(found.contains(part) || part == "twice", "\(found)")
    }

    @Test(arguments: [
        "worker: obedient-expert\nsettings:\n", "worker: intelmq-obedient-expert\n",
        "worker: obedient-expert\nlimits:\nlog:\nedges: []\n",
        "worker: obedient-expert\nlisten: unix:/run/x.sock\n", "worker: obedient-expert\nlisten: \"[::1]:80\"\n",
        "worker: obedient-expert\nlisten: 0.0.0.0:80\ninsecure: true\n", "{\"worker\": \"obedient-expert\"}",
    ]) func accepts(_ text: String) { #expect(complaint(text) == "") }

    @Test func edgesAreNamedAfterTheirTarget() throws {
        let edges = try configuration(
            "worker: obedient-expert\nedges: [http://a:1, http://b:2/, {to: 'http://c/x', name: n}, 'stdout:', 'file:///tmp/x']\n"
        ).edges
        #expect(edges.map(\.to) == ["http://a:1/v1/packets", "http://b:2/v1/packets", "http://c/x", "stdout:", "file:///tmp/x"])
        #expect(edges.map(\.name) == ["a:1", "b:2", "n", "stdout:", "x"])
    }

    @Test func aFileForAnotherWorkerIsRefused() throws {
        let document = try YAMLDocument.parse(Array("worker: line-parser\n".utf8), file: "x.yaml")
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationReader.read(document, roster: testRoster, expected: entry("obedient-expert"))
        }
        #expect(error?.description.contains("configures line-parser, but obedient-expert was called") == true)
    }
}

@Suite struct SettingTypeTests {
    private func node(_ text: String) throws -> YAMLNode { try YAMLDocument.parse(Array(text.utf8), file: "x").root }

    @Test(arguments: [
        ("90 s", 90.0), ("5", 5), ("5 min", 300), ("5m", 300), ("24 h", 86400), ("7 d", 604800), ("2w", 1_209_600),
        ("250 ms", 0.25), ("0", 0), ("1.5 h", 5400),
    ]) func intervals(_ text: String, _ seconds: Double) throws {
        let value = try Interval(setting: node(text))
        #expect(value.seconds == seconds)
        #expect(try Interval(setting: node(value.sample)) == value, "the written form reads back")
    }

    @Test(arguments: [
        "", "-5", "5 parsecs", "s", "1..2", "inf", "nan", "1e400", "[5]", String(repeating: "9", count: 400),
        "99999999999999999999 d", "٣ s",
    ])
    func noIntervals(_ text: String) { #expect(throws: SettingProblem.self) { try Interval(setting: node(text)) } }

    @Test(arguments: [
        ("512 KiB", 524_288), ("64MiB", 67_108_864), ("2 GiB", 2_147_483_648), ("1000", 1000), ("5 kB", 5000), ("0", 0),
    ])
    func byteCounts(_ text: String, _ bytes: Int) throws {
        let value = try ByteCount(setting: node(text))
        #expect(value.bytes == bytes)
        #expect(try ByteCount(setting: node(value.sample)) == value)
    }

    @Test(arguments: ["", "-1", "many", "1.5 MiB", "9223372036854775807 GiB", "99999999999999999999", "5 XiB", "{a: 1}"])
    func noByteCounts(_ text: String) { #expect(throws: SettingProblem.self) { try ByteCount(setting: node(text)) } }

    @Test func othersReadWhatTheyWrite() throws {
        for text in [
            "plain", "", "true", "5", "a: b", "- x", "# no", "\"q\"", "new\nline", "@at", "*star", "é", "null", "{}", "0x1F",
            "1e3", " lead",
        ] {
            #expect(try String(setting: node(text.sample)) == text, "\(text.sample)")
            #expect(try [String](setting: node([text, text].sample)) == [text, text])
            #expect(try [String: Int](setting: node([text: 1].sample)) == [text: 1])
        }
        #expect(try FieldID(setting: node("source.ip")).name == "source.ip")
        #expect(try FieldID(setting: node("source.asn")).name == "source.as.number", "old names are taken")
        #expect(try Int?(setting: node("~")) == nil)
        #expect(try Int?(setting: node("5")) == 5)
        let problem = #expect(throws: SettingProblem.self) { try FieldID(setting: node("source.ipp")) }
        #expect(problem?.help?.contains("source.ip") == true)
        let secret = try Secret(setting: node("hunter2"))
        #expect(!"\(secret)".contains("hunter2") && !secret.sample.contains("hunter2"))
    }

    @Test func sampleShowsNoSecretAndEveryDefault() {
        let sample = Renderer.sample(of: entry("obedient-expert"))
        for part in ["#words: done", "#pause: 5 s", "#amount: 1 MiB", "#fields: []", "#table: {}", "#token: null"] {
            #expect(sample.contains(part))
        }
    }
}
