import CSV
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
}

extension Mapping {
    /// Reads a report and gives its events to the sink, row by row. A row that does not fit is refused, and the rest goes on.
    /// - Throws: `MappingError` when the report as a whole is not of the format.
    public func read<S: MappingSink>(_ report: ByteView, into sink: inout S) throws(MappingError) {
        switch format {
        case .csv(let delimiter, let quote, let header): try readCSV(report, delimiter, quote, header, &sink)
        case .json:
            let document: JSONValue
            do throws(JSONError) { document = try JSONValue(parsing: report) } catch { throw MappingError("\(error)") }
            for (index, item) in (document.items ?? [document]).enumerated() where !sink.isFull {
                let bytes = item.bytes
                bytes.withUnsafeBufferPointer { readObject(item, raw: $0, line: index + 1, &sink) }
            }
        case .ndjson:
            eachLine(report) { line, number in
                do throws(JSONError) {
                    readObject(try JSONValue(parsing: line), raw: line, line: number, &sink)
                } catch {
                    sink.refuse(line, line: number, "\(error)")
                }
                return !sink.isFull
            }
        case .lines(let separator):
            eachLine(report) { line, number in
                guard passes(line) else { return true }
                let cells = separator.map { split(line, Array($0.utf8)) } ?? [line]
                makeEvent(raw: line, line: number, &sink, cells.count) { cells[$0] }
                return !sink.isFull
            }
        }
    }

    private func readCSV<S: MappingSink>(
        _ report: ByteView, _ delimiter: UInt8, _ quote: UInt8?, _ header: Header, _ sink: inout S
    ) throws(MappingError) {
        let comment = Array((comments.first ?? "").utf8)
        var reader = CSVReader(report, dialect: CSVDialect(delimiter: delimiter, quote: quote, comment: comment, isLenient: true))
        var row = CSVRow()
        var places: [Int?] = columns.indices.map { $0 }
        var skip = 0
        if case .skip(let count) = header { skip = count }
        if header == .names {
            guard reader.next(&row) else { return }
            sink.keepHeader(row.raw)
            let names = (0..<row.count).map { String(decoding: row[$0], as: UTF8.self) }
            places = columns.map { names.firstIndex(of: $0.name) }
            for (column, place) in zip(columns, places) where column.isRequired && place == nil {
                throw MappingError("the report has no column \"\(column.name)\"; it has \(names.joined(separator: ", "))")
            }
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
            makeEvent(raw: row.raw, line: row.line, &sink, row.count) { index in
                places[index].map { row[$0] } ?? ByteView(start: nil, count: 0)
            }
        }
    }

    private func makeEvent<S: MappingSink>(raw: ByteView, line: Int, _ sink: inout S, _ cells: Int, _ cell: (Int) -> ByteView) {
        var event = sink.newEvent()
        for (index, column) in columns.enumerated() {
            if column.targets.isEmpty { continue }
            guard index < cells || !column.name.isEmpty else {
                if column.isRequired {
                    return sink.refuse(raw, line: line, "the row has \(cells) cells, column \(index + 1) is required")
                }
                continue
            }
            if let reason = put(trim(cell(index)), column, index, &event) { return sink.refuse(raw, line: line, reason) }
        }
        for (target, template) in composed {
            var text = template
            for index in 0..<cells { text = text.replacing("{\(index)}", with: String(decoding: cell(index), as: UTF8.self)) }
            guard text.withUTF8({ set($0, target, &event) }) else {
                return sink.refuse(raw, line: line, "\(target.name): found \"\(text.prefix(60))\", made of several cells")
            }
        }
        finish(&event)
        if sink.keepsOriginal { event.addOriginal(raw) }
        sink.add(event)
    }

    /// The member at a dotted path; of several paths joined with `|` the first that has a value.
    private static func member(_ paths: String, of object: JSONValue) -> JSONValue? {
        for path in paths.split(separator: "|") {
            var value: JSONValue? = object
            for part in path.split(separator: ".") { value = value?[String(part)] }
            if let value, value != .null { return value }
        }
        return nil
    }

    private func readObject<S: MappingSink>(_ object: JSONValue, raw: ByteView, line: Int, _ sink: inout S) {
        guard object.members != nil else { return sink.refuse(raw, line: line, "found something else than a JSON object") }
        var event = sink.newEvent()
        for (index, column) in columns.enumerated() {
            guard let value = Self.member(column.name, of: object) else {
                if column.isRequired { return sink.refuse(raw, line: line, "the member \"\(column.name)\" is missing") }
                continue
            }
            if case .custom(let path)? = column.targets.first, column.conversions.isEmpty {
                event.setCustom(path: path, to: value)
                continue
            }
            var reason: String?
            for one in value.items ?? [value] {
                var text = one.plain
                reason = text.withUTF8 { put($0, column, index, &event) }
                if reason != nil { break }
            }
            if let reason { return sink.refuse(raw, line: line, reason) }
        }
        finish(&event)
        if sink.keepsOriginal { event.addOriginal(raw) }
        sink.add(event)
    }

    /// Puts one text into the first target that takes it; answers why the row must be refused, or nil.
    private func put(_ cell: ByteView, _ column: Column, _ index: Int, _ event: inout Event) -> String? {
        func name() -> String { column.name.isEmpty ? "column \(index + 1)" : "column \"\(column.name)\"" }
        if cell.isEmpty || isIgnored(cell) {
            return column.isRequired ? "\(name()) is empty and required" : nil
        }
        if column.conversions.isEmpty, column.targetConversions.isEmpty {
            for target in column.targets where set(cell, target, &event) { return nil }
        } else {
            let converted = convert(String(decoding: cell, as: UTF8.self), column.conversions)
            guard let converted else { return "\(name()): \"\(shown(cell))\" cannot be converted (\(column.conversions))" }
            if converted.isEmpty { return nil }
            for (place, target) in column.targets.enumerated() {
                let more = place < column.targetConversions.count ? column.targetConversions[place] : []
                guard var text = convert(converted, more) else { continue }
                if text.isEmpty { return nil }
                let isJSON = column.conversions.contains(.json) || more.contains(.json)
                if text.withUTF8({ set($0, target, &event, isJSON: isJSON) }) { return nil }
            }
        }
        guard column.refusesMisfits, let target = column.targets.first else { return nil }
        switch target {
        case .field(let field): return "\(name()): found \"\(shown(cell))\", wanted \(field.field.type.wanted)"
        case .custom: return "\(name()): \"\(shown(cell))\" cannot be converted"
        }
    }

    private func convert(_ text: String, _ conversions: [Conversion]) -> String? {
        conversions.reduce(text) { text, conversion in text.flatMap { conversion.apply($0) } }
    }

    private func set(_ text: ByteView, _ target: Target, _ event: inout Event, isJSON: Bool = false) -> Bool {
        switch target {
        case .field(let field): return event.add(field, text: text)
        case .custom(let path):
            let value = isJSON ? (try? JSONValue(parsing: text)) : nil
            event.setCustom(path: path, to: value ?? .string(String(decoding: text, as: UTF8.self)))
            return true
        }
    }

    private func finish(_ event: inout Event) {
        for (target, value) in constants {
            switch target {
            case .field(let field): if !event.has(field) { event.add(field, text: value.plain) }
            case .custom(let path): event.setCustom(path: path, to: value)
            }
        }
    }

    private func shown(_ cell: ByteView) -> String { String(decoding: cell.prefix(60), as: UTF8.self) }

    private func isIgnored(_ cell: ByteView) -> Bool {
        guard cell.count <= 16, !ignored.isEmpty else { return false }
        return ignored.contains { $0.utf8.elementsEqual(cell) }
    }

    private func isComment(_ line: ByteView) -> Bool { comments.contains { line.starts(with: $0.utf8) } }

    private func passes(_ line: ByteView) -> Bool {
        guard let filter else { return true }
        return String(decoding: line, as: UTF8.self).contains(filter.text) == filter.keeps
    }

    private func trim(_ cell: ByteView) -> ByteView {
        var cell = cell[...]
        while let first = cell.first, first == 0x20 || first == 0x09 { cell = cell.dropFirst() }
        while let last = cell.last, last == 0x20 || last == 0x09 || last == 0x0D { cell = cell.dropLast() }
        return ByteView(rebasing: cell)
    }

    private func eachLine(_ text: ByteView, _ body: (ByteView, Int) -> Bool) {
        var number = 0
        var start = text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        while start < text.count {
            let end = text[start...].firstIndex(of: 0x0A) ?? text.count
            number += 1
            let line = trim(ByteView(rebasing: text[start..<end]))
            start = end + 1
            if line.isEmpty || isComment(line) { continue }
            if !body(line, number) { return }
        }
    }

    private func split(_ line: ByteView, _ separator: [UInt8]) -> [ByteView] {
        guard !separator.isEmpty else { return [line] }
        var cells: [ByteView] = []
        var start = 0
        var at = 0
        while at + separator.count <= line.count {
            if line[at..<(at + separator.count)].elementsEqual(separator) {
                cells.append(trim(ByteView(rebasing: line[start..<at])))
                at += separator.count
                start = at
            } else {
                at += 1
            }
        }
        cells.append(trim(ByteView(rebasing: line[start...])))
        return cells
    }
}

/// Why a report as a whole cannot be read by a mapping.
public struct MappingError: Error, Sendable, CustomStringConvertible {
    /// What was found and what is wanted.
    public let description: String
    init(_ description: String) { self.description = description }
}
