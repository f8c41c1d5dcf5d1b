import IDF

extension Mapping {
    func readJSON<S: MappingSink>(_ report: ByteView, _ items: [String], _ rows: Rows, _ sink: inout S) throws(MappingError) {
        do throws(JSONError) {
            if items == ["*"] { return try readMembers(report, rows, &sink) }
            // Sources that wrote one list before write one object a line now.
            try JSONItem.each(in: report, at: items, passed: sink.passed, skips: isComment) { item in
                // A line of a document over several lines is no row.
                guard item.object != nil || passes(item.bytes) else { return true }
                var rows = rows
                rows.areObjects = item.object != nil
                let place = item.object ?? item.line
                do throws(JSONError) {
                    let value = try JSONValue(parsing: item.bytes)
                    // What stands in a list is kept in one line.
                    if item.object == nil {
                        rows.make(value, item.bytes, place, &sink)
                    } else {
                        value.bytes.withUnsafeBufferPointer { rows.make(value, $0, place, &sink) }
                    }
                } catch {
                    rows.refuse(item.bytes, place, &sink, error.inObject)
                }
                return !sink.isFull
            }
        } catch {
            throw MappingError("\(error)")
        }
    }

    /// Each member of the document is a row of `key` and `value`.
    private func readMembers<S: MappingSink>(_ report: ByteView, _ rows: Rows, _ sink: inout S) throws(JSONError) {
        let marked = report.starts(with: [0xEF, 0xBB, 0xBF])
        let document = try JSONValue(parsing: marked ? ByteView(rebasing: report[3...]) : report)
        var rows = rows
        rows.areObjects = true
        for (index, member) in (document.members ?? []).enumerated() where !sink.isFull {
            let row = JSONValue.object(["key": .string(member.name), "value": member.value])
            row.bytes.withUnsafeBufferPointer { rows.make(row, $0, index + 1, &sink) }
        }
    }

    func readXML<S: MappingSink>(_ report: ByteView, _ items: String, _ rows: Rows, _ sink: inout S) {
        let document = Markup(report, isXML: true)
        for element in document.elements(items, nestedAtMost: 0) where !sink.isFull {
            rows.make(document.json(element), document.source(of: element), document.line(of: element), &sink)
        }
    }

    func readJSONLines<S: MappingSink>(_ report: ByteView, _ rows: Rows, _ sink: inout S) {
        eachLine(report) { line, number in
            guard !line.isEmpty, !isComment(line), passes(line) else { return true }
            do throws(JSONError) {
                rows.make(try JSONValue(parsing: line), line, number, &sink)
            } catch {
                sink.refuse(line, line: number, "\(error)")
            }
            return !sink.isFull
        }
    }

    /// The member at a path. In a list, a number is the item of that place (from 0) and `*` are all of them.
    static func member(_ path: ArraySlice<String>, of value: JSONValue) -> JSONValue? {
        guard let part = path.first else { return value == .null ? nil : value }
        switch value {
        case .object:
            if let inner = value[part] { return member(path.dropFirst(), of: inner) }
            // Names may hold dots themselves.
            return path.count > 1 ? value[path.joined(separator: ".")].flatMap { $0 == .null ? nil : $0 } : nil
        case .array(let items):
            if let place = Int(part) { return items.indices.contains(place) ? member(path.dropFirst(), of: items[place]) : nil }
            guard part == "*" else { return nil }
            let found = items.compactMap { member(path.dropFirst(), of: $0) }
            return found.isEmpty ? nil : .array(found)
        default: return nil
        }
    }
}
