import CPCRE2
import Glibc
import IDF

/// One question about one value, ready to be asked.
enum Check: Sendable {
    case exists
    case text(Comparison, [UInt8])
    case texts(TextSet)
    case contains([UInt8])
    case startsWith([UInt8])
    case endsWith([UInt8])
    case pattern(Pattern)
    case number(Comparison, Number)
    case numbers([ClosedNumbers])
    /// The other answer for `!=`.
    case addresses(AddressSet, isNegated: Bool)
    /// The digits of a time in canonical form, without the zone: the values of time fields are compared as they stand.
    case time(Comparison, [UInt8])
    case moment(Comparison, Moment)

    enum Moment: Sendable {
        case fixed(Timestamp)
        /// Nanoseconds.
        case sinceNow(Int64)
    }

    init(_ relation: Relation, _ subject: Subject) {
        let isCustom = if case .custom = subject { true } else { false }
        switch relation {
        case .exists: self = .exists
        case .text(.contains, let text): self = .contains(Array(text.utf8))
        case .text(.startsWith, let text): self = .startsWith(Array(text.utf8))
        case .text(.endsWith, let text): self = .endsWith(Array(text.utf8))
        case .matches(let pattern): self = .pattern(pattern)
        case .among(let literals): self = Check(among: literals)
        case .compare(let comparison, let literal):
            switch literal {
            case .text(let text): self = .text(comparison, Array(text.utf8))
            case .boolean(let value): self = .text(comparison, Array((value ? "true" : "false").utf8))
            case .number(let number): self = .number(comparison, number)
            case .range(let low, let high): self = .numbers([ClosedNumbers(low: low, high: high)])
            case .address(let address): self = .addresses(AddressSet([.address(address)]), isNegated: comparison == .unequal)
            case .network(let network): self = .text(comparison, Array(network.description.utf8))
            case .now(let seconds): self = .moment(comparison, .sinceNow(seconds * 1_000_000_000))
            case .time(let time):
                // Members of custom are written in any way.
                if isCustom, let moment = Timestamp(field: time) {
                    self = .moment(comparison, .fixed(moment))
                } else {
                    self = .time(comparison, Array(time.utf8.dropLast()))
                }
            }
        }
    }

    private init(among literals: [Literal]) {
        switch literals.first {
        case .number, .range:
            self = .numbers(
                literals.compactMap {
                    switch $0 {
                    case .number(let number): ClosedNumbers(low: number, high: number)
                    case .range(let low, let high): ClosedNumbers(low: low, high: high)
                    default: nil
                    }
                })
        case .address, .network: self = .addresses(AddressSet(literals), isNegated: false)
        default: self = .texts(TextSet(literals.map { if case .text(let text) = $0 { Array(text.utf8) } else { [] } }))
        }
    }

    /// The answer for a value; nil is an object, which has no text.
    @inline(__always)
    func holds(for value: ByteView?, _ now: Timestamp) -> Bool {
        guard let value else { if case .exists = self { return true } else { return false } }
        switch self {
        case .exists: return true
        case .text(let comparison, let text): return comparison.holds(isLess: false, isSame: value.isSame(as: text))
        case .texts(let texts): return texts.contains(value)
        case .contains(let text):
            guard let start = value.baseAddress, value.count >= text.count else { return false }
            return memmem(start, value.count, text, text.count) != nil
        case .startsWith(let text): return value.has(text, at: 0)
        case .endsWith(let text): return value.has(text, at: value.count - text.count)
        case .pattern(let pattern): return pattern.isFound(in: value)
        case .number(let comparison, let number):
            guard let value = Number(value) else { return false }
            return comparison.holds(isLess: value < number, isSame: !(value < number) && !(number < value))
        case .numbers(let ranges):
            guard let value = Number(value) else { return false }
            return ranges.contains { !(value < $0.low) && !($0.high < value) }
        case .addresses(let addresses, let isNegated):
            guard let network = IPNetwork(value) else { return false }
            return addresses.contains(network) != isNegated
        case .time(let comparison, let time):
            // Of two fractions the shorter is a prefix, or the digits decide.
            let order = value.dropLast().order(to: time)
            return comparison.holds(isLess: order < 0, isSame: order == 0)
        case .moment(let comparison, let wanted):
            guard let value = Moment.read(value) else { return false }
            let other = wanted.nanoseconds(now)
            return comparison.holds(isLess: value < other, isSame: value == other)
        }
    }
}

/// Numbers from one to another, both included.
struct ClosedNumbers: Sendable {
    var low: Number
    var high: Number
}

extension Check.Moment {
    fileprivate func nanoseconds(_ now: Timestamp) -> Int64 {
        switch self {
        case .fixed(let time): return time.nanoseconds
        case .sinceNow(let distance):
            let (sum, isOver) = now.nanoseconds.addingReportingOverflow(distance)
            return isOver ? (distance < 0 ? .min : .max) : sum
        }
    }

    /// The time in nanoseconds since 1970; of one out of their range the nearest they have, since "never" is written as
    /// 9999-12-31.
    fileprivate static func read(_ text: ByteView) -> Int64? {
        if let time = Timestamp(text) { return time.nanoseconds }
        var json: [UInt8] = []
        guard text.count <= 64, FieldType.time.sanitise(text, into: &json), json.count > 5 else { return nil }
        return json[1] < UInt8(ascii: "2") ? .min : .max
    }
}

extension Timestamp {
    init?(field text: String) {
        guard let time = text.withBytes({ Timestamp($0) }) else { return nil }
        self = time
    }
}

extension Slice<ByteView> {
    /// Below zero when these bytes come before the others, above when behind.
    @inline(__always)
    fileprivate func order(to other: [UInt8]) -> Int {
        let mine = ByteView(rebasing: self)
        guard let start = mine.baseAddress else { return other.isEmpty ? 0 : -1 }
        let order = memcmp(start, other, Swift.min(mine.count, other.count))
        return order == 0 ? mine.count - other.count : Int(order)
    }
}

extension UnsafeBufferPointer<UInt8> {
    @inline(__always)
    func isSame(as text: [UInt8]) -> Bool { count == text.count && has(text, at: 0) }

    /// Whether the bytes stand at that place.
    @inline(__always)
    func has(_ text: [UInt8], at place: Int) -> Bool {
        guard place >= 0, count - place >= text.count else { return false }
        guard let start = baseAddress else { return text.isEmpty }
        return memcmp(start + place, text, text.count) == 0
    }
}
