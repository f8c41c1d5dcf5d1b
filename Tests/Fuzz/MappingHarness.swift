import IDF
import Mapping
import YAML

/// The mapping file up to the first NUL, and behind it the report. Its events must be such as the next service takes.
func fuzzMapping(_ bytes: UnsafePointer<UInt8>?, _ count: Int) {
    let parts = array(bytes, count).split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    guard let document = try? YAMLDocument.parse(Array(parts[0]), file: "fuzz.yaml"),
        let file = try? MappingFile(document)
    else { return }
    // Whoever writes a mapping can write a regular expression that takes for ever: that is no finding.
    let searches = file.mapping.columns.flatMap(\.conversions).map { if case .search = $0 { true } else { false } }
    guard !searches.contains(true) else { return }
    _ = file.mapping.writes
    let report = parts.count > 1 ? Array(parts[1]) : []
    var sink = Sink()
    do throws(MappingError) {
        try report.withUnsafeBufferPointer { (view) throws(MappingError) in try file.mapping.read(view, into: &sink) }
    } catch {
        expect(!error.description.isEmpty, "refused without a reason")
    }
    decoded(Packet(events: sink.events).encoded(), isGrown: true)
}

private struct Sink: MappingSink {
    var events: [Event] = []
    var refused = 0
    var keepsOriginal: Bool { true }
    var isFull: Bool { events.count + refused >= 1000 }

    func newEvent() -> Event { Event() }
    mutating func add(_ event: Event) { events.append(event) }
    mutating func keepHeader(_ line: ByteView) {}
    mutating func refuse(_ row: ByteView, object: Int, _ reason: String) { refuse(row, line: object, reason) }
    mutating func refuse(_ row: ByteView, line: Int, _ reason: String) {
        expect(line >= 1 && !reason.isEmpty, "refused without place or reason")
        refused += 1
    }
}
