import Glibc

/// What makes two events the same.
///
/// The fingerprint is the first 16 bytes of SHA-256 over the chosen members, sorted by the bytes of their dotted names;
/// each as name, 0x1F, JSON of the value (objects with sorted members), 0x1E. It depends on neither the order in which
/// fields came nor the version of the field table.
extension Event {
    /// The fingerprint over all fields but the ignored ones. Free roots count member by member.
    public func fingerprint(ignoring ignored: [FieldID]) -> (UInt64, UInt64) { fingerprint { !ignored.contains($0) } }

    /// The fingerprint over the chosen fields only.
    public func fingerprint(of fields: [FieldID]) -> (UInt64, UInt64) { fingerprint { fields.contains($0) } }

    /// A member with what it is sorted by: the rank of its field, then the first bytes of a free member's name.
    private struct Place {
        var rank: UInt16
        var index: UInt32
        var prefix: UInt64
    }

    private func fingerprint(where chosen: (FieldID) -> Bool) -> (UInt64, UInt64) {
        if isPacked { return unpacked().fingerprint(where: chosen) }
        let rows = FieldTable.shared.rows
        var text: [UInt8] = []
        text.reserveCapacity(2048)
        withUnsafeTemporaryAllocation(of: Place.self, capacity: members.count) { order in
            var count = 0
            for index in members.indices where chosen(members[index].field) {
                let place = Place(
                    rank: rows[Int(members[index].field.raw)].rank, index: UInt32(index), prefix: prefix(members[index]))
                order[count] = place
                count += 1
            }
            var chosen = UnsafeMutableBufferPointer(rebasing: order[..<count])
            if count > 64 { chosen.sort(by: precedes) } else { insertionSort(chosen) }
            for place in order[..<count] { append(members[Int(place.index)], rows, to: &text) }
        }
        return digest(of: text)
    }

    /// For the few members of a usual event nothing is faster.
    private func insertionSort(_ order: UnsafeMutableBufferPointer<Place>) {
        guard order.count > 1 else { return }
        for index in 1..<order.count {
            let place = order[index]
            var at = index
            while at > 0, precedes(place, order[at - 1]) {
                order[at] = order[at - 1]
                at -= 1
            }
            order[at] = place
        }
    }

    private func append(_ member: Member, _ rows: UnsafeMutablePointer<FieldTable.Row>, to text: inout [UInt8]) {
        text.append(contentsOf: rows[Int(member.field.raw)].name)
        withBytes(member) { bytes in
            if member.keyLength > 0 {
                text.append(0x2E)
                let name = keyText(bytes, member)
                text.append(contentsOf: ByteView(rebasing: name[1..<(name.count - 1)]))
            }
            text.append(0x1F)
            let value = ByteView(rebasing: bytes[Int(member.keyLength)...])
            let isNested = member.kind == JSONKind.object.rawValue || member.kind == JSONKind.array.rawValue
            // Known fields are in canonical form since they came in; of free members one text can be written in several ways.
            if isNested || member.keyLength > 0 && member.hasEscapes {
                JSONValue(raw: value)?.sorted.append(to: &text)
            } else {
                text.append(contentsOf: value)
            }
        }
        text.append(0x1E)
    }

    /// The first eight bytes of a free member's name as a number that sorts like them.
    private func prefix(_ member: Member) -> UInt64 {
        guard member.keyLength > 0 else { return 0 }
        return withBytes(member) { bytes in
            // The name begins behind its quote; what stands behind a shorter one must not count.
            let name = keyText(bytes, member).count - 2
            if name >= 8 { return UInt64(bigEndian: UnsafeRawPointer(bytes.baseAddress! + 1).loadUnaligned(as: UInt64.self)) }
            var value: UInt64 = 0
            for place in 0..<8 { value = value << 8 | UInt64(place < name ? bytes[1 + place] : 0) }
            return value
        }
    }

    private func precedes(_ a: Place, _ b: Place) -> Bool {
        if a.rank != b.rank { return a.rank < b.rank }
        if a.prefix != b.prefix { return a.prefix < b.prefix }
        let (first, second) = (members[Int(a.index)], members[Int(b.index)])
        return withBytes(first) { one in
            withBytes(second) { two in keyText(one, first).lexicographicallyPrecedes(keyText(two, second)) }
        }
    }
}
