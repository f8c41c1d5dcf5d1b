import IDF
import Parsers
import ServiceKernel
import Testing
import YAML

/// What a parser that is exposed to the network may meet: nothing of it may end or hold up the program.
@Suite(.serialized) struct ParserTests {
    static let roster = Roster(parsers)
    /// Parsers that read anything without settings that must be given.
    static let names = parsers.map(\.name).filter {
        !["csv-parser", "html-table-parser", "key-value-parser", "mapping-parser"].contains($0)
    }

    static let hostile: [(String, [UInt8])] = [
        ("nothing", []), ("a zero byte", [0]), ("no UTF-8", [0xFF, 0xFE, 0x22, 0x7B, 0x3C, 0x0A, 0xC3]),
        ("one long line", Array(repeating: 0x61, count: 20_000)),
        ("only line ends", Array(repeating: 0x0A, count: 20_000)),
        ("only separators", Array(String(repeating: ",;|\t", count: 20_000).utf8)),
        ("lists in lists", Array(repeating: 0x5B, count: 20_000)),
        ("objects in objects", Array(String(repeating: "{\"a\":", count: 20_000).utf8)),
        ("elements in elements", Array(String(repeating: "<Indicator><entry><a href='domain.php?q='>", count: 2_000).utf8)),
        ("a tag that never ends", Array(("<input value='" + String(repeating: "a=b ", count: 20_000)).utf8)),
        ("numbers without end", Array(("[{\"ip_str\": " + String(repeating: "9", count: 20_000) + "}]").utf8)),
    ]

    private func parser(_ name: String, _ settings: String = "") throws -> any Parser {
        let text = "worker: \(name)\n" + (settings.isEmpty ? "" : "settings: {\(settings)}\n")
        let document = try YAMLDocument.parse(Array(text.utf8), file: "test.yaml")
        var worker = try ConfigurationReader.read(document, roster: Self.roster).worker
        try worker.prepare(WorkerContext(stateDirectory: nil, log: Log.worker("test", level: .critical)))
        return try #require(worker as? any Parser)
    }

    private func parse(_ content: [UInt8], with parser: any Parser) -> (events: [Event], problems: Int) {
        var events = ParsedEvents(report: Report(content: content))
        do throws(Rejection) {
            try parser.parse(Report(content: content), into: &events)
            return (events.events, events.rejected.count)
        } catch {
            return (events.events, events.rejected.count + 1)
        }
    }

    @Test(.timeLimit(.minutes(2)), arguments: names)
    func `hostile reports end in time`(_ name: String) throws {
        // Without its schema Shadowserver's reads nothing, and without its program that of n6.
        guard !["shadowserver-parser", "n6-program-parser"].contains(name) else { return }
        let parser = try parser(name)
        for (what, content) in Self.hostile {
            let clock = ContinuousClock.now
            _ = parse(content, with: parser)
            #expect(ContinuousClock.now - clock < .seconds(20), "\(what)")
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `tables in tables end in time`() throws {
        let parser = try parser("html-table-parser", "columns: [source.ip]")
        let clock = ContinuousClock.now
        _ = parse(Array(String(repeating: "<table><tr><td>x", count: 5_000).utf8), with: parser)
        #expect(ContinuousClock.now - clock < .seconds(20))
    }

    @Test func `rows of XML do not stand in each other`() throws {
        let entry = "<line>1</line><url>http://example.com/</url>"
        let nested = Array("<output><entries><entry>\(entry)<entry>\(entry)</entry></entry></entries></output>".utf8)
        let (events, problems) = parse(nested, with: try parser("cleanmx-virus-parser"))
        #expect(events.count + problems == 1)
    }

    @Test func `a Shodan member that is no value leaves the rest`() throws {
        let banner = #"{"ip_str": "192.0.2.1", "port": "many", "asn": {"x": 1}, "location": 7, "timestamp": [], "ssh": [1]}"#
        let (events, problems) = parse(Array(banner.utf8), with: try parser("shodan-parser"))
        #expect(problems == 0)
        #expect(events.first?[.sourceIP]?.description == "192.0.2.1")
        #expect(events.first?[.sourcePort] == nil)
    }
}
