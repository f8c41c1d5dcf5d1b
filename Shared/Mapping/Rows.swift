import IDF

/// A mapping at work on one report: what every event begins with, and where its columns are.
struct Rows {
    let mapping: Mapping
    let keepsOriginal: Bool
    /// What every event begins with.
    let first: Event
    /// Cell of each column; nil where the report does not have it.
    private var places: [Int?]
    /// Columns that cells are for, and those that items of `each` are for.
    private let ofRow: [Int]
    private let ofItem: [Int]
    private var eachPlace: Int?
    /// Whether rows are counted as objects, because they are no lines.
    var areObjects = false
    /// Constants that a row may give a value of its own for.
    private let constants: [Mapping.Constant]
    /// Columns that become a custom member as they are.
    private let plain: [Mapping.Plain?]
    /// For each composed text the cells in it; nil: a cell that the report does not have.
    private var composed: [[Int?]]

    init(_ mapping: Mapping, first: Event, keepsOriginal: Bool) throws(MappingError) {
        self.mapping = mapping
        self.keepsOriginal = keepsOriginal
        places = mapping.columns.indices.map { mapping.columns[$0].place ?? $0 }
        let used = mapping.columns.indices.filter { mapping.columns[$0].isUsed && !mapping.columns[$0].isOfReport }
        plain = mapping.plainColumns()
        ofItem = used.filter { mapping.columns[$0].isOfItem }
        ofRow = used.filter { !mapping.columns[$0].isOfItem }
        eachPlace = mapping.each.map { $0.column.place ?? 0 }
        composed = mapping.composed.map { $0.parts.map { Int($0.cell ?? "") } }
        // What no column, no table and no other text can give is there from the start.
        var first = first
        let given = used.flatMap { mapping.columns[$0].mayGive } + mapping.composed.map(\.target)
        for constant in mapping.constants where !given.contains(constant.target) { Self.give(constant, &first) }
        constants = mapping.constants.filter { given.contains($0.target) }
        self.first = first
    }

    /// Columns are found by these names from now on.
    mutating func setNames<S: MappingSink>(_ names: [String], _ sink: inout S, _ line: ByteView) throws(MappingError) {
        sink.keepHeader(line)
        places = mapping.columns.map { $0.name.isEmpty ? $0.place : names.firstIndex(of: $0.name) }
        for index in ofRow where mapping.columns[index].isRequired && places[index] == nil {
            throw MappingError(
                "the report has no column \"\(mapping.columns[index].name)\"; it has \(names.joined(separator: ", "))")
        }
        if let each = mapping.each {
            eachPlace = each.column.name.isEmpty ? each.column.place : names.firstIndex(of: each.column.name)
        }
        composed = mapping.composed.map { $0.parts.map { part in part.cell.flatMap { Int($0) ?? names.firstIndex(of: $0) } } }
    }

    /// Makes the event, or the events, of a row of cells.
    func make<S: MappingSink>(_ raw: ByteView, _ line: Int, _ cells: Int, _ sink: inout S, _ cell: (Int) -> ByteView) {
        var event = Event(copying: first, reserving: raw.count * 2 + 512)
        for index in ofRow {
            let column = mapping.columns[index]
            guard let place = places[index], place < cells else {
                guard column.isRequired else { continue }
                return refuse(raw, line, &sink, "the row has \(cells) cells, \(column.shown(index)) is required")
            }
            let text = trim(cell(place))
            if let plain = plain[index], !mapping.isNothing(text) {
                mapping.add(text, plain, to: &event)
                continue
            }
            switch mapping.put(text, column, index, &event) {
            case .kept: continue
            case .left: return
            case .refused(let reason): return refuse(raw, line, &sink, reason)
            }
        }
        for (index, text) in mapping.composed.enumerated() {
            if let reason = compose(text, composed[index], cells, cell, &event) { return refuse(raw, line, &sink, reason) }
        }
        guard let each = mapping.each else { return finish(&event, raw, &sink) }
        var items: [ByteView] = []
        if let eachPlace, eachPlace < cells { split(trim(cell(eachPlace)), Array((each.separator ?? "").utf8), into: &items) }
        items.removeAll { $0.isEmpty }
        makeItems(items.map { .string(String(decoding: $0, as: UTF8.self)) }, event, raw, line, &sink)
    }

    private func compose(
        _ text: Mapping.Composed, _ places: [Int?], _ cells: Int, _ cell: (Int) -> ByteView, _ event: inout Event
    ) -> String? {
        var whole = ""
        var isEmpty = true
        for (part, place) in zip(text.parts, places) {
            whole += part.text
            guard let name = part.cell else { continue }
            guard let place, place < cells else { return "\(text.target.name): the row has no cell {\(name)}" }
            let value = trim(cell(place))
            isEmpty = isEmpty && value.isEmpty
            whole += String(decoding: value, as: UTF8.self)
        }
        return put(whole, isEmpty, text.target, &event)
    }

    private func put(_ whole: String, _ isEmpty: Bool, _ target: Mapping.Target, _ event: inout Event) -> String? {
        var whole = whole
        if isEmpty || whole.withUTF8({ mapping.set($0, target, &event) }) { return nil }
        return "\(target.name): found \"\(whole.prefix(60))\", made of several cells"
    }

    /// Makes the event, or the events, of a JSON object.
    func make<S: MappingSink>(_ object: JSONValue, _ raw: ByteView, _ line: Int, _ sink: inout S) {
        guard object.members != nil else { return refuse(raw, line, &sink, "found something else than a JSON object") }
        var event = Event(copying: first, reserving: raw.count * 2 + 512)
        for index in ofRow {
            let column = mapping.columns[index]
            let value = column.paths.lazy.compactMap { Mapping.member($0[...], of: object) }.first
            switch mapping.put(value, column, index, &event) {
            case .kept: continue
            case .left: return
            case .refused(let reason): return refuse(raw, line, &sink, reason)
            }
        }
        for text in mapping.composed {
            let values = text.parts.map { part in
                part.cell.flatMap { Mapping.member($0.split(separator: ".").map(String.init)[...], of: object)?.plain }
            }
            guard zip(text.parts, values).allSatisfy({ $0.cell == nil || $1 != nil }) else { continue }
            let whole = zip(text.parts, values).map { $0.text + ($1 ?? "") }.joined()
            if let reason = put(whole, false, text.target, &event) { return refuse(raw, line, &sink, reason) }
        }
        guard let each = mapping.each else { return finish(&event, raw, &sink) }
        let list = each.column.paths.lazy.compactMap { Mapping.member($0[...], of: object) }.first
        var items = list?.items ?? list.map { [$0] } ?? []
        if let separator = each.separator, let text = list?.string {
            items = text.split(separator: separator).map { .string(String($0)) }
        }
        makeItems(items, event, raw, line, &sink)
    }

    private func makeItems<S: MappingSink>(
        _ items: [JSONValue], _ event: Event, _ raw: ByteView, _ line: Int, _ sink: inout S
    ) {
        if items.isEmpty, mapping.each?.skipsEmpty == false {
            var event = event
            return finish(&event, raw, &sink)
        }
        next: for item in items where !sink.isFull {
            var one = Event(copying: event, reserving: raw.count + 256)
            for index in ofItem {
                let column = mapping.columns[index]
                guard case .item(let path)? = column.parts.first else { continue }
                switch mapping.put(Mapping.member(path[...], of: item), column, index, &one) {
                case .kept: continue
                case .left: continue next
                case .refused(let reason):
                    refuse(raw, line, &sink, reason)
                    continue next
                }
            }
            guard mapping.each?.keepsItem == true else {
                finish(&one, raw, &sink)
                continue
            }
            var text = item.plain
            text.withUTF8 { finish(&one, $0, &sink) }
        }
    }

    func refuse<S: MappingSink>(_ raw: ByteView, _ place: Int, _ sink: inout S, _ reason: String) {
        if areObjects { sink.refuse(raw, object: place, reason) } else { sink.refuse(raw, line: place, reason) }
    }

    private func finish<S: MappingSink>(_ event: inout Event, _ raw: ByteView, _ sink: inout S) {
        for constant in constants { Self.give(constant, &event) }
        if keepsOriginal { event.addOriginal(raw) }
        sink.add(event)
    }

    /// Sets a field that has no value yet.
    static func give(_ constant: Mapping.Constant, _ event: inout Event) {
        switch constant.target {
        case .field(let field): if !event.has(field) { event.add(field, text: constant.value.plain) }
        case .custom(let path): event.setCustom(path: path, to: constant.value)
        }
    }
}
