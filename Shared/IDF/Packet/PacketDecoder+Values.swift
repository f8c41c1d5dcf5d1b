internal import CSimdJSON
import Glibc

extension PacketDecoder {
    /// Reads the value of a known field: a scalar, or a list of scalars where the field allows several.
    mutating func readField(_ field: FieldID, _ index: Int) {
        let row = table.rows[Int(field.raw)]
        let token = tokens[index]
        if isKind(index, .null) { return }
        if row.type == .json { return keep(field, token) }
        if isKind(index, .array) { return readList(field, row, index) }
        if field == original, isKind(index, .string) {
            // The source line is kept to the byte: a blank at an end may be an empty cell.
            if token.end - token.start > 2 { keep(field, token) }
            return
        }
        switch check(row, index) {
        case .asIs: keep(field, token)
        case .rewritten:
            let start = own.count
            own.append(contentsOf: scratch)
            adopt(field, start)
        case .refused: break
        }
    }

    private mutating func readList(_ field: FieldID, _ row: FieldTable.Row, _ index: Int) {
        let end = Int(tokens[index].next)
        guard row.isMany || end - index <= 2 else {
            return report(
                "too-many-values", "\(field.name) takes one value, found a list of \(end - index - 1)", pointer(to: index - 1))
        }
        guard end - index <= 257 else {
            return report(
                "too-many-values", "a list of \(end - index - 1) values; at most 256 are allowed", pointer(to: index - 1))
        }
        let start = own.count
        own.append(0x5B)
        var changed = false
        var last = 0
        var count = 0
        // Places up to the last value.
        var kept = 0
        var item = index + 1
        while item < end {
            if count > 0 { own.append(0x2C) }
            let token = tokens[item]
            if kind(item) == .null {
                own.append(contentsOf: "null".utf8)
            } else {
                switch check(row, item, of: (list: index, place: count)) {
                case .asIs: own.append(contentsOf: source.view(Int(token.start), Int(token.end - token.start)))
                case .rewritten:
                    changed = true
                    own.append(contentsOf: scratch)
                case .refused:
                    // The problem is noted and the packet will not be used.
                    own.removeSubrange(start...)
                    return
                }
                last = own.count
                kept = count + 1
            }
            count += 1
            item = Int(token.next)
        }
        // A list without values is no value; one value is written as a scalar; gaps at the end say nothing.
        // A refused value leaves nothing behind, and then the packet is refused.
        guard last > start + 1 else {
            own.removeSubrange(start...)
            return
        }
        if last != own.count { changed = true }
        own.removeSubrange(last...)
        if kept == 1 {
            own.remove(at: start)
            return adopt(field, start)
        }
        own.append(0x5D)
        if changed || own.count - start != Int(tokens[index].end - tokens[index].start) {
            adopt(field, start)
        } else {
            own.removeSubrange(start...)
            keep(field, tokens[index])
        }
    }

    private enum Verdict { case asIs, rewritten, refused }

    /// Checks one scalar, perhaps of a list. Where its form does not show at once that it is canonical, the canonical form is made in
    /// `scratch` and compared: equal means the packet's own bytes will do.
    @inline(__always)
    private mutating func check(_ row: FieldTable.Row, _ index: Int, of list: (list: Int, place: Int)? = nil) -> Verdict {
        let token = tokens[index]
        let isString = isKind(index, .string)
        let fits: Bool
        switch row.type.jsonKind {
        case .string: fits = isString
        case .number: fits = isKind(index, .number)
        case .boolean: fits = isKind(index, .true) || isKind(index, .false)
        case .any: fits = true
        }
        guard fits else { return refuse(row, index, "wrong-type", list) }
        if isString, token.flags == 0, row.type.isPlainlyCanonical(inner(token)) { return .asIs }
        scratch.removeAll(keepingCapacity: true)
        let raw = source.view(Int(token.start), Int(token.end - token.start))
        var sane: Bool
        if !isString {
            sane = row.type.sanitise(raw, into: &scratch)
        } else if token.flags == 0 {
            sane = row.type.sanitise(inner(token), into: &scratch)
        } else {
            plain.removeAll(keepingCapacity: true)
            appendUnescaped(inner(token), to: &plain)
            sane = plain.withUnsafeBufferPointer { row.type.sanitise($0, into: &scratch) }
        }
        guard sane else { return refuse(row, index, "invalid-value", list) }
        let same = scratch.count == raw.count && memcmp(scratch, raw.baseAddress!, raw.count) == 0
        return same ? .asIs : .rewritten
    }

    private mutating func refuse(_ row: FieldTable.Row, _ index: Int, _ code: String, _ list: (list: Int, place: Int)?) -> Verdict
    {
        let token = tokens[index]
        let raw = source.view(Int(token.start), Int(token.end - token.start))
        let shown = raw.count <= 80 ? String(decoding: raw, as: UTF8.self) : String(decoding: raw.prefix(77), as: UTF8.self) + "…"
        let what = code == "wrong-type" ? "found \((JSONKind(rawValue: token.kind) ?? .null).word) \(shown)" : "found \(shown)"
        let place = list.map { pointer(to: $0.list - 1) + "/\($0.place)" } ?? pointer(to: index - 1)
        report(code, "\(what), wanted \(row.type.wanted)", place)
        return .refused
    }

    private mutating func keep(_ field: FieldID, _ token: idf_token) {
        members.append(
            Event.Member(
                field: field, keyLength: 0, offset: token.start, length: token.end - token.start, kind: token.kind, isOwn: false,
                hasEscapes: token.flags != 0))
    }

    private mutating func adopt(_ field: FieldID, _ start: Int) {
        let first = own[start]
        let kind = JSONKind(rawValue: first) ?? .number
        members.append(
            Event.Member(
                field: field, keyLength: 0, offset: UInt32(start), length: UInt32(own.count - start), kind: kind.rawValue,
                isOwn: true,
                hasEscapes: first == 0x22 && own[(start + 1)...].contains(0x5C)))
    }

    /// Reports a member that the table does not know, with the nearest one it does.
    mutating func unknown(_ at: Int, node: Int) {
        // Looking for a similar name costs more than reading the member, and nobody would hear of it.
        guard problems.count < Self.problemLimit else { return }
        let name = name(at)
        let above = table.path(of: node)
        let full = above.isEmpty ? name : "\(above).\(name)"
        var advice = "free members belong under \"custom\""
        if let near = didYouMean(full, in: Field.all.map(\.name)) { advice = "\(near) (\(advice))" }
        report("unknown-field", "no field \"\(full)\" in the data format; \(advice)", pointer(to: at))
    }
}
