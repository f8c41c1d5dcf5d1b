import IDF

/// A condition compiled into steps, each a check that says where to go on: `and`, `or` and `not` are jumps, and cost nothing.
///
/// Every step leads to one with a lower index, or to an answer, so that asking ends.
final class Program: Sendable {
    private struct Step: Sendable {
        var place: Place
        var check: Check
        /// Where to go on: the index of a step, `yes` or `no`.
        var whenTrue: Int32
        var whenFalse: Int32
    }

    private enum Place: Sendable {
        case field(FieldID)
        case custom([[UInt8]])
    }

    private static let yes: Int32 = -1
    private static let no: Int32 = -2

    private let steps: [Step]
    let patterns: [Pattern]
    let readsClock: Bool

    init(_ expression: Expression) {
        var steps: [Step] = []
        Self.append(expression, whenTrue: Self.yes, whenFalse: Self.no, to: &steps)
        self.steps = steps
        var patterns: [Pattern] = []
        var readsClock = false
        for step in steps {
            if case .pattern(let pattern) = step.check { patterns.append(pattern) }
            if case .moment(_, .sinceNow) = step.check { readsClock = true }
        }
        self.patterns = patterns
        self.readsClock = readsClock
    }

    /// Appends the steps of an expression, the last first, and returns where they begin.
    @discardableResult
    private static func append(_ expression: Expression, whenTrue: Int32, whenFalse: Int32, to steps: inout [Step]) -> Int32 {
        switch expression {
        case .all(let parts):
            return parts.reversed().reduce(whenTrue) { append($1, whenTrue: $0, whenFalse: whenFalse, to: &steps) }
        case .any(let parts):
            return parts.reversed().reduce(whenFalse) { append($1, whenTrue: whenTrue, whenFalse: $0, to: &steps) }
        case .not(let part):
            return append(part, whenTrue: whenFalse, whenFalse: whenTrue, to: &steps)
        case .test(let subject, let relation):
            let place: Place =
                switch subject {
                case .field(let field): .field(field)
                case .custom(let path): .custom(path.map { Array($0.utf8) })
                }
            steps.append(Step(place: place, check: Check(relation, subject), whenTrue: whenTrue, whenFalse: whenFalse))
            return Int32(steps.count - 1)
        }
    }

    func holds(for event: Event, at now: Timestamp) -> Bool {
        steps.withUnsafeBufferPointer { steps in
            var at = Int32(steps.count - 1)
            while at >= 0 {
                let step = steps.baseAddress.unsafelyUnwrapped + Int(at)
                at = Self.holds(step, event, now) ? step.pointee.whenTrue : step.pointee.whenFalse
            }
            return at == Self.yes
        }
    }

    @inline(__always)
    private static func holds(_ step: UnsafePointer<Step>, _ event: Event, _ now: Timestamp) -> Bool {
        switch step.pointee.place {
        case .field(let field): event.contains(field) { step.pointee.check.holds(for: $0, now) }
        case .custom(let path): event.containsCustom(path) { step.pointee.check.holds(for: $0, now) }
        }
    }
}
