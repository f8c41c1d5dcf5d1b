import CSV

/// Every byte of a table belongs to one record at most, and lines are counted upwards. The first bytes choose the dialect.
func fuzzCSV(_ bytes: UnsafePointer<UInt8>?, _ count: Int) {
    guard let bytes, count >= 4 else { return }
    let input = Array(UnsafeBufferPointer(start: bytes + 4, count: count - 4))
    let (delimiter, quote, flags, limit) = (bytes[0], bytes[1], bytes[2], bytes[3])
    let dialect = CSVDialect(
        delimiter: flags & 1 == 0 ? delimiter : 0x2C, quote: flags & 2 == 0 ? (flags & 4 == 0 ? 0x22 : quote) : nil,
        comment: flags & 8 == 0 ? [] : flags & 16 == 0 ? [0x23] : [delimiter, quote], skipsInitialSpace: flags & 32 != 0,
        isLenient: flags & 64 != 0, recordLimit: flags & 128 == 0 ? 1 << 20 : Int(limit))
    _ = dialect.fault
    input.withUnsafeBufferPointer { view in
        var reader = CSVReader(view, dialect: dialect)
        var row = CSVRow()
        var line = 0
        var total = 0
        while reader.next(&row) {
            expect(row.line > line, "line \(row.line) after line \(line)")
            line = row.line
            total += row.raw.count
            expect(total <= input.count, "more bytes than there are")
            var cells = 0
            for index in 0..<row.count { cells += row[index].reduce(0) { $0 &+ Int($1) } & 1 + row[index].count }
            expect(cells <= 2 * row.raw.count + row.count, "cells longer than their record")
            _ = row.problem?.description
        }
        expect(row.count == 0 && row.raw.isEmpty, "cells after the end")
    }
    writeAndRead(input)
}

/// What is written is read as the same cells: one cell a line of the input.
private func writeAndRead(_ input: [UInt8]) {
    let cells = input.split(separator: 0x0A, omittingEmptySubsequences: false).prefix(100).map {
        String(decoding: $0, as: UTF8.self)
    }
    var writer = CSVWriter()
    for cell in cells { writer.append(cell) }
    writer.endRecord()
    let written = writer.take()
    written.withUnsafeBufferPointer { view in
        var reader = CSVReader(view)
        var row = CSVRow()
        // A record of one empty cell is an empty line.
        guard reader.next(&row) else { return expect(cells == [""], "the record is lost: \(shown(written))") }
        let found = (0..<row.count).map { String(decoding: row[$0], as: UTF8.self) }
        expect(
            row.problem == nil && found.elementsEqual(cells) { Array($0.utf8) == Array($1.utf8) },
            "other cells: \(shown(written))")
    }
}
