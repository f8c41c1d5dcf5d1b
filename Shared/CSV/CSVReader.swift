/// Reads records (RFC 4180 and its relatives) from bytes that stay where they are.
///
/// Line ends are CR LF, LF and CR, also mixed; a UTF-8 byte order mark, blank lines and comment lines are skipped. Quotes mean
/// something only at the begin of a cell. Records may differ in length: see `CSVRow.count`.
///
/// **A bad record does not cost the rest.** When a quoted cell is not closed, or text follows its closing quote, only the
/// record's first line is given up: it is delivered with a `problem`, split at delimiters as if quotes meant nothing, and
/// reading goes on in the line after it. The same holds for records above the dialect's limit, which come without cells.
/// So that hostile input cannot make this quadratic, quoted cells may no longer hold line ends once four times the input
/// and 16 MiB were read again.
public struct CSVReader {
    private var scanner: CSVScanner
    private let dialect: CSVDialect
    private let quote: UInt8?
    private let recordLimit: Int
    /// First byte of comment lines, or -1.
    private let commentStart: Int
    /// Bytes that may still be read in vain for records over several lines.
    private var rereadBudget: Int
    private var offset: Int
    private var line = 1

    /// Makes a reader; `bytes` must stay valid while it and its rows are used.
    public init(_ bytes: ByteView, dialect: CSVDialect = CSVDialect()) {
        self.dialect = dialect
        quote = dialect.effectiveQuote
        scanner = CSVScanner(bytes, delimiter: dialect.delimiter, quote: dialect.effectiveQuote)
        // Cells are kept as 31-bit offsets.
        recordLimit = min(max(dialect.recordLimit, 1), 1 << 30)
        rereadBudget = 16 << 20 + 4 * min(bytes.count, 1 << 50)
        commentStart = dialect.comment.first.map(Int.init) ?? -1
        offset = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// Reads the next record; false at the end of the input, with the row left empty.
    public mutating func next(_ row: inout CSVRow) -> Bool {
        row.count = 0
        row.scratchCount = 0
        row.problem = nil
        guard skipToRecord() else {
            row.raw = ByteView(start: nil, count: 0)
            row.line = line
            return false
        }
        row.line = line
        var limit = recordLimit < scanner.count - offset ? offset + recordLimit : scanner.count
        if rereadBudget <= 0 { limit = scanner.nextLineEnd(from: offset, limit: limit) }
        var lines = 0
        let end = split(&row, quote: quote, limit: limit, lines: &lines)
        if end >= 0 {
            finish(&row, end: end)
            line += lines
        } else {
            giveUp(&row, reached: ~end)
        }
        return true
    }

    /// Moves over blank and comment lines; false when nothing is left.
    private mutating func skipToRecord() -> Bool {
        while offset < scanner.count {
            let first = scanner.base[offset]
            if first == 0x0A || first == 0x0D {
                offset = scanner.afterLineEnd(offset)
            } else if Int(first) == commentStart, isComment() {
                let end = scanner.nextLineEnd(from: offset, limit: scanner.count)
                offset = end < scanner.count ? scanner.afterLineEnd(end) : end
            } else {
                return true
            }
            line += 1
        }
        return false
    }

    private func isComment() -> Bool {
        ByteView(start: scanner.base + offset, count: scanner.count - offset).starts(with: dialect.comment)
    }

    /// Sets `raw` and moves behind the record that ends at `end`.
    private mutating func finish(_ row: inout CSVRow, end: Int) {
        row.raw = ByteView(start: scanner.base + offset, count: end - offset)
        if end < scanner.count {
            offset = scanner.afterLineEnd(end)
            line += 1
        } else {
            offset = end
        }
    }

    /// Delivers the first line of a record that could not be read, which was followed up to `reached`.
    private mutating func giveUp(_ row: inout CSVRow, reached: Int) {
        let end = scanner.nextLineEnd(from: offset, limit: scanner.count)
        rereadBudget -= max(0, reached - end)
        row.count = 0
        row.scratchCount = 0
        if end - offset > recordLimit {
            row.problem = .recordTooLong(line: line, limit: recordLimit)
        } else {
            var none = 0
            _ = split(&row, quote: nil, limit: end, lines: &none)
        }
        finish(&row, end: end)
    }

    /// Splits the record at `offset` into cells and returns its end, or the complement of where it gave up.
    ///
    /// `limit` is as far as it may read. Giving up sets the row's problem.
    /// `lines` counts the line ends inside cells.
    @inline(__always)
    private mutating func split(_ row: inout CSVRow, quote: UInt8?, limit: Int, lines: inout Int) -> Int {
        let start = offset
        let base = scanner.base
        let total = scanner.count
        let delimiter = dialect.delimiter
        let skipsSpace = dialect.skipsInitialSpace && delimiter != 0x20
        var position = start
        var count = 0
        while true {
            if skipsSpace {
                while position < limit, base[position] == 0x20 { position &+= 1 }
            }
            var cell: CSVRow.Cell
            if let quote, position < limit, base[position] == quote {
                var isDoubled = false
                var sawLine = false
                var close = position &+ 1
                while true {
                    close = scanner.nextQuote(from: close, limit: limit, sawLine: &sawLine)
                    if close >= limit {
                        row.problem = .unterminatedQuote(line: line)
                        return ~limit
                    }
                    guard close &+ 1 < limit, base[close &+ 1] == quote else { break }
                    isDoubled = true
                    close &+= 2
                }
                if sawLine { lines += countLines(from: position, to: close) }
                let length = close &- position &- 1
                if isDoubled {
                    cell = row.unescape(base + position + 1, length, quote: quote)
                } else {
                    cell = .init(
                        start: UInt32(truncatingIfNeeded: position &+ 1 &- start), length: UInt32(truncatingIfNeeded: length))
                }
                position = close &+ 1
                if position < total {
                    let next = base[position]
                    if next != delimiter, next != 0x0A, next != 0x0D, dialect.isLenient, !sawLine, position < limit {
                        let end = scanner.nextEnd(from: position, limit: limit)
                        cell = row.unescape(
                            base + (close - length), length, quote: quote, followedBy: base + position, end - position)
                        position = end
                    } else if next != delimiter, next != 0x0A, next != 0x0D {
                        row.problem =
                            position < limit
                            ? .garbageAfterQuote(line: line) : .recordTooLong(line: line, limit: recordLimit)
                        return ~position
                    }
                }
            } else {
                let end = scanner.nextEnd(from: position, limit: limit)
                cell = .init(
                    start: UInt32(truncatingIfNeeded: position &- start), length: UInt32(truncatingIfNeeded: end &- position))
                position = end
            }
            if count == row.cellCapacity { row.growCells() }
            row.cells[count] = cell
            count &+= 1
            if position >= total { break }
            let byte = base[position]
            if byte == 0x0A || byte == 0x0D { break }
            if position >= limit {
                row.problem = .recordTooLong(line: line, limit: recordLimit)
                return ~limit
            }
            position &+= 1
        }
        row.count = count
        return position
    }

    /// Line ends in a quoted cell, CR LF as one.
    private func countLines(from start: Int, to end: Int) -> Int {
        var lines = 0
        var position = start
        while position < end {
            let byte = scanner.base[position]
            if byte == 0x0A || byte == 0x0D {
                lines += 1
                position = scanner.afterLineEnd(position)
            } else {
                position += 1
            }
        }
        return lines
    }
}
