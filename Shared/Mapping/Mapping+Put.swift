import IDF

extension Mapping {
    /// Puts a JSON value into the first target that takes it.
    func put(_ value: JSONValue?, _ column: Column, _ index: Int, _ event: inout Event) -> Outcome {
        if let text = value?.string, text.bytes({ isNothing(trim($0)) }) == true { return put(noBytes, column, index, &event) }
        guard let value else {
            guard column.isRequired else { return put(noBytes, column, index, &event) }
            return .refused("the member \"\(column.name)\" is missing")
        }
        if case .custom(let path)? = column.targets.first, column.targets.count == 1, column.conversions.isEmpty,
            column.targetConversions.isEmpty, column.table == nil, column.separator == nil
        {
            event.setCustom(path: path, to: value)
            return .kept
        }
        guard let items = value.items else {
            var text = value.plain
            return text.withUTF8 { put(trim($0), column, index, &event) }
        }
        return putAll(items.map(\.plain), column, index, &event)
    }

    /// Puts several values: all of them into a field that may have several, else the first that is one.
    private func putAll(_ texts: [String], _ column: Column, _ index: Int, _ event: inout Event) -> Outcome {
        var given: [(field: FieldID, values: [JSONValue])] = []
        for var text in texts {
            guard case .field? = column.targets.first else {
                let outcome = text.withUTF8 { put(trim($0), column, index, &event) }
                guard case .kept = outcome else { return outcome }
                continue
            }
            var one = Event()
            let outcome = text.withUTF8 { put(trim($0), column, index, &one) }
            guard case .kept = outcome else { return outcome }
            for field in one.fields {
                guard let value = one.json(field) else { continue }
                let at = given.firstIndex { $0.field == field } ?? given.count
                if at == given.count { given.append((field, [])) }
                if given[at].values.count < (field.field.isMany ? 256 : 1) { given[at].values.append(value) }
            }
        }
        for (field, values) in given { event.setJSON(field, values.count == 1 ? values[0] : .array(values)) }
        return .kept
    }

    /// Puts one text into the first target that takes it, and into the fields that the column's table has for it.
    func put(_ cell: ByteView, _ column: Column, _ index: Int, _ event: inout Event) -> Outcome {
        if isNothing(cell) {
            if column.isRequired { return .refused("\(column.shown(index)) is empty and required") }
            if let table = column.table { return look("", table, column, index, &event) }
            return .kept
        }
        if let separator = column.separator { return putParts(cell, Array(separator.utf8), column, index, &event) }
        if column.conversions.isEmpty, column.targetConversions.isEmpty, column.table == nil {
            for target in column.targets where set(cell, target, &event) { return .kept }
            return misfit(cell, column, index)
        }
        let outcome = withConverted(cell, column.conversions) { text in
            putConverted(text, cell, column, index, &event)
        }
        guard let outcome else {
            guard column.refusesMisfits || column.table != nil else { return .kept }
            return .refused("\(column.shown(index)): \"\(shown(cell))\" cannot be converted")
        }
        return outcome
    }

    private func putConverted(
        _ text: ByteView, _ cell: ByteView, _ column: Column, _ index: Int, _ event: inout Event
    ) -> Outcome {
        if let table = column.table {
            let outcome = look(String(decoding: text, as: UTF8.self), table, column, index, &event)
            guard case .kept = outcome, !column.targets.isEmpty else { return outcome }
        }
        if text.isEmpty { return column.isRequired ? .refused("\(column.shown(index)): \"\(shown(cell))\" has no value") : .kept }
        for (place, target) in column.targets.enumerated() {
            let more = place < column.targetConversions.count ? column.targetConversions[place] : []
            let isJSON = column.conversions.last == .json || more.last == .json
            let isTaken = withConverted(text, more) { text -> Bool? in
                // Nothing of one candidate may be something of the next.
                text.isEmpty ? nil : set(text, target, &event, isJSON: isJSON)
            }
            switch isTaken {
            case .some(.some(true)): return .kept
            case .some(.none) where column.targets.count == 1: return .kept
            default: continue
            }
        }
        return misfit(cell, column, index)
    }

    /// Calls `body` with the text after the conversions; nil where it cannot be converted. Parts of texts are not copied.
    private func withConverted<R>(_ text: ByteView, _ conversions: [Conversion], _ body: (ByteView) -> R) -> R? {
        var part = text
        for (index, conversion) in conversions.enumerated() {
            guard conversion.cuts else {
                let rest = conversions[index...]
                guard var whole = convert(String(decoding: part, as: UTF8.self), rest) else { return nil }
                return whole.withUTF8 { body($0) }
            }
            guard let cut = conversion.cut(part) else { return nil }
            part = cut
        }
        return body(part)
    }

    private func misfit(_ cell: ByteView, _ column: Column, _ index: Int) -> Outcome {
        guard column.refusesMisfits, let target = column.targets.first else { return .kept }
        switch target {
        case .field(let field):
            return .refused("\(column.shown(index)): found \"\(shown(cell))\", wanted \(field.field.type.wanted)")
        case .custom: return .refused("\(column.shown(index)): \"\(shown(cell))\" cannot be converted")
        }
    }

    /// Several values in one cell: a list in a custom member, or several values of a field.
    private func putParts(_ cell: ByteView, _ separator: [UInt8], _ column: Column, _ index: Int, _ event: inout Event) -> Outcome
    {
        var parts: [ByteView] = []
        split(cell, separator, into: &parts)
        parts.removeAll { isNothing($0) }
        var single = column
        single.separator = nil
        if case .custom(let path)? = column.targets.first {
            let texts = parts.compactMap { convert(String(decoding: $0, as: UTF8.self), column.conversions) }
            event.setCustom(path: path, to: .array(texts.map { .string($0) }))
            return .kept
        }
        return putAll(parts.map { String(decoding: $0, as: UTF8.self) }, single, index, &event)
    }

    private func look(_ text: String, _ table: Table, _ column: Column, _ index: Int, _ event: inout Event) -> Outcome {
        if let row = table.rows[text] {
            guard let row else { return .left }
            for constant in row { Rows.give(constant, &event) }
            return .kept
        }
        switch table.otherwise {
        case .nothing: return .kept
        case .fields(let constants):
            for constant in constants { Rows.give(constant, &event) }
            return .kept
        case .skip: return .left
        case .refuse:
            let known = table.rows.keys.sorted().prefix(20).joined(separator: ", ")
            return .refused("\(column.shown(index)): found \"\(text.prefix(60))\", wanted one of \(known)")
        }
    }

    private func convert(_ text: String, _ conversions: some Sequence<Conversion>) -> String? {
        conversions.reduce(text) { text, conversion in text.flatMap { conversion.apply($0) } }
    }

    func set(_ text: ByteView, _ target: Target, _ event: inout Event, isJSON: Bool = false) -> Bool {
        switch target {
        case .field(let field):
            if field == accuracy.id { return setShare(text, &event) }
            return event.add(field, text: text) || completesYears && setWithoutYear(text, field, &event)
        case .custom(let path):
            let plain = String(decoding: text, as: UTF8.self)
            let value = !isJSON ? nil : isWholeNumber(plain) ? .number(plain) : try? JSONValue(parsing: text)
            event.setCustom(path: path, to: value ?? .string(plain))
            return true
        }
    }

    /// A date without a year is the latest one before the report was observed, so it is the same whenever the report is read.
    private func setWithoutYear(_ text: ByteView, _ field: FieldID, _ event: inout Event) -> Bool {
        guard field.field.type == .time, let observed = event[.created],
            let time = CivilTime(withoutYear: text, notAfter: observed)
        else { return false }
        return event.add(field, text: time.description)
    }

    /// A row's accuracy is a share of the feed's.
    private func setShare(_ text: ByteView, _ event: inout Event) -> Bool {
        let whole = event[accuracy] ?? 100
        guard event.add(accuracy.id, text: text), let share = event[accuracy] else { return false }
        event[accuracy] = whole * share / 100
        return true
    }

    private func shown(_ cell: ByteView) -> String { String(decoding: cell.prefix(60), as: UTF8.self) }

    func isNothing(_ cell: ByteView) -> Bool {
        guard !cell.isEmpty else { return true }
        guard cell.count <= 16, !ignored.isEmpty else { return false }
        return ignored.contains { $0.utf8.elementsEqual(cell) }
    }
}

extension Mapping.Column {
    /// The fields that a value may end up in.
    var mayGive: [Mapping.Target] {
        var targets = targets
        for row in table?.rows.values.compactMap({ $0 }) ?? [] { targets += row.map(\.target) }
        if case .fields(let fields)? = table?.otherwise { targets += fields.map(\.target) }
        return targets
    }
}

extension Mapping.Preamble {
    /// The line in messages.
    var shown: String { mark.map { "a line with \"\($0)\"" } ?? "line \(line ?? 1)" }
}
