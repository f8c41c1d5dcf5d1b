import IDF

// Most columns become a custom member as they are; their bytes go straight into the event.
extension Mapping {
    /// A column whose texts become a custom member as they are.
    struct Plain {
        /// The member's name as it stands before its value.
        let key: [UInt8]
        /// Between the values of a list.
        let separator: [UInt8]?
    }

    /// What is plain of the columns; nil for those that need more, and where something else may set the member or one below it.
    func plainColumns() -> [Plain?] {
        switch format {
        case .json, .ndjson, .xml: return Array(repeating: nil, count: columns.count)
        case .csv, .lines, .pairs: break
        }
        let given =
            columns.flatMap(\.mayGive) + preamble.flatMap(\.column.mayGive) + constants.map(\.target) + composed.map(\.target)
        var uses: [String: Int] = [:]
        for case .custom(let path) in given { uses[path[0], default: 0] += 1 }
        return columns.map { column in
            guard case .custom(let path)? = column.targets.first, column.targets.count == 1, path.count == 1,
                uses[path[0]] == 1, column.table == nil, column.conversions.isEmpty, column.targetConversions.isEmpty
            else { return nil }
            return Plain(key: Event.freeKey(path[0]), separator: column.separator.map { Array($0.utf8) })
        }
    }

    /// Sets the member of a plain column.
    func add(_ cell: ByteView, _ plain: Plain, to event: inout Event) {
        event.addFree(Event.customRoot, key: plain.key) { out in
            guard let separator = plain.separator else {
                JSONText.appendQuoted(cell, to: &out)
                return true
            }
            var parts: [ByteView] = []
            split(cell, separator, into: &parts)
            out.append(0x5B)
            for part in parts where !isNothing(part) {
                if out.last != 0x5B { out.append(0x2C) }
                JSONText.appendQuoted(part, to: &out)
            }
            out.append(0x5D)
            return true
        }
    }
}

/// Whether a text is a JSON number of digits only.
func isWholeNumber(_ text: String) -> Bool {
    let digits = text.utf8
    return !digits.isEmpty && digits.count <= 18 && (digits.first != 0x30 || digits.count == 1)
        && digits.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
}
