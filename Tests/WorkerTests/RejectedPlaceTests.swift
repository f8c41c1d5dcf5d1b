import IDF
import ServiceKernel
import Testing
import YAML

@testable import Parsers

/// A dead letter says where in the report its row stands.
@Suite struct RejectedPlaceTests {
    private func places(_ text: String, _ name: String) throws -> [String] {
        let document = try YAMLDocument.parse(Array("worker: \(name)\n".utf8), file: "test.yaml")
        let worker = try ConfigurationReader.read(document, roster: ParserTests.roster).worker
        let parser = try #require(worker as? any Parser)
        let report = Report(content: Array(text.utf8))
        var events = ParsedEvents(report: report)
        try parser.parse(report, into: &events)
        return events.rejected.map(\.place)
    }

    private let bad = #"{"type": "ipv4-addr", "id": "a", "value": "x y"}"#
    private let good = #"{"type": "ipv4-addr", "id": "b", "value": "192.0.2.1"}"#

    @Test func `the line of an object of a bundle`() throws {
        #expect(
            try places("{\"objects\": [\n\(good),\n\n\(bad), \(good),\n\(bad)]}", "stix-parser") == [
                "line 4, object 2", "line 5, object 4",
            ])
    }

    @Test func `the object of a report of one line`() throws {
        #expect(try places("[\(good), \(bad), 5]", "stix-parser") == ["line 1, object 2", "line 1, object 3"])
    }

    @Test func `where a report is cut off`() throws {
        #expect(try places("{\"objects\": [\n\(good),\n", "stix-parser") == ["line 3"])
        #expect(try places("{\"objects\": [\n\(good),\n{\"type\": \"ipv4", "stix-parser") == ["line 3, object 2"])
    }

    @Test func `the line of an attribute, though those of objects stand before the others`() throws {
        let attribute = #"{"category": "Network activity", "type": "ip-src", "value": "x y"}"#
        let text =
            "{\"Event\": {\"info\": \"x\",\n\"Object\": [{\"Attribute\": [\n\(attribute)]}],\n\"Attribute\": [\n\(attribute)]}}"
        #expect(try places(text, "misp-parser") == ["line 5, object 1", "line 3, object 2"])
    }

    @Test func `lines are counted forwards and backwards`() {
        Array("a\nb\n\nc".utf8).withUnsafeBufferPointer { text in
            var lines = LineCounter(text)
            #expect([0, 1, 2, 5, 2, 4, 0, 6].map { lines.line(of: $0) } == [1, 1, 2, 4, 2, 3, 1, 4])
        }
    }
}
