/// Bytes owned by someone else; valid only as long as their owner says.
public typealias ByteView = UnsafeBufferPointer<UInt8>

/// How a table is written down.
public struct CSVDialect: Sendable, Hashable {
    /// Separates cells; any byte but CR and LF, which always end a record.
    public var delimiter: UInt8
    /// Encloses cells; nil when quotes have no meaning.
    public var quote: UInt8?
    /// Lines that begin with these bytes are skipped; empty for none.
    public var comment: [UInt8]
    /// Whether blanks between a delimiter and the cell are dropped, as in `"a", "b"`.
    public var skipsInitialSpace: Bool
    /// Whether text after a closing quote belongs to the cell as it stands, `"a"b` being `ab`, instead of being a problem.
    /// Not where the cell holds a line end: then it is rather a quote that was never closed.
    public var isLenient: Bool
    /// The longest record in bytes.
    public var recordLimit: Int

    /// Makes a dialect; the defaults are those of RFC 4180.
    public init(
        delimiter: UInt8 = UInt8(ascii: ","), quote: UInt8? = UInt8(ascii: "\""), comment: [UInt8] = [],
        skipsInitialSpace: Bool = false, isLenient: Bool = false, recordLimit: Int = 1 << 20
    ) {
        self.delimiter = delimiter
        self.quote = quote
        self.comment = comment
        self.skipsInitialSpace = skipsInitialSpace
        self.isLenient = isLenient
        self.recordLimit = recordLimit
    }

    /// What is contradictory in this dialect, as a sentence; nil when nothing is.
    ///
    /// A reader given a contradictory dialect does not fail: line ends win over the delimiter, the delimiter over the quote.
    public var fault: String? {
        if delimiter == 0x0A || delimiter == 0x0D { return "the delimiter is a line end, which already ends a record" }
        if quote == 0x0A || quote == 0x0D { return "the quote is a line end, which already ends a record" }
        if quote == delimiter { return "the quote and the delimiter are the same byte" }
        if recordLimit < 1 { return "the record limit is \(recordLimit), at least 1 byte is needed" }
        return nil
    }

    /// The quote where it can be told from the other special bytes.
    var effectiveQuote: UInt8? {
        quote == delimiter || quote == 0x0A || quote == 0x0D ? nil : quote
    }
}

/// What is wrong with a record. Its `line` is the record's first, counted from 1.
public enum CSVProblem: Sendable, Hashable, CustomStringConvertible {
    /// A quoted cell is not closed before the input ends or the record grows beyond the limit.
    case unterminatedQuote(line: Int)
    /// A closing quote is followed by something else than a delimiter or line end, as in `"a"b`.
    case garbageAfterQuote(line: Int)
    /// The line is longer than the limit in bytes.
    case recordTooLong(line: Int, limit: Int)

    /// The problem as a sentence.
    public var description: String {
        switch self {
        case .unterminatedQuote(let line):
            "line \(line): a quoted cell is not closed before the end or the record limit; "
                + "double the quote character inside cells, or switch quoting off"
        case .garbageAfterQuote(let line):
            "line \(line): text follows a closing quote; double the quote character inside cells, or switch quoting off"
        case .recordTooLong(let line, let limit):
            "line \(line): the record is longer than \(limit) bytes; check the line ends, or raise the record limit"
        }
    }
}
