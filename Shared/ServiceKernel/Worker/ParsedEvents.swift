import Bulk
public import IDF

/// Where a parser puts what it reads.
public struct ParsedEvents {
    /// What every event of the report begins with: the fields of the feed, and when it was first seen.
    public let template: Event
    /// Whether rows are kept in `event.original`.
    public let keepsOriginal: Bool
    /// Events read so far and not yet taken.
    public private(set) var events: [Event] = []
    /// Rows that could not be read.
    public private(set) var rejected: [RejectedRow] = []
    /// The lines before the rows that say what the rows mean; a row that could not be read is kept with them.
    public private(set) var header: [UInt8] = []
    /// How many events were added in all.
    public private(set) var added = 0
    private let limit: Int
    private let batch: Int
    private let onBatch: (([Event]) -> Void)?
    /// True when the reader has asked for no more events (`--stop-after`): a parser may then stop early.
    public var isFull: Bool { added >= limit || isHopeless }
    /// After so many rows that cannot be read, or so many bytes of them, the report is refused: it is not what the parser reads.
    static let rejectionLimit = 10_000
    private static let rejectedBytesLimit = 64 << 20
    private var rejectedBytes = 0
    /// Whether so many rows could not be read that the report is refused.
    var isHopeless: Bool { rejected.count >= Self.rejectionLimit || rejectedBytes >= Self.rejectedBytesLimit }
    private let report: UUID
    private let content: BulkBytes

    /// A place to put events. With `onBatch`, every `batch` events are handed over at once instead of being gathered.
    public init(
        report: Report, keepsOriginal: Bool = true, limit: Int = .max, batch: Int = .max, onBatch: (([Event]) -> Void)? = nil
    ) {
        var template = report.fields
        // Milliseconds are what people and stores keep.
        if template[.created] == nil {
            template[.created] = Timestamp(nanoseconds: Timestamp.now().nanoseconds / 1_000_000 * 1_000_000)
        }
        template.remove(.fileName)
        template.removeFree("custom")
        self.template = template
        self.report = report.id
        content = report.content
        self.keepsOriginal = keepsOriginal
        self.limit = limit
        self.batch = batch
        self.onBatch = onBatch
    }

    /// What of the report was looked at before now may leave memory; events hold what they need.
    public func passed() { content.release() }

    /// A new event that carries the report's fields.
    public func newEvent() -> Event { Event(copying: template) }

    /// Adds an event.
    public mutating func add(_ event: Event) {
        guard !isFull else { return }
        var event = event
        // The same report parsed again gives the same events: what is sent twice is stored once.
        event.id = report.part(added)
        added += 1
        events.append(event)
        if events.count >= batch, let onBatch {
            onBatch(events)
            events.removeAll(keepingCapacity: true)
            passed()
        }
    }

    /// Keeps a line of the header, without its line end.
    public mutating func keepHeader(_ line: ByteView) {
        header.append(contentsOf: line)
        header.append(0x0A)
    }

    /// Adds a row that could not be read, with its place in the report: its line, and which of its objects it is (from 1);
    /// 0 for a line that is not known.
    public mutating func reject(_ row: some Collection<UInt8>, line: Int, object: Int? = nil, _ rejection: Rejection) {
        rejected.append(RejectedRow(bytes: Array(row), line: line, object: object, rejection: rejection))
        rejectedBytes += row.count
        if rejected.count % 500 == 0 { passed() }
    }

    /// Hands over what is left.
    public mutating func finish() {
        if let onBatch, !events.isEmpty {
            onBatch(events)
            events = []
        }
    }
}

/// A row of a report that could not be read.
public struct RejectedRow: Sendable {
    /// The row as it came.
    public let bytes: [UInt8]
    /// Its line in the report, from 1; 0 where that is not known.
    public let line: Int
    /// Which of the report's objects it is, from 1, where rows are no lines.
    public let object: Int?
    /// Why.
    public let rejection: Rejection
    /// Where it stands, for messages: `line 5`, `line 5, object 2`, `object 2`.
    public var place: String {
        [line > 0 ? "line \(line)" : nil, object.map { "object \($0)" }].compactMap { $0 }.joined(separator: ", ")
    }
}
