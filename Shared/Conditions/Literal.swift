import IDF

/// A value written in a condition, in canonical form.
enum Literal: Equatable, Sendable {
    case text(String)
    case number(Number)
    /// Both ends belong to it.
    case range(Number, Number)
    case boolean(Bool)
    case address(IPAddress)
    case network(IPNetwork)
    /// RFC 3339 in UTC.
    case time(String)
    /// Seconds from the moment of asking.
    case now(Int64)

    static let units: [(name: String, seconds: Int64)] = [
        ("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("w", 604_800),
    ]

    /// A word that is a literal by its shape; nil for any other.
    init?(word: String) {
        if word == "true" || word == "false" {
            self = .boolean(word == "true")
        } else if let place = word.utf8.indices(ofDots: 2).first {
            guard let low = Number(word[..<place]), let high = Number(word[word.utf8.index(place, offsetBy: 2)...])
            else { return nil }
            self = .range(low, high)
        } else if let number = Number(word) {
            self = .number(number)
        } else if let address = IPAddress(word) {
            self = .address(address)
        } else if word.utf8.contains(UInt8(ascii: "/")), let network = word.withBytes({ IPNetwork($0) }) {
            self = .network(network)
        } else if word.utf8.count >= 10, word.utf8.prefix(5).last == UInt8(ascii: "-"), let time = Self.time(word) {
            self = time
        } else {
            return nil
        }
    }

    /// A time in canonical form; nil for a text that is none.
    static func time(_ text: String) -> Literal? {
        FieldType.time.canonical(text).map { .time($0) }
    }

    /// What it is, for messages.
    var kind: String {
        switch self {
        case .text: "text"
        case .number: "number"
        case .range: "range of numbers"
        case .boolean: "truth value"
        case .address: "address"
        case .network: "network"
        case .time, .now: "time"
        }
    }
}

/// A number: whole ones are exact, all others as precise as a double.
enum Number: Equatable, Sendable {
    case whole(Int64)
    case fraction(Double)

    /// Reads a decimal number as JSON has it, also with a plus or zeros in front.
    @inline(__always)
    init?(_ text: ByteView) {
        if let whole = Self.whole(text) {
            self = .whole(whole)
        } else {
            // Double would take "nan" and hexadecimal, too.
            guard text.allSatisfy({ $0 &- 0x30 < 10 || $0 == 0x2E || $0 == 0x2B || $0 == 0x2D || $0 | 0x20 == 0x65 }),
                let value = Double(field: text), value.isFinite
            else { return nil }
            self = value == value.rounded() && value.magnitude < 9_007_199_254_740_992 ? .whole(Int64(value)) : .fraction(value)
        }
    }

    @inline(__always)
    private static func whole(_ text: ByteView) -> Int64? {
        let isNegative = text.first == UInt8(ascii: "-")
        let start = isNegative ? 1 : 0
        guard text.count > start, text.count <= 20 else { return nil }
        var value: Int64 = 0
        for index in start..<text.count {
            let digit = text[index] &- 0x30
            guard digit < 10 else { return nil }
            let (times, isOver) = value.multipliedReportingOverflow(by: 10)
            // Downwards, because the lowest number has no positive counterpart.
            let (sum, isMore) = times.subtractingReportingOverflow(Int64(digit))
            if isOver || isMore { return nil }
            value = sum
        }
        return isNegative ? value : value == .min ? nil : -value
    }

    /// Reads a number as `init(_: ByteView)` does.
    init?(_ text: some StringProtocol) {
        guard let number = String(text).withBytes({ Number($0) }) else { return nil }
        self = number
    }

    private var double: Double {
        switch self {
        case .whole(let value): Double(value)
        case .fraction(let value): value
        }
    }

    static func < (left: Number, right: Number) -> Bool {
        if case .whole(let left) = left, case .whole(let right) = right { return left < right }
        return left.double < right.double
    }
}

extension Number: CustomStringConvertible {
    var description: String {
        switch self {
        case .whole(let value): String(value)
        case .fraction(let value): value.description
        }
    }
}

extension String {
    /// Lends the UTF-8 of the text.
    func withBytes<R>(_ body: (ByteView) -> R) -> R {
        var copy = self
        return copy.withUTF8(body)
    }
}

extension String.UTF8View {
    /// Where so many dots stand in a row.
    fileprivate func indices(ofDots count: Int) -> [Index] {
        indices.filter { self[$0...].prefix(count).elementsEqual(repeatElement(UInt8(ascii: "."), count: count)) }
    }
}

extension UInt8 {
    /// Letters, digits, `_` and `-`: what a name below `custom` may have without quotes.
    var isNameByte: Bool {
        self &- 0x30 < 10 || (self | 0x20) &- 0x61 < 26 || self == UInt8(ascii: "_") || self == UInt8(ascii: "-")
    }
}

extension FieldType {
    /// The text as values of this type have it, without quotes; nil when it can be no value of this type.
    func canonical(_ text: String) -> String? {
        var json: [UInt8] = []
        guard text.withBytes({ sanitise($0, into: &json) }) else { return nil }
        return (try? JSONValue(parsing: json))?.plain
    }
}
