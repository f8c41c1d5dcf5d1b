/// The candidate that a misspelt word most likely means, or nil when none is near: at most a third of its letters are wrong.
/// Upper and lower case, `-`, `_` and blank count as the same.
func nearest(_ word: String, in candidates: [String]) -> String? {
    let wanted = folded(word)
    guard !wanted.isEmpty, wanted.count <= 100 else { return nil }
    var best: (word: String, distance: Int)?
    for candidate in candidates {
        let other = folded(candidate)
        guard abs(other.count - wanted.count) <= max(1, wanted.count / 3) else { continue }
        let distance = editDistance(wanted, other)
        if distance <= max(1, wanted.count / 3), distance < wanted.count, distance < best?.distance ?? .max {
            best = (candidate, distance)
        }
    }
    return best?.word
}

private func folded(_ word: String) -> [UInt8] {
    word.lowercased().utf8.map { $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: " ") ? UInt8(ascii: "-") : $0 }
}

/// Letters to add, leave out or change, and neighbours to swap.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
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
