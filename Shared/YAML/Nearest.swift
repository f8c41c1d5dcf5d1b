/// The candidate a misspelt name most likely means, or nil when none is near.
///
/// Near is a third of the name's length in edits, at least one: a letter added, left out, changed, or two neighbours swapped.
/// Upper and lower case and `-`, `_`, `.` and blank count as the same. The first of equally near candidates wins.
public func nearest(_ name: String, in candidates: [String]) -> String? {
    let wanted = folded(name)
    // Nobody misspells longer names by accident, and the work grows with the product of the lengths.
    guard !wanted.isEmpty, wanted.count <= 128 else { return nil }
    var best: (name: String, distance: Int)?
    for candidate in candidates {
        let other = folded(candidate)
        let bound = min(best.map { $0.distance - 1 } ?? .max, max(1, max(wanted.count, min(other.count, 128)) / 3))
        guard !other.isEmpty, bound >= 0, abs(other.count - wanted.count) <= bound else { continue }
        let distance = distance(wanted, other)
        // As many edits as letters would make anything of anything.
        if distance <= bound, distance < min(wanted.count, other.count) || distance == 0 {
            best = (candidate, distance)
        }
    }
    return best?.name
}

private func folded(_ name: String) -> [UInt8] {
    name.lowercased().utf8.map { byte in
        byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: " ") ? UInt8(ascii: "-") : byte
    }
}

/// Damerau-Levenshtein distance in the form of optimal string alignment.
private func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
        var row = [i + 1]
        row.reserveCapacity(b.count + 1)
        for j in b.indices {
            var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
            row.append(cost)
        }
        beforeLast = last
        last = row
    }
    return last[b.count]
}
