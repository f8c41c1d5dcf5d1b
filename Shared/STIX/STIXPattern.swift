/// A pattern of STIX 2.1 (part 9 of the specification), read by its grammar: what an indicator looks for.
///
/// ```swift
/// let pattern = try STIXPattern("[ipv4-addr:value = '192.0.2.1' OR domain-name:value = 'a.example']")
/// for tests in try pattern.alternatives() { … }                     // one list of tests for each of the two
/// ```
///
/// Nesting is bounded (`depthLimit`), so that no pattern takes more than a little stack; time and memory grow with its length.
public struct STIXPattern: Sendable, Hashable {
    /// How deep brackets may be nested.
    public static let depthLimit = 64

    /// What has to be observed.
    public let root: Observation

    /// Reads a pattern.
    public init(_ text: some StringProtocol) throws(STIXPatternError) {
        var parser = STIXPatternParser(Array(text.utf8))
        root = try parser.pattern()
    }

    /// What has to be observed: comparisons in square brackets and how they belong together.
    public indirect enum Observation: Sendable, Hashable {
        /// `[…]`: one observation that fulfils the comparison.
        case one(Comparison)
        /// Joined by AND: all of them, each in an observation of its own.
        case all([Observation])
        /// Joined by OR: one of them.
        case any([Observation])
        /// Joined by FOLLOWEDBY: all of them, one after the other.
        case sequence([Observation])
        /// How often or when, each kind at most once.
        case qualified(Observation, [Qualifier])
    }

    /// What one observation has to fulfil.
    public indirect enum Comparison: Sendable, Hashable {
        /// One test of one property.
        case test(Test)
        /// Joined by AND.
        case all([Comparison])
        /// Joined by OR.
        case any([Comparison])
    }

    /// How often or when something has to be observed.
    public enum Qualifier: Sendable, Hashable {
        /// `REPEATS n TIMES`
        case repeats(Int)
        /// `WITHIN n SECONDS`
        case within(seconds: Double)
        /// `START t'…' STOP t'…'`, the times as they are written (RFC 3339 in UTC).
        case between(start: String, stop: String)

        /// The keyword it begins with.
        public var keyword: String {
            switch self {
            case .repeats: "REPEATS"
            case .within: "WITHIN"
            case .between: "START"
            }
        }
    }

    /// The test of one property.
    public struct Test: Sendable, Hashable {
        /// Which property.
        public var path: Path
        /// How it is compared.
        public var comparator: Comparator
        /// Whether NOT stands before the comparator.
        public var isNegated: Bool
        /// What it is compared with: one value, with IN any number, with EXISTS none.
        public var values: [Value]

        /// Makes a test.
        public init(path: Path, comparator: Comparator, isNegated: Bool = false, values: [Value]) {
            self.path = path
            self.comparator = comparator
            self.isNegated = isNegated
            self.values = values
        }

        /// The value that the property must have, or the network it must be in; nil where the test does not say that.
        public var wanted: Value? {
            guard values.count == 1 else { return nil }
            switch comparator {
            case .equal, .oneOf, .isSubset: return isNegated ? nil : values[0]
            case .notEqual: return isNegated ? values[0] : nil
            default: return nil
            }
        }
    }

    /// How a property is compared.
    public enum Comparator: String, Sendable, Hashable {
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case oneOf = "IN"
        case like = "LIKE"
        case matches = "MATCHES"
        case isSubset = "ISSUBSET"
        case isSuperset = "ISSUPERSET"
        case exists = "EXISTS"
    }

    /// The way to a property: `file:hashes.'SHA-256'`.
    public struct Path: Sendable, Hashable, CustomStringConvertible {
        /// The type of the object, `file`.
        public var type: String
        /// The steps below it.
        public var steps: [Step]

        /// A step to a property or into a list.
        public enum Step: Sendable, Hashable {
            /// A property by its name, without quotes.
            case property(String)
            /// The item of that place of a list, from 0.
            case item(Int)
            /// Any item of a list, `[*]`.
            case anyItem
        }

        /// Makes a path.
        public init(type: String, steps: [Step]) {
            self.type = type
            self.steps = steps
        }

        /// Type and properties without the places in lists and without quotes: `network-traffic:protocols`.
        public var description: String {
            var text = type
            var separator = ":"
            for case .property(let name) in steps {
                text += separator + name
                separator = "."
            }
            return text
        }
    }

    /// What a property is compared with.
    public enum Value: Sendable, Hashable {
        /// A text, escapes resolved.
        case text(String)
        /// A whole number of any size, as it is written, without a plus sign.
        case integer(String)
        /// A number with a fraction, as it is written, without a plus sign.
        case float(String)
        /// `true` or `false`.
        case boolean(Bool)
        /// `t'…'`: the time as it is written.
        case time(String)
        /// `h'…'`: the digits.
        case hex(String)
        /// `b'…'`: the base64.
        case base64(String)

        /// The value as plain text.
        public var plain: String {
            switch self {
            case .text(let text), .integer(let text), .float(let text), .time(let text), .hex(let text), .base64(let text): text
            case .boolean(let value): value ? "true" : "false"
            }
        }
    }
}
