internal import CSimdJSON
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

    /// One name and value, where they lie.
    private struct Piece {
        /// What sorts most of them: the rank of the field, then the first six bytes of a free member's name.
        var order: UInt64
        /// Whether one value can be written in several ways: objects, and texts of free members with escapes.
        var varies: Bool
        var root: ByteView
        /// Of a free member, without quotes.
        var name: ByteView?
        var value: ByteView
    }

    private func fingerprint(where chosen: (FieldID) -> Bool) -> (UInt64, UInt64) {
        let rows = FieldTable.shared.rows
        var pieces: [Piece] = []
        pieces.reserveCapacity(members.count + 32)
        return own.withUnsafeBufferPointer { own in
            for member in members {
                let packed = FieldTable.shared.packed.first { $0.whole == member.field }
                let field = packed?.open ?? member.field
                guard chosen(field) else { continue }
                let row = rows + Int(field.raw)
                let bytes =
                    member.isOwn
                    ? own.part(Int(member.offset), Int(member.offset) + Int(member.length))
                    : base!.view(Int(member.offset), Int(member.length))
                let isNested = member.kind == JSONKind.object.rawValue || member.kind == JSONKind.array.rawValue
                if member.keyLength > 0 {
                    let name = keyText(bytes, member)
                    pieces.append(
                        Self.free(
                            row, name.part(1, name.count - 1), bytes.from(Int(member.keyLength)), isNested || member.hasEscapes))
                } else if packed != nil {
                    Self.takeApart(bytes, row, into: &pieces)
                } else {
                    // Known fields are in canonical form since they came in.
                    pieces.append(
                        Piece(
                            order: UInt64(row.pointee.rank) << 48, varies: isNested && row.pointee.type == .json,
                            root: row.pointee.name, value: bytes))
                }
            }
            return digest(of: Self.text(pieces))
        }
    }

    private static func free(_ row: UnsafeMutablePointer<FieldTable.Row>, _ name: ByteView, _ value: ByteView, _ varies: Bool)
        -> Piece
    {
        var order = UInt64(row.pointee.rank)
        for place in 0..<6 { order = order << 8 | UInt64(name.peek(place)) }
        return Piece(order: order, varies: varies, root: row.pointee.name, name: name, value: value)
    }

    /// The members of a free root that came as one span.
    private static func takeApart(_ span: ByteView, _ row: UnsafeMutablePointer<FieldTable.Row>, into pieces: inout [Piece]) {
        _ = try? JSONTokeniser.borrow { tokeniser throws(JSONError) in
            let tokens = try tokeniser.tokens(of: span, depth: 256)
            var index = 1
            while index < Int(tokens[0].next) {
                let (key, value) = (tokens[index], tokens[index + 1])
                let isNested = value.kind == JSONKind.object.rawValue || value.kind == JSONKind.array.rawValue
                pieces.append(
                    free(
                        row, span.part(Int(key.start) + 1, Int(key.end) - 1), span.part(Int(value.start), Int(value.end)),
                        isNested || value.flags != 0))
                index = Int(value.next)
            }
        }
    }

    private static func text(_ pieces: [Piece]) -> [UInt8] {
        // Numbers are moved about, not pieces.
        var places = pieces.indices.map { (order: pieces[$0].order, index: $0) }
        places.sort {
            $0.order != $1.order ? $0.order < $1.order : pieces[$0.index].name.precedes(pieces[$1.index].name)
        }
        var text: [UInt8] = []
        text.reserveCapacity(pieces.reduce(0) { $0 + $1.root.count + ($1.name?.count ?? 0) + $1.value.count + 3 })
        for place in places {
            let piece = pieces[place.index]
            text.append(contentsOf: piece.root)
            if let name = piece.name {
                text.append(0x2E)
                text.append(contentsOf: name)
            }
            text.append(0x1F)
            if piece.varies {
                JSONValue(raw: piece.value)?.sorted.append(to: &text)
            } else {
                text.append(contentsOf: piece.value)
            }
            text.append(0x1E)
        }
        return text
    }
}

extension ByteView? {
    fileprivate func precedes(_ other: ByteView?) -> Bool {
        guard let self, let other else { return false }
        return self.lexicographicallyPrecedes(other)
    }
}
