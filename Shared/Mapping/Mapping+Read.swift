import CSV
import IDF

extension Mapping {
    /// Reads a report and gives its events to the sink, row by row. A row that does not fit is refused, and the rest goes on.
    /// - Throws: `MappingError` when the report as a whole is not of the format.
    public func read<S: MappingSink>(_ report: ByteView, about: About = About(), into sink: inout S) throws(MappingError) {
        var rows = try Rows(self, first: try prototype(report, about, sink.newEvent()), keepsOriginal: sink.keepsOriginal)
        switch format {
        case .csv(let delimiter, let quote, let header): try readCSV(report, delimiter, quote, header, &rows, &sink)
        case .json(let items): try readJSON(report, items, rows, &sink)
        case .ndjson: readJSONLines(report, rows, &sink)
        case .lines(let separator, let skip): readLines(report, separator.map { Array($0.utf8) }, skip, rows, &sink)
        case .xml(let items): readXML(report, items, rows, &sink)
        case .pairs(let separator, let equals, let strips): readPairs(report, separator, equals, strips, rows, &sink)
        }
    }

    /// Reads rows that someone else has taken apart, each with its bytes as they came and its line (from 1).
    public func read<S: MappingSink>(
        rows cells: some Sequence<(raw: ByteView, line: Int, cells: [String])>, about: About = About(), into sink: inout S
    ) throws(MappingError) {
        let rows = try Rows(self, first: try prototype(noBytes, about, sink.newEvent()), keepsOriginal: sink.keepsOriginal)
        for row in cells where !sink.isFull {
            var bytes: [UInt8] = []
            var ends = [0]
            for cell in row.cells {
                bytes.append(contentsOf: cell.utf8)
                ends.append(bytes.count)
            }
            bytes.withUnsafeBufferPointer { all in
                rows.make(row.raw, row.line, row.cells.count, &sink) { ByteView(rebasing: all[ends[$0]..<ends[$0 + 1]]) }
            }
        }
    }

    private func readCSV<S: MappingSink>(
        _ report: ByteView, _ delimiter: UInt8, _ quote: UInt8?, _ header: Header, _ rows: inout Rows, _ sink: inout S
    ) throws(MappingError) {
        let dialect = CSVDialect(
            delimiter: delimiter, quote: quote, comment: Array((comments.first ?? "").utf8),
            skipsInitialSpace: skipsInitialSpace, isLenient: true)
        var reader = CSVReader(report, dialect: dialect)
        var row = CSVRow()
        var skip = 0
        switch header {
        case .none: break
        case .skip(let count): skip = count
        case .names:
            repeat { guard reader.next(&row) else { return } } while isComment(trim(row.raw))
            try rows.setNames(names(row), &sink, row.raw)
        case .comment:
            let line = lastComment(report)
            var bytes = line.drop { $0 == 0x23 || $0 == 0x3B || $0 == 0x20 || $0 == 0x09 }[...]
            while bytes.last == 0x0D || bytes.last == 0x20 { bytes = bytes.dropLast() }
            var comment = CSVReader(
                ByteView(rebasing: bytes), dialect: CSVDialect(delimiter: delimiter, quote: quote, skipsInitialSpace: true))
            _ = comment.next(&row)
            try rows.setNames(names(row), &sink, line)
        }
        while !sink.isFull, reader.next(&row) {
            if skip > 0 {
                skip -= 1
                sink.keepHeader(row.raw)
                continue
            }
            if let problem = row.problem {
                sink.refuse(row.raw, line: row.line, "\(problem)")
                continue
            }
            guard !isComment(trim(row.raw)), passes(row.raw), !trim(row.raw).isEmpty else { continue }
            rows.make(row.raw, row.line, row.count, &sink) { row[$0] }
        }
    }

    private func names(_ row: borrowing CSVRow) -> [String] {
        var names: [String] = []
        for index in 0..<row.count { names.append(String(decoding: trim(row[index]), as: UTF8.self)) }
        return names
    }

    /// The last comment before the first row.
    private func lastComment(_ report: ByteView) -> ByteView {
        var last = noBytes
        eachLine(report) { line, _ in
            guard line.isEmpty || isComment(line) else { return false }
            if !line.isEmpty { last = line }
            return true
        }
        return last
    }

    private func readLines<S: MappingSink>(
        _ report: ByteView, _ separator: [UInt8]?, _ skip: Int, _ rows: Rows, _ sink: inout S
    ) {
        var cells: [ByteView] = []
        eachLine(report) { line, number in
            guard number > skip, !line.isEmpty, !isComment(line), passes(line) else { return true }
            if let separator { split(line, separator, into: &cells) } else { cells = [line] }
            rows.make(line, number, cells.count, &sink) { cells[$0] }
            return !sink.isFull
        }
    }

    private func readPairs<S: MappingSink>(
        _ report: ByteView, _ separator: String, _ equals: String, _ strips: Bool, _ rows: Rows, _ sink: inout S
    ) {
        let (separator, equals) = (Array(separator.utf8), Array(equals.utf8))
        var parts: [ByteView] = []
        eachLine(report) { line, number in
            guard !line.isEmpty, !isComment(line), passes(line) else { return true }
            split(line, separator, into: &parts)
            var values = Array(repeating: noBytes, count: columns.count)
            var found = false
            for part in parts {
                guard let at = place(of: equals, in: part) else { continue }
                found = true
                let name = trim(ByteView(rebasing: part[..<at]))
                let value = trim(ByteView(rebasing: part[(at + equals.count)...]))
                for (index, column) in columns.enumerated() where name.elementsEqual(column.name.utf8) && values[index].isEmpty {
                    values[index] = strips ? unquoted(value) : value
                }
            }
            guard found else {
                sink.refuse(line, line: number, "there is no name and value in the line")
                return !sink.isFull
            }
            rows.make(line, number, values.count, &sink) { values[$0] }
            return !sink.isFull
        }
    }

    private func place(of mark: [UInt8], in text: ByteView) -> Int? {
        guard let first = mark.first, text.count >= mark.count else { return nil }
        return (0...(text.count - mark.count)).first { text[$0] == first && text[$0...].starts(with: mark) }
    }

    private func unquoted(_ text: ByteView) -> ByteView {
        guard text.count > 1, text.first == 0x22, text.last == 0x22 else { return text }
        return ByteView(rebasing: text[1..<(text.count - 1)])
    }

    func isComment(_ line: ByteView) -> Bool { comments.contains { line.starts(with: $0.utf8) } }

    func passes(_ line: ByteView) -> Bool {
        guard let filter else { return true }
        return String(decoding: line, as: UTF8.self).contains(filter.text) == filter.keeps
    }
}
