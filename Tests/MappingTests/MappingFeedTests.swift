import IDF
import Testing
import YAML

@testable import Mapping

private struct Sink: MappingSink {
    var events: [Event] = []
    var refused: [(line: Int, reason: String)] = []
    var keepsOriginal = true
    var isFull: Bool { events.count >= 1000 }
    func newEvent() -> Event { Event() }
    mutating func keepHeader(_ line: ByteView) {}
    mutating func add(_ event: Event) { events.append(event) }
    mutating func refuse(_ row: ByteView, object: Int, _ reason: String) { refuse(row, line: object, reason) }
    mutating func refuse(_ row: ByteView, line: Int, _ reason: String) { refused.append((line, reason)) }
}

private func mapping(_ text: String) throws -> Mapping {
    try MappingFile(try YAMLDocument.parse(Array(("name: t\nsummary: Reads.\n" + text).utf8), file: "t.yaml")).mapping
}

private func read(_ text: String, _ report: String, about: Mapping.About = Mapping.About()) throws -> Sink {
    var sink = Sink()
    let mapping = try mapping(text)
    try Array(report.utf8).withUnsafeBufferPointer { (bytes) throws(MappingError) in
        try mapping.read(bytes, about: about, into: &sink)
    }
    return sink
}

/// What feeds need: tables, values before the rows, lists in a row, other formats.
@Suite struct MappingFeedTests {
    private let protocolKey = Key<String>("network.protocol")

    @Test func tables() throws {
        let text = """
            format: lines
            separator: ' '
            columns:
              - source.ip
              - {convert: lowercase, values: {ssh: {network.protocol: ssh, custom.n: 1}, test: skip, "": {tags: none}}, otherwise: refuse}
            """
        let sink = try read(text, "192.0.2.1 SSH\n192.0.2.2 test\n192.0.2.3 x\n192.0.2.4 -\n")
        #expect(sink.events.map { $0[protocolKey] } == ["ssh", nil])
        #expect(sink.events.last?[Key<String>("tags")] == "none")
        #expect(sink.refused.map(\.line) == [3])
        #expect(sink.refused.first?.reason.contains("wanted one of") == true)
    }

    @Test func whatIsKnownOfTheReport() throws {
        let text = """
            format: lines
            columns:
              - source.ip
              - {from: $url|$file, convert: [{after-last: "/"}, {before: "."}], values: {ssh: {network.protocol: ssh}}, otherwise: {tags: x}}
              - {from: $custom.note, to: custom.note}
            """
        let note = JSONValue.object(["note": .object(["a": .integer(1)])])
        let one = try read(text, "192.0.2.1\n", about: Mapping.About(url: "https://example.com/ssh.txt", custom: note))
        #expect(one.events.first?[protocolKey] == "ssh")
        #expect(one.events.first?[custom: "note"] == .object(["a": .integer(1)]))
        #expect(try read(text, "192.0.2.1\n", about: Mapping.About(file: "ssh.txt")).events.first?[protocolKey] == "ssh")
        #expect(try read(text, "192.0.2.1\n").events.first?[Key<String>("tags")] == "x")
        #expect(throws: MappingError.self) {
            try read(text.replacing("otherwise: {tags: x}", with: "otherwise: refuse"), "192.0.2.1\n")
        }
    }

    @Test func valuesBeforeTheRows() throws {
        let text =
            "format: lines\nheader: 2\npreamble: [{after: 'at:', to: '@timestamp', required: true}, {line: 2, to: tags}]\ncolumns: [source.ip]\n"
        let sink = try read(text, "# at: 2026-11-20 10:00:00\nhead\n192.0.2.1\n192.0.2.2\n")
        #expect(sink.events.map { $0[.timestamp]?.description } == ["2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"])
        #expect(sink.events.allSatisfy { $0[Key<String>("tags")] == "head" })
        #expect(throws: MappingError.self) { try read(text, "x\ny\n192.0.2.1\n") }
        #expect(throws: MappingError.self) { try read(text, "at: noon\ny\n192.0.2.1\n") }
    }

    @Test func listsInRows() throws {
        let text = "format: csv\nheader: true\neach: {from: t, split: ','}\ncolumns: {a: source.ip, $item: {to: tags}}\n"
        let sink = try read(text, "t,a\n\"x,y\",192.0.2.1\n,192.0.2.2\n")
        #expect(sink.events.map { $0[.sourceIP]?.description } == ["192.0.2.1", "192.0.2.1", "192.0.2.2"])
        #expect(sink.events.map { $0[Key<String>("tags")] } == ["x", "y", nil])
        let json = """
            format: json
            items: "*"
            each: {from: value, empty: skip, original: item}
            columns:
              - {from: key, to: threat.software.name}
              - {from: $item.h, to: source.domain, required: true}
            """
        let nested = try read(json, #"{"fam": [{"h": "a.example"}, {"x": 1}], "none": []}"#)
        #expect(nested.events.map { $0[.sourceDomain] } == ["a.example"])
        #expect(nested.events.first?.originalBytes.map { String(decoding: $0, as: UTF8.self) } == #"{"h":"a.example"}"#)
        #expect(nested.refused.count == 1)
    }

    @Test func pathsInJSON() throws {
        let text = "format: json\nitems: d.l\ncolumns: {a.0.b: source.port, a.*.c: source.ip, x.y: tags}\n"
        let report = #"{"d": {"l": [{"a": [{"b": 5, "c": "192.0.2.1"}, {"c": "192.0.2.2"}], "x.y": "t"}]}}"#
        let event = try #require(try read(text, report).events.first)
        #expect(event[.sourcePort] == 5)
        #expect(event.all(.sourceIP).map(\.description) == ["192.0.2.1", "192.0.2.2"])
        #expect(event[Key<String>("tags")] == "t")
        #expect(throws: MappingError.self) { try read(text, #"{"e": []}"#) }
        // Sources that wrote a list before write lines now; a list that is cut off is an error.
        let lines = "format: json\ncolumns: {a: source.ip}\n"
        #expect(try read(lines, "{\"a\": \"192.0.2.1\"}\n{\"a\": \"192.0.2.2\"}\n").events.count == 2)
        #expect(throws: MappingError.self) { try read(lines, "[{\"a\": \"192.0.2.1\"},\n") }
    }

    @Test func namesInAComment() throws {
        let text = "format: csv\nheader: comment\ncolumns: {ip: {to: source.ip, required: true}, n: {to: custom.n, split: ','}}\n"
        let sink = try read(text, "### t ###\n# \"n\", \"ip\"\r\n\"a,b\", \"192.0.2.1\"\n")
        #expect(sink.events.first?[custom: "n"] == .array([.string("a"), .string("b")]))
        #expect(throws: MappingError.self) { try read(text, "\"a\",\"192.0.2.1\"\n") }
        #expect(throws: MappingError.self) { try read(text, "") }
    }

    @Test func pairs() throws {
        let text = "format: pairs\nseparator: '|'\nequals: ':'\ncolumns: {a: source.ip, b: custom.b}\n"
        let sink = try read(text, "x|a: 192.0.2.1|b:\"c:d\"|a:192.0.2.2\nnothing\n")
        #expect(sink.events.map { $0[.sourceIP]?.description } == ["192.0.2.1"])
        #expect(sink.events.first?[custom: "b"] == .string("c:d"))
        #expect(sink.refused.map(\.line) == [2])
    }

    @Test func xml() throws {
        let text = "format: xml\nitems: e\ncolumns: {a.b: source.ip, c: custom.c, d: tags}\n"
        let sink = try read(
            text,
            "<?xml?><l><!-- <e> --><e x='1'><a><b>192.0.2.1</b></a><c><![CDATA[<&]]> &lt;</c><d/></e>\n<e><a><b>x</b></a></e><e>")
        #expect(sink.events.map { $0[.sourceIP]?.description } == ["192.0.2.1"])
        #expect(sink.events.first?[custom: "c"] == .string("<& <"))
        #expect(sink.refused.map(\.line) == [2, 2])
    }

    @Test func composes() throws {
        let text = "format: csv\nheader: true\ncolumns: {h: custom.h}\ncompose: {url.full: 'http://{h}/{p}'}\n"
        #expect(
            try read(text, "h,p\nexample.com,x\n,\n").events.map { $0[Key<String>("url.full")] } == ["http://example.com/x", nil])
        #expect(try read(text, "h\nexample.com\n").refused.first?.reason.contains("no cell {p}") == true)
    }

    @Test(arguments: [
        ("{after-last: '/'}", "a/b/c", "c"), ("{before-last: '/'}", "a/b/c", "a/b"), ("{after-last: '/'}", "abc", "abc"),
        ("{behind: '='}", "a=b", "b"), ("{prepend: x}", "y", "xy"), ("{append: x}", "y", "yx"),
        ("host", "http://u@h.example:8/p", "h.example"),
        ("host", "[2001:db8::1]:80", "2001:db8::1"), ("host", "2001:db8::1", "2001:db8::1"), ("port", "192.0.2.1:80", "80"),
        ("port", "https://[2001:db8::1]:8443/x", "8443"), ("url-path", "http://h/a/b?q#f", "/a/b"),
        ("url-scheme", "HTTPS://h", "https"),
        ("unpad", "010.000.2.061", "10.0.2.61"), ("refang", "hxxps://a[.]b(.)c[:]8", "https://a.b.c:8"),
        ("{remove: '[?]k=.*'}", "u?k=1", "u"),
        ("{search: '[0-9]+'}", "a12b", "12"), ("{length: 2}", "AT", "AT"),
        ("[{time: ['%Y', '%d.%m.%Y']}]", "20.11.2026", "2026-11-20T00:00:00Z"),
    ]) func converts(_ conversion: String, _ text: String, _ wanted: String) throws {
        let sink = try read("format: lines\ncomments: []\ncolumns: [{to: custom.x, convert: \(conversion)}]\n", text)
        #expect(sink.events.first?[custom: "x"] == .string(wanted), "\(sink.refused)")
    }

    @Test(arguments: [
        "host", "port", "url-path", "url-scheme", "unpad", "refang", "{before-last: '/'}", "{behind: 'é'}", "{length: 3}",
    ])
    func hostileTexts(_ conversion: String) throws {
        for text in [
            "", ":", "://", "[", "]:", "@:/", "....", "é[.]😀", "\u{0}", String(repeating: "/", count: 5000), "hxxp", "000",
        ] {
            _ = try read("format: lines\ncolumns: [{to: custom.x, convert: \(conversion), required: false}]\n", text)
        }
    }

    @Test(arguments: [
        "<", "<a", "<a b", "<a b=", "<a b='", "</", "<!--", "<![CDATA[", "<?", "<e><e><e>", "</e></e>", "<e/><e",
        "&#xFFFFFFFF;&;&#", "<e>&#0;</e>",
        String(repeating: "<e>", count: 5000),
    ]) func hostileMarkup(_ report: String) throws {
        _ = try read("format: xml\nitems: e\ncolumns: {a.b.c: tags}\n", report)
        Array(report.utf8).withUnsafeBufferPointer { bytes in
            let page = Markup(bytes)
            for element in page.elements("e").prefix(100) { _ = (page.text(of: element), page.source(of: element)) }
        }
    }

    @Test func cellsOfATableThatCloseNothing() {
        Array("<TABLE><tr><td>a<td>b &amp; c<tr><td>d<table><tr><td>e</table>f</TABLE><td>g".utf8).withUnsafeBufferPointer {
            bytes in
            let page = Markup(bytes)
            let rows = page.elements("tr", in: page.inside(page.elements("table")[0]))
            #expect(rows.count == 3)
            #expect(page.elements("td", in: page.inside(rows[0])).map { page.text(of: $0) } == ["a", "b & c"])
            #expect(page.text(of: page.elements("td", in: page.inside(rows[1]))[0]) == "def")
        }
    }

    @Test(arguments: [
        ("columns: [{from: $urls, to: tags}]\n", "known are: $url"), ("columns: [{values: 5}]\n", "texts to fields"),
        ("columns: [{to: tags, otherwise: skip}]\n", "add values"),
        ("columns: [{values: {a: {tags: b}}, otherwise: x}]\n", "wanted skip, refuse"),
        ("columns: [{to: tags, convert: host: 5}]\n", "t.yaml"),
        ("columns: [{to: tags, convert: before}]\n", "needs an argument"),
        ("columns: [{to: tags, convert: {host: x}}]\n", "takes no argument"),
        ("columns: [{from: 0, to: tags}]\n", "counted from 1"),
        ("preamble: [{to: tags}]\ncolumns: []\n", "wanted after"), ("each: {to: x}\ncolumns: []\n", "unknown member"),
        ("each: {from: x, empty: y}\ncolumns: []\n", "wanted one"),
        ("columns: [{to: {field: tags, too: x}}]\n", "unknown member"),
        ("constants: {source.port: x}\ncolumns: []\n", "is no value of source.port"),
    ]) func refuses(_ text: String, _ part: String) {
        do {
            _ = try mapping("format: lines\n" + text)
            Issue.record("\(text) is taken")
        } catch {
            #expect("\(error)".contains(part) && "\(error)".contains("t.yaml:"), "\(error)")
        }
    }
}
