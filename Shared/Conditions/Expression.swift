import IDF

/// A checked condition as a tree. Built by the parser only, which flattens `a and (b and c)` and drops double negation, so that
/// equal conditions have equal trees.
indirect enum Expression: Equatable, Sendable {
    case all([Expression])
    case any([Expression])
    case not(Expression)
    case test(Subject, Relation)

    static func negated(_ expression: Expression) -> Expression {
        if case .not(let inner) = expression { inner } else { .not(expression) }
    }

    /// Calls `body` with every comparison, in the order in which they are written.
    func visit(_ body: (Subject, Relation) -> Void) {
        switch self {
        case .all(let parts), .any(let parts): for part in parts { part.visit(body) }
        case .not(let part): part.visit(body)
        case .test(let subject, let relation): body(subject, relation)
        }
    }
}

/// What is looked at.
enum Subject: Equatable, Sendable {
    case field(FieldID)
    /// Names below `custom`.
    case custom([String])

    var field: FieldID {
        switch self {
        case .field(let field): field
        case .custom: Event.customRoot
        }
    }
}

/// What is asked of a value.
enum Relation: Equatable, Sendable {
    case exists
    case compare(Comparison, Literal)
    /// One of the literals, or in one of the networks or ranges.
    case among([Literal])
    case text(TextRelation, String)
    case matches(Pattern)
}

enum Comparison: String, Sendable, CaseIterable {
    case equal = "=="
    case unequal = "!="
    case less = "<"
    case atMost = "<="
    case greater = ">"
    case atLeast = ">="

    var isOrder: Bool { self != .equal && self != .unequal }

    /// Whether `left` and `right` stand in this relation, given that `left` is less, or that they are the same.
    @inline(__always)
    func holds(isLess: Bool, isSame: Bool) -> Bool {
        switch self {
        case .equal: isSame
        case .unequal: !isSame
        case .less: isLess
        case .atMost: isLess || isSame
        case .greater: !isLess && !isSame
        case .atLeast: !isLess
        }
    }
}

enum TextRelation: String, Sendable, CaseIterable {
    case contains
    case startsWith = "starts with"
    case endsWith = "ends with"
}
