import Testing

@testable import CSV

/// A record copied out of the reader.
struct Record: Equatable {
    var cells: [String]
    var raw: String
    var line: Int
    var problem: CSVProblem?
}

func read(_ bytes: [UInt8], _ dialect: CSVDialect = CSVDialect()) -> [Record] {
    bytes.withUnsafeBufferPointer { view in
        var reader = CSVReader(view, dialect: dialect)
        var row = CSVRow()
        var records: [Record] = []
        while reader.next(&row) {
            let cells = (0..<row.count).map { String(decoding: row[$0], as: UTF8.self) }
            records.append(
                Record(cells: cells, raw: String(decoding: row.raw, as: UTF8.self), line: row.line, problem: row.problem))
        }
        #expect(row.count == 0)
        return records
    }
}

func cells(_ text: String, _ dialect: CSVDialect = CSVDialect()) -> [[String]] {
    read(Array(text.utf8), dialect).map(\.cells)
}

@Suite struct CSVReading {
    @Test func readsRFC4180() {
        #expect(cells("a,b,c\r\nd,,f\r\n") == [["a", "b", "c"], ["d", "", "f"]])
        #expect(cells("a,b") == [["a", "b"]])
        #expect(cells("a,") == [["a", ""]])
        #expect(cells(",\n,,") == [["", ""], ["", "", ""]])
        #expect(cells("\"a,b\",\"c\"\"d\"\"\",\"\",\"x\r\ny\"\n1") == [["a,b", "c\"d\"", "", "x\r\ny"], ["1"]])
        #expect(cells("\"\"\"\"") == [["\""]])
        #expect(cells("") == [])
    }

    @Test func takesAllLineEnds() {
        #expect(cells("a\rb\nc\r\nd") == [["a"], ["b"], ["c"], ["d"]])
        #expect(cells("\"a\"\r\"b\"\n\"c\"\r\n\"d\"") == [["a"], ["b"], ["c"], ["d"]])
        #expect(cells("a,\r") == [["a", ""]])
    }

    @Test func skipsOrderMarkBlankAndCommentLines() {
        let text = "\u{FEFF}# head\n\na,#b\r\n\r\n#c\n\"#d\",e\n#"
        let records = read(Array(text.utf8), CSVDialect(comment: [UInt8(ascii: "#")]))
        #expect(records.map(\.cells) == [["a", "#b"], ["#d", "e"]])
        #expect(records.map(\.line) == [3, 6])
        #expect(cells("//x\n/y\n", CSVDialect(comment: Array("//".utf8))) == [["/y"]])
        #expect(cells("#a\n") == [["#a"]])
        #expect(cells("\u{FEFF}") == [])
    }

    @Test func knowsOtherDialects() {
        #expect(cells("a|b|'c|d'", CSVDialect(delimiter: UInt8(ascii: "|"), quote: UInt8(ascii: "'"))) == [["a", "b", "c|d"]])
        #expect(cells("\"a,b\n", CSVDialect(quote: nil)) == [["\"a", "b"]])
        #expect(cells("\"a\", \"b, c\",  d", CSVDialect(skipsInitialSpace: true)) == [["a", "b, c", "d"]])
        #expect(cells("a\u{0}b\u{0}", CSVDialect(delimiter: 0)) == [["a", "b", ""]])
        #expect(cells("a b", CSVDialect(delimiter: 0x20, skipsInitialSpace: true)) == [["a", "b"]])
    }

    @Test func survivesContradictoryDialects() {
        for dialect in [
            CSVDialect(delimiter: 10), CSVDialect(delimiter: 13), CSVDialect(delimiter: 34), CSVDialect(quote: 10),
            CSVDialect(recordLimit: 0), CSVDialect(recordLimit: .min),
        ] {
            #expect(dialect.fault != nil)
            _ = cells("a\n\"b\"\r\"", dialect)
        }
        #expect(CSVDialect().fault == nil)
    }

    @Test func showsLinesAndRawBytes() {
        let records = read(Array("a,b\n\"x\ny\r\nz\",1\r\n\nlast".utf8))
        #expect(records.map(\.line) == [1, 2, 6])
        #expect(records.map(\.raw) == ["a,b", "\"x\ny\r\nz\",1", "last"])
    }

    @Test func cellsOutOfRangeAreEmpty() {
        [UInt8("a".utf8.first ?? 0)].withUnsafeBufferPointer { view in
            var reader = CSVReader(view)
            var row = CSVRow()
            let found = reader.next(&row)
            #expect(found)
            #expect(row[5].isEmpty)
            #expect(row[-1].isEmpty)
        }
    }

    @Test func quotesInsideCellsAreOrdinary() {
        #expect(cells("a\"b,c\"\n") == [["a\"b", "c\""]])
    }

    @Test func readsManyCells() {
        let records = cells(String(repeating: ",", count: 100_000))
        #expect(records.first?.count == 100_001)
    }
}

@Suite struct CSVProblems {
    @Test func resumesAfterAnUnterminatedQuote() {
        let records = read(Array("a,b\nc,\"d,e\nf,g\nh,i".utf8))
        #expect(records.map(\.cells) == [["a", "b"], ["c", "\"d", "e"], ["f", "g"], ["h", "i"]])
        #expect(records.map(\.problem) == [nil, .unterminatedQuote(line: 2), nil, nil])
        #expect(records.map(\.line) == [1, 2, 3, 4])
        #expect(records[1].raw == "c,\"d,e")
    }

    @Test func resumesWhenAStrayQuoteMeetsAnother() {
        let records = read(Array("\"a\",\"b\n\"c\",\"d\"\n\"e\",\"f\"\n".utf8))
        #expect(records.map(\.problem) == [.garbageAfterQuote(line: 1), nil, nil])
        #expect(records.map(\.raw) == ["\"a\",\"b", "\"c\",\"d\"", "\"e\",\"f\""])
    }

    @Test func reportsGarbageAfterQuotes() {
        let records = read(Array("\"a\"b,c\nd\n".utf8))
        #expect(records.map(\.problem) == [.garbageAfterQuote(line: 1), nil])
        #expect(records[0].cells == ["\"a\"b", "c"])
    }

    @Test func takesTextAfterQuotesWhereItMay() {
        let dialect = CSVDialect(isLenient: true)
        #expect(cells("\"a\"b,\"c \"\"d\"\" e\" f,g\nh,i\n", dialect) == [["ab", "c \"d\" e f", "g"], ["h", "i"]])
        #expect(cells("\"x=\\\"\"y\\\"\"\",z", dialect) == [["x=\\\"y\\\"", "z"]])
        #expect(cells("1,\"never closed\n\"2\",b\n", dialect) == [["1", "\"never closed"], ["2", "b"]])
    }

    @Test func limitsRecords() {
        let dialect = CSVDialect(recordLimit: 10)
        let records = read(
            Array("0123456789\n01234567890\n0123,56789\n\"12345\n789\"\n\"1234\n6789\"\nx\n0,2,4,6,8,a\n".utf8), dialect)
        #expect(
            records.map(\.problem) == [
                nil, .recordTooLong(line: 2, limit: 10), nil, .unterminatedQuote(line: 4), nil, .unterminatedQuote(line: 6),
                nil, nil, .recordTooLong(line: 9, limit: 10),
            ])
        #expect(records[1].raw == "01234567890")
        #expect(records[1].cells == [])
        #expect(records[3].raw == "\"12345")
    }

    @Test(.timeLimit(.minutes(1))) func staysLinearOnHostileQuotes() {
        let line = Array("a\",\"b\n".utf8)
        let records = read(Array((0..<100_000).map { _ in line }.joined()))
        #expect(records.count == 100_000)
        #expect(records.allSatisfy { $0.problem != nil })
    }

    /// The reader against the rules written down plainly, on random texts of special bytes.
    @Test func agreesWithTheRules() {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("ab,\"\n\r# \"\",".utf8)
        for round in 0..<8_000 {
            let length = Int.random(in: 0...(round % 10 == 0 ? 300 : 24), using: &generator)
            let bytes = (0..<length).map { _ in
                round % 3 == 0
                    ? alphabet[Int.random(in: 0..<alphabet.count)]
                    : Int.random(in: 0..<4) > 0 ? 0x61 : alphabet.randomElement() ?? 0
            }
            var dialect = CSVDialect()
            if round % 5 == 0 { dialect.comment = [UInt8(ascii: "#")] }
            if round % 7 == 0 { dialect.recordLimit = 20 }
            if round % 11 == 0 { dialect.quote = nil }
            let expected = plainly(bytes, dialect)
            let found = read(bytes, dialect)
            guard found == expected else {
                Issue.record("\(bytes.map { Unicode.Scalar($0) })\nfound \(found)\nexpected \(expected)")
                return
            }
        }
    }
}

/// The reading rules, byte by byte.
private func plainly(_ bytes: [UInt8], _ dialect: CSVDialect) -> [Record] {
    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
    func isEnd(_ at: Int) -> Bool { bytes[at] == 10 || bytes[at] == 13 }
    func after(_ at: Int) -> Int { at + (bytes[at] == 13 && at + 1 < bytes.count && bytes[at + 1] == 10 ? 2 : 1) }
    func lineEnd(_ from: Int) -> Int { (from..<bytes.count).first(where: isEnd) ?? bytes.count }
    func unquoted(_ range: Range<Int>) -> [String] {
        bytes[range].split(separator: dialect.delimiter, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
    }
    var records: [Record] = []
    var at = 0
    var line = 1
    record: while at < bytes.count {
        if isEnd(at) || (!dialect.comment.isEmpty && bytes[at...].starts(with: dialect.comment)) {
            at = lineEnd(at)
            if at < bytes.count { at = after(at) }
            line += 1
            continue
        }
        var result: [String] = []
        var position = at
        var problem: CSVProblem?
        var lines = 1
        let limit = at + dialect.recordLimit
        cells: while problem == nil {
            if position < bytes.count, position < limit, bytes[position] == dialect.quote {
                var cell: [UInt8] = []
                position += 1
                while true {
                    if position >= bytes.count || position >= limit {
                        problem = .unterminatedQuote(line: line)
                        break cells
                    }
                    if bytes[position] == dialect.quote {
                        if position + 1 < min(limit, bytes.count), bytes[position + 1] == dialect.quote {
                            position += 1
                        } else {
                            break
                        }
                    }
                    if isEnd(position), !(bytes[position] == 10 && bytes[position - 1] == 13) { lines += 1 }
                    cell.append(bytes[position])
                    position += 1
                }
                position += 1
                result.append(String(decoding: cell, as: UTF8.self))
                if position < bytes.count, !isEnd(position), bytes[position] != dialect.delimiter {
                    problem =
                        position < limit
                        ? .garbageAfterQuote(line: line) : .recordTooLong(line: line, limit: dialect.recordLimit)
                    break
                }
            } else {
                let start = position
                while position < bytes.count, !isEnd(position), bytes[position] != dialect.delimiter { position += 1 }
                result.append(text(start..<position))
            }
            if position == bytes.count || isEnd(position) {
                if position > limit { problem = .recordTooLong(line: line, limit: dialect.recordLimit) }
                break
            }
            if position >= limit { problem = .recordTooLong(line: line, limit: dialect.recordLimit) }
            position += 1
        }
        if let found = problem {
            let end = lineEnd(at)
            let isLong = end - at > dialect.recordLimit
            records.append(
                Record(
                    cells: isLong ? [] : unquoted(at..<end), raw: text(at..<end), line: line,
                    problem: isLong ? .recordTooLong(line: line, limit: dialect.recordLimit) : found))
            at = end < bytes.count ? after(end) : end
            line += 1
        } else {
            records.append(Record(cells: result, raw: text(at..<position), line: line, problem: nil))
            at = position < bytes.count ? after(position) : position
            line += lines
        }
    }
    return records
}

@Suite struct CSVWriting {
    @Test func quotesOnlyWhereNeeded() {
        var writer = CSVWriter(comment: [UInt8(ascii: "#")])
        for cell in ["#a", "b c", "d,e", "f\"g", "h\ni", "", "#j", " k"] { writer.append(cell) }
        writer.endRecord()
        writer.append("")
        writer.endRecord()
        #expect(
            String(decoding: writer.take(), as: UTF8.self)
                == "\"#a\",b c,\"d,e\",\"f\"\"g\",\"h\ni\",,#j,\" k\"\n\"\"\n")
        #expect(writer.bytes.isEmpty)
    }

    @Test func writesWhatTheReaderReads() {
        let alphabet = Array("ab,\"\n\r#\u{FEFF} ".unicodeScalars)
        for _ in 0..<2000 {
            let table = (0..<Int.random(in: 1...4)).map { _ in
                (0..<Int.random(in: 1...4)).map { _ in
                    var cell = ""
                    for _ in 0..<Int.random(in: 0...5) { cell.unicodeScalars.append(alphabet.randomElement() ?? "a") }
                    return cell
                }
            }
            let comment: [UInt8] = Bool.random() ? [UInt8(ascii: "#")] : []
            var writer = CSVWriter(comment: comment, lineEnd: Bool.random() ? [10] : [13, 10])
            for record in table {
                for cell in record { writer.append(cell) }
                writer.endRecord()
            }
            let found = read(writer.bytes, CSVDialect(comment: comment, skipsInitialSpace: Bool.random()))
            #expect(found.map(\.cells) == table)
            #expect(found.allSatisfy { $0.problem == nil })
        }
    }
}
