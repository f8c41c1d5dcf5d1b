/// Writes records, quoting cells where a reader of the same dialect would misread them.
public struct CSVWriter: Sendable {
    /// What was written since the begin or the last `take()`.
    public private(set) var bytes: [UInt8] = []
    private let delimiter: UInt8
    private let quote: UInt8
    private let comment: [UInt8]
    private let lineEnd: [UInt8]
    /// Bytes that a cell can only hold in quotes.
    private let special: [Bool]
    /// Cells in the current record.
    private var cells = 0
    private var hasOnlyEmptyCell = false
    private var isFirst = true

    /// Makes a writer. `comment` is a prefix readers take for a comment line; `lineEnd` is CR LF in RFC 4180, LF by default.
    public init(
        delimiter: UInt8 = UInt8(ascii: ","), quote: UInt8 = UInt8(ascii: "\""), comment: [UInt8] = [],
        lineEnd: [UInt8] = [0x0A]
    ) {
        self.delimiter = delimiter
        self.quote = quote
        self.comment = comment
        self.lineEnd = lineEnd
        var special = [Bool](repeating: false, count: 256)
        for byte in [delimiter, quote, 0x0A, 0x0D] { special[Int(byte)] = true }
        self.special = special
    }

    /// Appends one cell to the current record.
    public mutating func append(_ cell: ByteView) {
        if cells > 0 { bytes.append(delimiter) }
        let needsQuotes = needsQuotes(cell)
        if needsQuotes { bytes.append(quote) }
        if needsQuotes, cell.contains(quote) {
            for byte in cell {
                if byte == quote { bytes.append(quote) }
                bytes.append(byte)
            }
        } else {
            bytes.append(contentsOf: cell)
        }
        if needsQuotes { bytes.append(quote) }
        hasOnlyEmptyCell = cells == 0 && cell.isEmpty
        cells += 1
    }

    /// Appends one cell to the current record, as UTF-8.
    public mutating func append(_ cell: String) {
        var cell = cell
        cell.withUTF8 { append($0) }
    }

    /// Ends the current record. One that holds a single empty cell is written as two quotes, for an empty line is skipped.
    public mutating func endRecord() {
        if hasOnlyEmptyCell { bytes.append(contentsOf: [quote, quote]) }
        bytes.append(contentsOf: lineEnd)
        cells = 0
        hasOnlyEmptyCell = false
        isFirst = false
    }

    /// Hands over what was written and starts anew; a record may be continued.
    public mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    private func needsQuotes(_ cell: ByteView) -> Bool {
        if cells == 0, !cell.isEmpty {
            if !comment.isEmpty, cell.starts(with: comment) { return true }
            // Otherwise a reader would drop it as a byte order mark.
            if isFirst, cell.starts(with: [0xEF, 0xBB, 0xBF]) { return true }
        }
        // Blanks at the begin are lost on readers that skip them.
        if cell.first == 0x20 { return true }
        return special.withUnsafeBufferPointer { special in cell.contains { special[Int($0)] } }
    }
}
