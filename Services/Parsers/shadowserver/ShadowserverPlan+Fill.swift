import CSV
import IDF

extension ShadowserverPlan {
    /// Fills an event with the values of a row; answers why the row must be refused, or nil.
    func fill(_ event: inout Event, _ row: borrowing CSVRow, keepsOriginal: Bool) -> String? {
        for index in fields.indices {
            let use = fields[index]
            let cell = row[use.column]
            if use.conversion.isNothing(cell) {
                guard use.isRequired, cell.isEmpty, Self.mustHave(use) else { continue }
                return "column \"\(columns[use.column])\" is empty and required"
            }
            if set(use, cell, row, &event) { continue }
            if use.isRequired { return misfit(use, cell) }
            if use.keepsMisfit {
                event.addFree(Event.customRoot, key: keys[use.column]) {
                    JSONText.appendQuoted(cell, to: &$0); return true
                }
            }
        }
        if keepsOriginal { event.addOriginal(row.raw) }
        let root = Event.customRoot
        for index in leaves.indices {
            let leaf = leaves[index]
            let cell = row[leaf.column]
            if leaf.conversion.isNothing(cell) { continue }
            event.addFree(root, key: leafKeys[leaf.keyStart..<leaf.keyEnd]) { leaf.conversion.append(cell, to: &$0) }
        }
        for index in customs.indices { add(customs[index], row, &event) }
        return nil
    }

    /// An event without a time says nothing; everything else may be unknown.
    private static func mustHave(_ use: FieldUse) -> Bool {
        guard case .field(let id) = use.target else { return false }
        return id == Key.timestamp.id
    }

    @inline(__always)
    private func set(_ use: FieldUse, _ cell: ByteView, _ row: borrowing CSVRow, _ event: inout Event) -> Bool {
        if use.isDerived { return setDerived(use, cell, row, &event) }
        if use.conversion == .none, Self.isPlaceholder(cell) { return true }
        return put(use, cell, &event)
    }

    private func setDerived(_ use: FieldUse, _ cell: ByteView, _ row: borrowing CSVRow, _ event: inout Event) -> Bool {
        if case .vulnerabilities = use.target { return put(use, cell, &event) }
        guard let text = derived(use.conversion, cell, row) else { return true }
        return text.withUnsafeBufferPointer { put(use, $0, &event) }
    }

    @inline(__always)
    private func put(_ use: FieldUse, _ text: ByteView, _ event: inout Event) -> Bool {
        switch use.target {
        case .field(let id):
            if use.isRepeated, event.has(id) { return true }
            return event.add(id, text: text)
        case .account(let name, let email):
            let id = text.contains(0x40) ? email : name
            return event.has(id) || event.add(id, text: text)
        case .vulnerabilities:
            let found = ShadowserverConversion.vulnerabilities(in: text)
            if !found.isEmpty, !event.has(Key.vulnerability.id) {
                event.set(.vulnerability, to: found)
                event[.enumeration] = "CVE"
            }
            return true
        }
    }

    /// `-` and `N/A` stand for nothing where the schema names no conversion.
    @inline(__always)
    private static func isPlaceholder(_ cell: ByteView) -> Bool {
        cell.count <= 3 && (cell.elements("-") || cell.elements("N/A"))
    }

    private func misfit(_ use: FieldUse, _ cell: ByteView) -> String {
        let wanted: String
        switch use.target {
        case .field(let id), .account(let id, _): wanted = id.field.type.wanted
        case .vulnerabilities: wanted = "numbers of vulnerabilities"
        }
        return
            "column \"\(columns[use.column])\": found \"\(String(decoding: cell.prefix(60), as: UTF8.self))\", wanted \(wanted)"
    }

    @inline(__always)
    private func add(_ use: CustomUse, _ row: borrowing CSVRow, _ event: inout Event) {
        if use.members.isEmpty {
            for source in use.sources {
                let cell = row[source.column]
                if source.conversion.isNothing(cell) { continue }
                if source.conversion.isDerived, source.conversion != .boolean {
                    addDerived(use, source.conversion, cell, row, &event)
                } else {
                    event.addFree(Event.customRoot, key: use.key) { source.conversion.append(cell, to: &$0) }
                }
                return
            }
        } else {
            addObject(use, row, &event)
        }
    }

    private func addDerived(
        _ use: CustomUse, _ conversion: ShadowserverConversion, _ cell: ByteView, _ row: borrowing CSVRow, _ event: inout Event
    ) {
        guard let text = derived(conversion, cell, row) else { return }
        event.addFree(Event.customRoot, key: use.key) { out in
            text.withUnsafeBufferPointer { JSONText.appendQuoted($0, to: &out) }
            return true
        }
    }

    private func derived(_ conversion: ShadowserverConversion, _ cell: ByteView, _ row: borrowing CSVRow) -> [UInt8]? {
        // A row is not copied into a closure, so the other cells are fetched before.
        var cells: [ByteView] = []
        for column in others { cells.append(column < 0 ? ByteView(start: nil, count: 0) : row[column]) }
        let all = ShadowserverConversion.OtherColumn.allCases
        return conversion.text(cell) { other in all.firstIndex(of: other).map { cells[$0] } ?? ByteView(start: nil, count: 0) }
    }

    private func addObject(_ use: CustomUse, _ row: borrowing CSVRow, _ event: inout Event) {
        // The object is built aside, because a row cannot go into the closure that appends to the event.
        var object: [UInt8] = []
        guard appendMembers(use, row, to: &object) else { return }
        event.addFree(Event.customRoot, key: use.key) { out in
            out.append(contentsOf: object)
            return true
        }
    }

    /// Appends `{…}` of the members that have a value; false when none has.
    private func appendMembers(_ use: CustomUse, _ row: borrowing CSVRow, to out: inout [UInt8]) -> Bool {
        let start = out.count
        out.append(0x7B)
        for member in use.members {
            let before = out.count
            if before > start + 1 { out.append(0x2C) }
            out.append(contentsOf: member.key)
            if !appendValue(member, row, to: &out) { out.removeLast(out.count - before) }
        }
        guard out.count > start + 1 else {
            out.removeLast(out.count - start)
            return false
        }
        out.append(0x7D)
        return true
    }

    private func appendValue(_ use: CustomUse, _ row: borrowing CSVRow, to out: inout [UInt8]) -> Bool {
        guard use.members.isEmpty else { return appendMembers(use, row, to: &out) }
        for source in use.sources {
            let cell = row[source.column]
            if source.conversion.isNothing(cell) { continue }
            if source.conversion.isDerived, source.conversion != .boolean {
                guard let text = derived(source.conversion, cell, row) else { return false }
                text.withUnsafeBufferPointer { JSONText.appendQuoted($0, to: &out) }
                return true
            }
            return source.conversion.append(cell, to: &out)
        }
        return false
    }
}
