import IDF

extension Mapping {
    /// What every event of a report begins with: what its address and the lines before its rows say.
    func prototype(_ report: ByteView, _ about: About, _ start: Event) throws(MappingError) -> Event {
        var event = start
        for (index, column) in columns.enumerated() where column.isOfReport {
            if case .custom(let path)? = column.parts.first {
                try check(put(Self.member(path[...], of: about.custom), column, index, &event))
                continue
            }
            let known = column.parts.lazy.compactMap { part -> String? in
                switch part {
                case .url: about.url
                case .feed: about.feed
                case .file: about.file
                case .custom, .item: nil
                }
            }.first
            var text = known ?? ""
            try check(text.withUTF8 { put($0, column, index, &event) })
        }
        guard !preamble.isEmpty else { return event }
        var missing = preamble[...].indices.map { $0 }
        var found: [Outcome] = []
        eachLine(report) { line, number in
            // Such values stand at the begin.
            guard !missing.isEmpty, number <= 200 else { return false }
            missing.removeAll { index in
                guard let text = value(preamble[index], line, number) else { return false }
                var value = text
                found.append(value.withUTF8 { put($0, preamble[index].column, index, &event) })
                return true
            }
            return true
        }
        for outcome in found { try check(outcome) }
        for index in missing where preamble[index].column.isRequired {
            throw MappingError("the report does not begin with \(preamble[index].shown)")
        }
        return event
    }

    private func check(_ outcome: Outcome) throws(MappingError) {
        switch outcome {
        case .kept: return
        case .left: throw MappingError("the mapping leaves out reports of this address or name")
        case .refused(let reason): throw MappingError(reason)
        }
    }

    private func value(_ preamble: Preamble, _ line: ByteView, _ number: Int) -> String? {
        if let wanted = preamble.line { return number == wanted ? String(decoding: line, as: UTF8.self) : nil }
        guard let mark = preamble.mark else { return nil }
        return place(of: mark, in: line).map { String(decoding: trim(ByteView(rebasing: line[$0.upperBound...])), as: UTF8.self) }
    }
}
