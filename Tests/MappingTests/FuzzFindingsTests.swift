import IDF
import Mapping
import Testing
import YAML

private struct Sink: MappingSink {
    var events: [Event] = []
    var keepsOriginal: Bool { false }
    var isFull: Bool { false }
    func newEvent() -> Event { Event() }
    mutating func add(_ event: Event) { events.append(event) }
    mutating func keepHeader(_ line: ByteView) {}
    mutating func refuse(_ row: ByteView, line: Int, _ reason: String) {}
    mutating func refuse(_ row: ByteView, object: Int, _ reason: String) {}
}

/// What fuzzing found, one test for each.
@Suite struct FuzzFindingsTests {
    @Test func anEmptySeparatorIsRefused() throws {
        let text = "name: t\nsummary: Reads.\nformat: lines\nseparator: \"\"\ncolumns: [source.ip]\n"
        let document = try YAMLDocument.parse(Array(text.utf8), file: "t.yaml")
        let error = #expect(throws: MappingFileError.self) { try MappingFile(document) }
        #expect(error?.description.contains("t.yaml:4:12") == true)
    }

    @Test(.timeLimit(.minutes(1))) func anEmptySeparatorSplitsNothing() throws {
        let mapping = Mapping(
            format: .lines(separator: "", skip: 0), columns: [Mapping.Column(targets: [.field(Key<IPAddress>.sourceIP.id)])])
        var sink = Sink()
        try Array("192.0.2.1\n".utf8).withUnsafeBufferPointer { (view) throws(MappingError) in
            try mapping.read(view, into: &sink)
        }
        #expect(sink.events.map { $0[.sourceIP]?.description } == ["192.0.2.1"])
    }
}
