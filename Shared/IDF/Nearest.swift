/// The candidate a misspelt name most likely means, or nil when none is near.
///
/// Near is a third of the name's length in edits, at least one: a letter added, left out, changed, or two neighbours swapped.
/// Upper and lower case of ASCII and `-`, `_`, `.` and blank count as the same. The first of equally near candidates wins.
public func nearest(_ name: String, in candidates: [String]) -> String? {
    let wanted = folded(name)
    // Nobody misspells longer names by accident, and the work grows with the product of the lengths.
    guard !wanted.isEmpty, wanted.count <= 128 else { return nil }
    var best: (name: String, distance: Int)?
    for candidate in candidates {
        let count = candidate.utf8.count
        let bound = min(best.map { $0.distance - 1 } ?? .max, max(1, max(wanted.count, min(count, 128)) / 3))
        guard count > 0, bound >= 0, abs(count - wanted.count) <= bound else { continue }
        let distance = distance(wanted, folded(candidate))
        // As many edits as letters would make anything of anything.
        if distance <= bound, distance < min(wanted.count, count) || distance == 0 {
            best = (candidate, distance)
        }
    }
    return best?.name
}

/// The nearest candidate as advice: `did you mean "database"?`; nil when none is near.
public func didYouMean(_ name: String, in candidates: [String]) -> String? {
    nearest(name, in: candidates).map { "did you mean \"\($0)\"?" }
}

/// What to say of a name that is none of those known: the nearest, or all of them.
public func advice(on name: String, known: [String]) -> String {
    didYouMean(name, in: known) ?? "known are: \(known.joined(separator: ", "))"
}

/// The name's bytes, of which none is added or left out.
private func folded(_ name: String) -> [UInt8] {
    name.utf8.map { byte in
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
        case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: " "): UInt8(ascii: "-")
        default: byte
        }
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
