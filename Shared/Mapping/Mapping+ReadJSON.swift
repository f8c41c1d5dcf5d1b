import IDF

extension Mapping {
    func readJSON<S: MappingSink>(_ marked: ByteView, _ items: [String], _ rows: Rows, _ sink: inout S) throws(MappingError) {
        let report = marked.starts(with: [0xEF, 0xBB, 0xBF]) ? ByteView(rebasing: marked[3...]) : marked
        let document: JSONValue
        do throws(JSONError) {
            document = try JSONValue(parsing: report)
        } catch {
            // Sources that wrote one list before write one object a line now; a list that is cut off is no such thing.
            let isLines = items.isEmpty && report.first { $0 > 0x20 } == 0x7B && lineIsJSON(report)
            guard isLines else { throw MappingError("\(error)") }
            return readJSONLines(report, rows, &sink)
        }
        var found = [document]
        if items == ["*"] {
            found = (document.members ?? []).map { .object(["key": .string($0.name), "value": $0.value]) }
        } else if !items.isEmpty, document.items == nil {
            guard let list = Self.member(items[...], of: document) else {
                throw MappingError("the report has no list \"\(items.joined(separator: "."))\"")
            }
            found = list.items ?? [list]
        } else if let list = document.items {
            found = list
        }
        var rows = rows
        rows.areObjects = document.items != nil || !items.isEmpty
        for (index, item) in found.enumerated() where !sink.isFull {
            item.bytes.withUnsafeBufferPointer { rows.make(item, $0, index + 1, &sink) }
        }
    }

    func readXML<S: MappingSink>(_ report: ByteView, _ items: String, _ rows: Rows, _ sink: inout S) {
        let document = Markup(report, isXML: true)
        for element in document.elements(items, nestedAtMost: 0) where !sink.isFull {
            rows.make(document.json(element), document.source(of: element), document.line(of: element), &sink)
        }
    }

    private func lineIsJSON(_ report: ByteView) -> Bool {
        var answer = false
        eachLine(report) { line, _ in
            answer = (try? JSONValue(parsing: line)) != nil
            return line.isEmpty
        }
        return answer
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
