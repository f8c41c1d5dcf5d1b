import IDF
import Testing
import YAML

@testable import Mapping

private struct Sink: MappingSink {
    mutating func keepHeader(_ line: ByteView) {}
    var events: [Event] = []
    var refused: [(line: Int, reason: String)] = []
    var keepsOriginal = false
    var limit = Int.max
    var isFull: Bool { events.count >= limit }
    func newEvent() -> Event { Event() }
    mutating func add(_ event: Event) { events.append(event) }
    mutating func refuse(_ row: ByteView, object: Int, _ reason: String) { refuse(row, line: object, reason) }
    mutating func refuse(_ row: ByteView, line: Int, _ reason: String) { refused.append((line, reason)) }
}

private func mapping(_ text: String) throws -> Mapping {
    try MappingFile(try YAMLDocument.parse(Array(("name: t\nsummary: Reads.\n" + text).utf8), file: "t.yaml")).mapping
}

private func read(
    _ text: String, _ report: String, limit: Int = .max, keeps: Bool = false, about: Mapping.About = Mapping.About()
) throws -> Sink {
    var sink = Sink(keepsOriginal: keeps, limit: limit)
    let mapping = try mapping(text)
    try Array(report.utf8).withUnsafeBufferPointer { (bytes) throws(MappingError) in
        try mapping.read(bytes, about: about, into: &sink)
    }
    return sink
}

@Suite struct MappingEngineTests {
    @Test func linesWithSeparator() throws {
        let sink = try read(
            "format: lines\nseparator: '|'\ncolumns: [source.ip, source.port]\n",
            "# c\n192.0.2.1 | 80\r\n\n192.0.2.2|x\n192.0.2.3")
        #expect(sink.events.map { $0[.sourceIP]?.description } == ["192.0.2.1", "192.0.2.3"])
        #expect(sink.events.map { $0[.sourcePort] } == [80, nil])
        #expect(sink.refused.map(\.line) == [4])
        #expect(sink.refused.first?.reason.contains("found \"x\"") == true)
    }

    @Test func csvByName() throws {
        let text = "format: csv\nheader: true\ncolumns: {address: {to: source.ip, required: true}, note: custom.note}\n"
        let sink = try read(text, "note,address\n\"a, \"\"b\"\"\",192.0.2.1\nx,\n", keeps: true)
        #expect(sink.events.count == 1)
        #expect(sink.events.first?[custom: "note"] == .string("a, \"b\""))
        #expect(sink.events.first?.originalBytes != nil)
        #expect(sink.refused.first?.reason.contains("required") == true)
        #expect(throws: MappingError.self) { try read(text, "note,other\na,b\n") }
        #expect(try read(text, "").events.isEmpty)
        // Rows shorter and longer than the header.
        #expect(try read(text, "note,address\nx\ny,192.0.2.1,z,w\n").events.count == 1)
    }

    @Test func csvByPlace() throws {
        let sink = try read(
            "format: csv\nheader: 1\ndelimiter: ;\ncolumns: [source.ip, ~, tags]\n", "h;h\n192.0.2.1;skip;t\n192.0.2.2\n")
        #expect(sink.events.map { $0[Key<String>("tags")] } == ["t", nil])
    }

    @Test func json() throws {
        let text = "format: json\ncolumns: {a.b: {to: source.ip, required: true}, l: source.domain, c: custom.c.d}\n"
        let sink = try read(text, #"[{"a":{"b":"192.0.2.1"},"c":{"x":[1]},"l":null},{"a":5},7,{"a":{"b":"x"}}]"#)
        #expect(sink.events.count == 1)
        #expect(sink.events.first?[custom: "c"] == .object(["d": .object(["x": .array([.integer(1)])])]))
        #expect(sink.refused.map(\.line) == [2, 3, 4])
        #expect(throws: MappingError.self) { try read(text, "[{") }
        #expect(throws: MappingError.self) { try read(text, "") }
        let lines = try read(
            text.replacing("json", with: "ndjson"), "{\"a\":{\"b\":\"192.0.2.1\"}}\n{\n\n{\"a\":{\"b\":\"192.0.2.2\"}}")
        #expect(lines.events.count == 2)
        #expect(lines.refused.map(\.line) == [2])
    }

    @Test func candidatesConstantsAndIgnored() throws {
        let text = """
            format: lines
            ignore: [none]
            columns: [[source.ip, source.domain], {to: source.port}]
            constants: {intelmq.classification.type: scanner, custom.n: 5}
            """
        let sink = try read(text + "\nseparator: ' '\n", "192.0.2.1 none\nhost.example 80\n")
        #expect(sink.events.map { $0[.sourceDomain] } == [nil, "host.example"])
        #expect(sink.events.map { $0[.sourcePort] } == [nil, 80])
        #expect(sink.events.allSatisfy { $0[.classificationType] == "scanner" && $0[custom: "n"] == .integer(5) })
        #expect(
            try mapping(text).writes.map(\.name).sorted() == [
                "intelmq.classification.type", "source.domain", "source.ip", "source.port",
            ])
    }

    @Test func stopsWhenFull() throws {
        #expect(try read("format: lines\ncolumns: [source.ip]\n", "192.0.2.1\n192.0.2.2\n", limit: 1).events.count == 1)
    }

    @Test(arguments: [
        ("unix-seconds", "1700000000", "2023-11-14T22:13:20Z"), ("unix-milliseconds", "1700000000000", "2023-11-14T22:13:20Z"),
        ("{time: '%d.%m.%Y %H:%M'}", "20.11.2026 12:00", "2026-11-20T12:00:00Z"),
        ("midnight", "2026-11-20 13:14:15", "2026-11-20T00:00:00Z"),
        ("{replace: {now: '2026-11-20T00:00:00Z'}}", "now", "2026-11-20T00:00:00Z"),
        ("{drop-prefix: 't='}", "t=2026-11-20T00:00:00Z", "2026-11-20T00:00:00Z"),
        ("{before: ' ('}", "2026-11-20T00:00:00Z (UTC)", "2026-11-20T00:00:00Z"),
        ("[{after: ':'}, unix-seconds]", "at:0", "1970-01-01T00:00:00Z"),
    ]) func converts(_ conversion: String, _ text: String, _ time: String) throws {
        let sink = try read("format: lines\ncolumns: [{to: '@timestamp', convert: \(conversion)}]\n", text)
        #expect(sink.events.first?[.timestamp]?.description == time, "\(sink.refused)")
    }

    @Test(arguments: ["unix-seconds", "unix-milliseconds", "windows-nt", "midnight", "{time: '%Y'}", "lowercase", "json"])
    func hostileTexts(_ conversion: String) throws {
        for text in [
            "nan", "-1e400", String(repeating: "9", count: 5000), "é😀", "\u{0}x", "[[[", "%", "9223372036854775808",
            "-9223372036854775808",
        ] {
            _ = try read("format: lines\ncolumns: [{to: '@timestamp', convert: \(conversion)}, custom.x]\n", text)
        }
    }
}

@Suite struct MappingFileTests {
    @Test(arguments: [
        ("format: csv\ncolumns: [sorce.ip]\n", "did you mean \"source.ip\"?"),
        ("format: html\ncolumns: []\n", "wanted csv, json, ndjson, xml, lines or pairs"),
        ("format: csv\n", "needs columns"), ("columns: []\n", "needs a format"),
        ("format: csv\ncolums: []\ncolumns: []\n", "did you mean \"columns\"?"),
        ("format: csv\ncolumns: 5\n", "wanted a mapping"),
        ("format: csv\ncolumns: [{to: source.ip, convert: lowrcase}]\n", "did you mean \"lowercase\"?"),
        ("format: csv\ncolumns: [{too: source.ip}]\n", "unknown member \"too\""),
        ("format: csv\ndelimiter: ab\ncolumns: []\n", "one ASCII character"),
        ("format: csv\nheader: -1\ncolumns: []\n", "the first row names the columns"),
        ("format: lines\ncomments: '#'\ncolumns: []\n", "a list of texts"),
        ("format: lines\ncolumns: []\nconstants: {source.ip: [1]}\n", "wanted a text or a number"),
    ]) func refuses(_ text: String, _ part: String) {
        let error = #expect(throws: MappingFileError.self) { try mapping(text) }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("t.yaml:") == true)
    }

    @Test func columnsThatBecomeCustomMembersAsTheyAre() throws {
        let sink = try read(
            "format: csv\nheader: true\ncolumns:\n  a: custom.a\n  b: {to: custom.b, split: ';'}\n  c: custom.c\n  d: custom.c\n  e: custom.e.f\n"
                + "constants: {custom.g: x}\n",
            "a,b,c,d,e\n\"q\"\"\u{1}\",x;-;y,1,2,z\n-,-,3,,\n")
        #expect(sink.refused.isEmpty)
        #expect(sink.events.first?[custom: "a"] == .string("q\"\u{1}"))
        #expect(sink.events.first?[custom: "b"] == .array([.string("x"), .string("y")]))
        // Two columns for one member: the last one stands, once.
        #expect(sink.events.first?.freeMembers("custom").map(\.name).sorted() == ["a", "b", "c", "e", "g"])
        #expect(sink.events.first?[custom: "c"] == .string("2"))
        #expect(sink.events.last?.freeMembers("custom").map(\.name).sorted() == ["c", "g"])
    }

    @Test func accuracyOfARowIsAShare() throws {
        let text = "format: lines\nseparator: '|'\ncolumns: [source.ip, threat.feed.accuracy]\n"
        let sink = try read(text, "192.0.2.1|51\n192.0.2.2|\n192.0.2.3|much\n")
        #expect(sink.events.map { $0[Key<Double>("threat.feed.accuracy")] } == [51, nil])
        #expect(sink.refused.count == 1)
    }

    @Test func targetsThatAreLeftOut() throws {
        let all = try mapping(
            "format: lines\nseparator: '|'\ncolumns:\n  - {to: [source.ip, source.domain], required: true}\n"
                + "  - {values: {x: {tags: x, network.protocol: ssh}}, otherwise: {tags: y}}\nconstants: {intelmq.status: online}\n"
        )
        let targets = ["source.domain", "tags", "intelmq.status"].compactMap(Mapping.Target.init)
        let some = all.leavingOut(targets)
        #expect(some.writes.map(\.name).sorted() == ["network.protocol", "source.ip"])
        var sink = Sink()
        try Array("192.0.2.1|x\nexample.com|x\n".utf8).withUnsafeBufferPointer { (bytes) throws(MappingError) in
            try some.read(bytes, into: &sink)
        }
        #expect(sink.events.map { $0[.sourceIP]?.description } == ["192.0.2.1"])
        #expect(sink.refused.map(\.line) == [2])
    }
}
