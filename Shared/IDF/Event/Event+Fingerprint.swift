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

    /// A name and value that need care: a free member, or a value that can be written in several ways.
    private struct Piece {
        /// What sorts most of them: the rank of the field, then the first six bytes of a free member's name.
        var order: UInt64
        var root: ByteView
        /// Of a free member, without quotes.
        var name: ByteView?
        var value: ByteView

        var count: Int { root.count + (name?.count ?? -1) + value.count + 3 }

        func write(to out: inout ByteWriter) {
            out.append(contentsOf: root)
            if let name {
                out.append(0x2E)
                out.append(contentsOf: name)
            }
            out.append(0x1F)
            out.append(contentsOf: value)
            out.append(0x1E)
        }
    }

    private struct Pieces {
        var all: [Piece] = []
        /// Values that were put in order: what pieces point to.
        private var made: [SourceBytes] = []

        /// - Parameter varies: whether the value can be written in several ways: objects, and texts of free members with escapes.
        mutating func add(_ row: FieldTable.Row, _ name: ByteView?, _ value: ByteView, varies: Bool) {
            var order = UInt64(row.rank)
            for place in 0..<6 { order = order << 8 | UInt64(name?.peek(place) ?? 0) }
            var value = value
            if varies {
                let sorted = SourceBytes(JSONValue(raw: value)?.sorted.bytes ?? [])
                made.append(sorted)
                value = sorted.view
            }
            all.append(Piece(order: order, root: row.name, name: name, value: value))
        }
    }

    private func fingerprint(where chosen: (FieldID) -> Bool) -> (UInt64, UInt64) {
        let table = FieldTable.shared
        return own.withUnsafeBufferPointer { own in
            // Most members need no care. They are put where their rank says: one more than their index.
            withUnsafeTemporaryAllocation(of: Int32.self, capacity: table.fields.count) { places in
                places.initialize(repeating: 0)
                var pieces = Pieces()
                var size = 0
                for (index, member) in members.enumerated() {
                    let row = table.rows[Int(member.field.raw)]
                    guard chosen(row.isPacked ? FieldID(raw: row.twin) : member.field) else { continue }
                    let bytes = bytes(of: member, own)
                    let isNested = member.kind == JSONKind.object.rawValue || member.kind == JSONKind.array.rawValue
                    if row.isPacked {
                        Self.takeApart(bytes, table.rows[Int(row.twin)], into: &pieces)
                    } else if member.keyLength > 0 {
                        let name = keyText(bytes, member)
                        pieces.add(
                            row, name.part(1, name.count - 1), bytes.from(Int(member.keyLength)),
                            varies: isNested || member.hasEscapes)
                    } else if isNested, row.type == .json {
                        pieces.add(row, nil, bytes, varies: true)
                    } else {
                        // Known fields are in canonical form since they came in.
                        places[Int(row.rank)] = Int32(index + 1)
                        size += row.name.count + bytes.count + 2
                    }
                }
                return withExtendedLifetime(pieces) { digest(of: text(places, own, pieces.all, size)) }
            }
        }
    }

    @inline(__always)
    private func bytes(of member: Member, _ own: ByteView) -> ByteView {
        let (start, length) = (Int(member.offset), Int(member.length))
        return member.isOwn ? own.part(start, start + length) : base!.view(start, length)
    }

    /// The members of a free root that came as one span.
    private static func takeApart(_ span: ByteView, _ row: FieldTable.Row, into pieces: inout Pieces) {
        _ = try? JSONTokeniser.borrow { tokeniser throws(JSONError) in
            let tokens = try tokeniser.tokens(of: span, depth: 256)
            pieces.all.reserveCapacity(pieces.all.count + tokens.count / 2)
            var index = 1
            while index < Int(tokens[0].next) {
                let (key, value) = (tokens[index], tokens[index + 1])
                let isNested = value.kind == JSONKind.object.rawValue || value.kind == JSONKind.array.rawValue
                pieces.add(
                    row, span.part(Int(key.start) + 1, Int(key.end) - 1), span.part(Int(value.start), Int(value.end)),
                    varies: isNested || value.flags != 0)
                index = Int(value.next)
            }
        }
    }

    /// - Parameters:
    ///   - places: by rank, one more than the index of a member that needs no care; 0 where there is none.
    ///   - size: bytes that those take.
    private func text(_ places: UnsafeMutableBufferPointer<Int32>, _ own: ByteView, _ pieces: [Piece], _ size: Int) -> [UInt8] {
        // Numbers are moved about, not pieces.
        var order = pieces.indices.map { (order: pieces[$0].order, index: $0) }
        order.sort {
            $0.order != $1.order ? $0.order < $1.order : pieces[$0.index].name.precedes(pieces[$1.index].name)
        }
        var text: [UInt8] = []
        var next = 0
        text.append(atMost: pieces.reduce(size) { $0 + $1.count }) { out in
            for (rank, place) in places.enumerated() {
                if place > 0 {
                    let member = members[Int(place) - 1]
                    out.append(contentsOf: FieldTable.shared.rows[Int(member.field.raw)].name)
                    out.append(0x1F)
                    out.append(contentsOf: bytes(of: member, own))
                    out.append(0x1E)
                }
                while next < order.count, Int(order[next].order >> 48) == rank {
                    pieces[order[next].index].write(to: &out)
                    next += 1
                }
            }
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
