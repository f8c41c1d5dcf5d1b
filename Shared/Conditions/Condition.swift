public import IDF

/// A condition on events, as an edge's `when:` has it: `source.geo.country_iso_code == "AT" and source.port in [80, 443]`.
///
/// The language is described in `docs/conditions.md`. A condition is checked against the field table and compiled when it is
/// made; asking it allocates nothing in common cases, and may be done from several threads at once.
public struct Condition: Sendable {
    /// The condition as it was written.
    public let text: String
    /// The fields that it reads, each once, in the order in which they are written. Members of `custom` count as the field
    /// `Event.customRoot`.
    public let fields: [FieldID]
    let expression: Expression
    private let program: Program

    /// Reads, checks and compiles a condition.
    public init(_ text: String) throws(ConditionError) {
        self.text = text
        expression = try Parser.parse(text)
        program = Program(expression)
        var fields: [FieldID] = []
        expression.visit { subject, _ in
            let field = subject.field
            if !fields.contains(field) { fields.append(field) }
        }
        self.fields = fields
    }

    /// Whether the event fulfils the condition.
    /// - Parameter now: what `now` means in the condition; asked for only where it stands there.
    @inlinable
    public func holds(for event: Event, now: @autoclosure () -> Timestamp = .now()) -> Bool {
        holds(for: event, at: readsClock ? now() : Timestamp(nanoseconds: 0))
    }

    @usableFromInline
    func holds(for event: Event, at now: Timestamp) -> Bool { program.holds(for: event, at: now) }

    /// Whether `now` stands in the condition, so that the answer for one event changes with time.
    public var readsClock: Bool { program.readsClock }

    /// How often a regular expression was given up, which counts as no match: it had made too many steps, or the value was too
    /// long. Copies of a condition count together.
    public var limitHits: Int { program.patterns.reduce(0) { $0 + $1.limitHits } }
}

/// Conditions are equal that ask the same in the same order, however they are written.
extension Condition: Equatable, CustomStringConvertible {
    /// Whether both ask the same in the same order.
    public static func == (left: Condition, right: Condition) -> Bool { left.expression == right.expression }

    /// The condition in canonical form, which reads back as the same condition.
    public var description: String { expression.description }
}

/// The bounds that keep a hostile condition from costing memory or time.
enum Bounds {
    /// Bytes of a condition.
    static let length = 65_536
    /// Levels of parentheses and `not`.
    static let depth = 64
    /// Elements of one list.
    static let list = 4096
    /// Literals in the whole condition.
    static let literals = 8192
    /// Regular expressions: each takes up to a megabyte when compiled.
    static let patterns = 32
    /// Names in one path below `custom`.
    static let path = 16
}
