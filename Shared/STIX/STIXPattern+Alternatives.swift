extension STIXPattern {
    /// How many tests the alternatives of one pattern may have in all.
    public static let alternativesLimit = 100_000

    /// What may be observed, each alternative with the tests that one observation must fulfil together.
    ///
    /// `OR` and `IN` give several alternatives, `AND` within one pair of square brackets joins tests. Each pair of square brackets
    /// speaks of an observation of its own: what lies between them (AND, FOLLOWEDBY, qualifiers) is not in the answer; see `isPlain`.
    /// - Throws: `tooManyAlternatives` beyond `alternativesLimit` tests, before any of them is made.
    public func alternatives() throws(STIXPatternError) -> [[Test]] {
        var all: [[Test]] = []
        var room = Self.alternativesLimit
        var pending = [root]
        while let next = pending.popLast() {
            switch next {
            case .one(let comparison):
                guard let size = comparison.size, size.tests <= room else {
                    throw STIXPatternError(reason: .tooManyAlternatives(limit: Self.alternativesLimit), offset: 0)
                }
                room -= size.tests
                all += comparison.alternatives
            case .all(let parts), .any(let parts), .sequence(let parts): pending += parts.reversed()
            case .qualified(let inner, _): pending.append(inner)
            }
        }
        return all
    }

    /// Whether the pattern says no more than its alternatives: nothing about times, repetitions or several observations together.
    public var isPlain: Bool {
        var pending = [root]
        while let next = pending.popLast() {
            switch next {
            case .one: continue
            case .any(let parts): pending += parts
            case .all, .sequence, .qualified: return false
            }
        }
        return true
    }
}

extension STIXPattern.Comparison {
    private typealias Size = (alternatives: Int, tests: Int)

    /// Alternatives and tests in all of them; nil where there are too many.
    fileprivate var size: (alternatives: Int, tests: Int)? {
        switch self {
        case .test(let test):
            let count = test.isChoice ? test.values.count : 1
            return (count, count)
        case .any(let parts):
            var sum: Size = (0, 0)
            for part in parts {
                guard let size = part.size else { return nil }
                sum = (sum.alternatives + size.alternatives, sum.tests + size.tests)
                guard sum.tests <= STIXPattern.alternativesLimit else { return nil }
            }
            return sum
        case .all(let parts):
            var product: Size = (1, 0)
            for part in parts {
                guard let size = part.size else { return nil }
                product = (
                    product.alternatives * size.alternatives,
                    product.tests * size.alternatives + size.tests * product.alternatives
                )
                guard product.tests <= STIXPattern.alternativesLimit else { return nil }
            }
            return product
        }
    }

    fileprivate var alternatives: [[STIXPattern.Test]] {
        switch self {
        case .test(let test):
            guard test.isChoice else { return [[test]] }
            return test.values.map { value in
                var one = test
                one.values = [value]
                return [one]
            }
        case .any(let parts): return parts.flatMap(\.alternatives)
        case .all(let parts):
            var all: [[STIXPattern.Test]] = [[]]
            for part in parts {
                let further = part.alternatives
                if further.count == 1 {
                    for index in all.indices { all[index] += further[0] }
                } else {
                    all = all.flatMap { start in further.map { start + $0 } }
                }
            }
            return all
        }
    }
}

extension STIXPattern.Test {
    /// Whether each value is an alternative.
    fileprivate var isChoice: Bool { comparator == .oneOf && !isNegated }
}
