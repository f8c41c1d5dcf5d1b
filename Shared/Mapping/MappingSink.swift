public import IDF

/// Where the events of a mapping go.
public protocol MappingSink {
    /// A new event with the fields of the report.
    func newEvent() -> Event
    /// Whether rows are kept in `event.original`.
    var keepsOriginal: Bool { get }
    /// No more events are wanted.
    var isFull: Bool { get }
    /// Takes an event.
    mutating func add(_ event: Event)
    /// Takes a line of the header, which rows mean nothing without.
    mutating func keepHeader(_ line: ByteView)
    /// Takes a row that could not be read, its line (from 1), and why.
    mutating func refuse(_ row: ByteView, line: Int, _ reason: String)
    /// Takes an object of a document that could not be read, which of them it is (from 1), and why.
    mutating func refuse(_ row: ByteView, object: Int, _ reason: String)
    /// What of the report was looked at before now may leave memory.
    func passed()
}

extension MappingSink {
    /// The report lies in memory.
    public func passed() {}
}

/// Why a report as a whole cannot be read by a mapping.
public struct MappingError: Error, Sendable, CustomStringConvertible {
    /// What was found and what is wanted.
    public let description: String
    init(_ description: String) { self.description = description }
}

/// What became of a cell, or of a row.
enum Outcome {
    case kept
    /// The row is left out.
    case left
    /// The row cannot be read, for that reason.
    case refused(String)
}

/// Blanks off both ends.
func trim(_ cell: ByteView) -> ByteView {
    var start = 0
    var end = cell.count
    while start < end, cell[start] == 0x20 || cell[start] == 0x09 { start += 1 }
    while end > start, cell[end - 1] == 0x20 || cell[end - 1] == 0x09 || cell[end - 1] == 0x0D { end -= 1 }
    return ByteView(rebasing: cell[start..<end])
}

/// Calls `body` with each line, without blanks around it and its number (from 1), until it answers false.
func eachLine(_ text: ByteView, _ body: (ByteView, Int) -> Bool) {
    var number = 0
    var start = text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    while start < text.count {
        let end = text[start...].firstIndex(of: 0x0A) ?? text.count
        number += 1
        let line = trim(ByteView(rebasing: text[start..<end]))
        start = end + 1
        if !body(line, number) { return }
    }
}

/// The parts between separators, without blanks around them.
func split(_ line: ByteView, _ separator: [UInt8], into cells: inout [ByteView]) {
    cells.removeAll(keepingCapacity: true)
    var start = 0
    var at = 0
    while at + separator.count <= line.count, let first = separator.first {
        if line[at] == first, line[at..<(at + separator.count)].elementsEqual(separator) {
            cells.append(trim(ByteView(rebasing: line[start..<at])))
            at += separator.count
            start = at
        } else {
            at += 1
        }
    }
    cells.append(trim(ByteView(rebasing: line[start...])))
}

var noBytes: ByteView { ByteView(start: nil, count: 0) }
