import Foundation
import Testing

@testable import IDF

/// Compares the value types with recorded calls of IntelMQ 3.5, where such recordings are at hand.
///
/// They lie in the folder that INTELMQ_VECTORS names, or in `../shared/vectors` beside the package. Every case that disagrees
/// must belong to a class of `Difference.all`, the list that docs/differences.md explains.
@Suite struct HarmonizationVectorTests {
    @Test(.enabled(if: Vectors.folder != nil, "skipped, no vectors: set INTELMQ_VECTORS to their folder"))
    func agreesWithRecordings() throws {
        let cases = try Vectors.load()
        let fromClock = Set(cases.filter(\.usesClock).map(\.text))
        var compared = 0
        var agreed = 0
        var explained: [String: Int] = [:]
        for item in cases {
            guard let type = Vectors.types[item.type] else { continue }
            guard let wanted = item.wanted else { continue }
            compared += 1
            let found = sanitised(type, item.text)
            if wanted.accepts(found) {
                agreed += 1
            } else if let difference = Difference.all.first(where: { $0.covers(item, type, found, fromClock) }) {
                explained[difference.name, default: 0] += 1
            } else {
                Issue.record(
                    "\(item.type) \(item.method) \(item.text.debugDescription): found \(found ?? "refused"), recorded \(wanted)")
            }
        }
        print("\(compared) recorded calls, \(agreed) agree; explained differences:")
        for (name, count) in explained.sorted(by: { $0.key < $1.key }) { print("  \(count)\t\(name)") }
        #expect(compared > 1000)
        #expect(agreed * 100 > compared * 95)
    }

    @Test(.enabled(if: Vectors.folder != nil, "skipped, no vectors: set INTELMQ_VECTORS to their folder"))
    func convertsTimesAsRecorded() throws {
        var compared = 0
        for item in try Vectors.calls() {
            guard item["type"] as? String == "DateTime", let method = item["method"] as? String, let args = item["args"] as? [Any]
            else { continue }
            guard let text = args.first.flatMap(Vectors.numberText) else { continue }
            let recorded = item["expected"] as? String
            let format =
                (item["kwargs"] as? [String: Any])?["format"] as? String ?? (args.count > 1 ? args[1] as? String : nil) ?? ""
            let found: Timestamp? = Array(text.utf8).withUnsafeBufferPointer { view in
                switch method {
                case "from_epoch_millis": Timestamp.epochMillis(view)
                case "from_timestamp": Timestamp.unixSeconds(view)
                case "from_windows_nt": Timestamp.windowsNT(view)
                case "from_format": Timestamp.parse(view, format: format)
                case "from_format_midnight": Timestamp.parse(view, format: format, atMidnight: true)
                default: nil
                }
            }
            guard method.hasPrefix("from_format") || ["from_epoch_millis", "from_timestamp", "from_windows_nt"].contains(method)
            else { continue }
            // No numbers here with underscores or foreign digits; exponents and years before 1677 are no times of ours.
            if recorded != nil, found == nil,
                text.contains(where: { !"0123456789.+- ".contains($0) }) && !method.hasPrefix("from_format")
            {
                continue
            }
            if let recorded, found == nil, recorded < "1677-09-22" { continue }
            if found == nil, method == "from_windows_nt", text.contains(".") { continue }
            compared += 1
            guard let recorded else {
                #expect(found == nil, "\(method) \(args)")
                continue
            }
            // IntelMQ computes file times in floating point, a microsecond off at times.
            let wanted = try #require(Array(recorded.utf8).withUnsafeBufferPointer { Timestamp($0) })
            let distance = found.map { abs($0.nanoseconds - wanted.nanoseconds) }
            #expect(
                distance.map { $0 <= 1000 } == true,
                "\(method) \(args): found \(found?.description ?? "nil"), recorded \(recorded)")
        }
        #expect(compared > 100)
    }
}

/// One class of cases in which this project means to differ; docs/differences.md says more.
private struct Difference: Sendable {
    let name: String
    let covers: @Sendable (Vectors.Case, FieldType, String?, Set<String>) -> Bool

    init(_ name: String, _ covers: @escaping @Sendable (Vectors.Case, FieldType, String?, Set<String>) -> Bool) {
        self.name = name
        self.covers = covers
    }

    static let all: [Difference] = [
        Difference("TLP 2.0 (CLEAR, AMBER+STRICT) is accepted") { item, type, found, _ in
            type == .tlp && (found == "\"CLEAR\"" || found == "\"AMBER+STRICT\"")
        },
        Difference("names with blanks or control characters are refused") { item, type, found, _ in
            type == .domain && found == nil && item.text.unicodeScalars.contains { $0.value <= 0x20 || $0.value == 0x7F }
        },
        Difference("0.0.0.0 is an address, so it is no name") { item, type, found, _ in
            type == .domain && found == nil && item.text == "0.0.0.0"
        },
        Difference("infinities and not-a-number are no numbers: JSON cannot say them") { item, type, found, _ in
            type.jsonKind == .number && found == nil && ["nan", "inf", "-inf", "1e400"].contains(item.text)
        },
        Difference("digits are ASCII, without underscores (Python reads both)") { item, type, found, _ in
            type.jsonKind == .number && found == nil && (item.text.contains("_") || item.text.utf8.contains { $0 >= 0x80 })
        },
        Difference("integers have 64 bits") { item, type, found, _ in
            type == .integer && found == nil && item.text.count > 18
        },
        Difference("a time names year, month and day; IntelMQ takes what is missing from today") { item, type, found, clock in
            type == .time && found == nil && (clock.contains(item.text) || Difference.dateParts(item.text) < 3)
        },
        Difference("known names of zones count, and GMT+2 is two hours ahead of UTC") { item, type, found, _ in
            type == .time && found != nil && ["CET", "EST", "GMT+2"].contains { item.text.hasSuffix($0) }
        },
        Difference("networks lose the zone of an interface") { item, type, found, _ in
            type == .network && found != nil && item.text.contains("%")
        },
        Difference("base64 is base64 already: IntelMQ's sanitising encodes any text") { item, type, _, _ in
            type == .base64
        },
        Difference("only RFC 8259 is JSON: NaN makes a text a string") { item, type, found, _ in
            type == .json && found != nil
                && (item.text.contains("NaN") || item.text.contains("1e400") || ["nan", "inf", "-inf"].contains(item.text))
        },
        Difference("text of nothing but blanks is empty, and empty text is no value") { item, _, found, _ in
            // Foundation drops a byte order mark at the start of a string, so that such a case arrives here as empty, too.
            found == nil && item.text.allSatisfy(\.isWhitespace)
        },
    ]

    /// How many parts of a date a text can hold: numbers (one of eight digits or more holds three) and names of months.
    private static func dateParts(_ text: String) -> Int {
        let numbers = text.split { !$0.isNumber }.map { $0.count >= 6 ? 3 : 1 }.reduce(0, +)
        let clocks = text.contains(":") ? 2 : 0
        return numbers - clocks + (text.contains("May") || text.contains("Jan") ? 1 : 0)
    }
}

private enum Vectors {
    struct Case {
        var type: String
        var method: String
        var text: String
        /// Without sanitising.
        var isPlain: Bool
        var usesClock: Bool
        var wanted: Wanted?
    }

    enum Wanted {
        case refused
        case valid
        case string(String)
        case number(Double)
        case boolean(Bool)
        case time(Timestamp?, String)
        /// Sanitising made this, but nobody recorded whether it is valid.
        case stringIfValid(String)
        case json(String)

        func accepts(_ found: String?) -> Bool {
            switch self {
            case .refused: return found == nil
            case .valid: return found != nil
            case .string(let text): return found.flatMap(Vectors.unquoted) == text
            case .number(let number): return found.flatMap(Double.init) == number
            case .boolean(let value): return found == String(value)
            case .stringIfValid(let text): return found == nil || found.flatMap(Vectors.unquoted) == text
            case .time(let time, let text):
                guard let found = found.flatMap(Vectors.unquoted) else { return false }
                guard let time else { return found.dropLast() == text.dropLast(6) }
                return Array(found.utf8).withUnsafeBufferPointer { Timestamp($0) } == time
            case .json(let text):
                guard let found else { return false }
                return Vectors.value(found) == Vectors.value(text)
            }
        }
    }

    static let types: [String: FieldType] = [
        "GenericType": .text, "String": .keyword, "LowercaseString": .lowercase, "UppercaseString": .uppercase, "Base64": .base64,
        "Boolean": .boolean, "Integer": .integer, "Float": .float, "Accuracy": .accuracy, "ASN": .asn, "IPAddress": .ip,
        "IPNetwork": .network,
        "FQDN": .domain, "URL": .url, "DateTime": .time, "ClassificationTaxonomy": .taxonomy,
        "ClassificationType": .classification,
        "Registry": .registry, "TLP": .tlp, "JSON": .json,
    ]

    static let folder = recordedRuns(with: "harmonization.json")

    static func calls() throws -> [[String: Any]] {
        let folder = try #require(folder)
        return try ["harmonization", "harmonization-observed", "harmonization-systematic"].flatMap { name in
            let data = try Data(contentsOf: folder.appendingPathComponent(name + ".json"))
            return try #require(JSONSerialization.jsonObject(with: data) as? [[String: Any]])
        }
    }

    /// The cases with one text as argument; what Python makes of other objects is not asked here.
    static func load() throws -> [Case] {
        let calls = try calls()
        var isValid: [String: Bool] = [:]
        for call in calls where call["method"] as? String == "is_valid" {
            guard let (type, text) = key(call), let value = call["expected"] as? Bool else { continue }
            if (call["kwargs"] as? [String: Bool])?["sanitize"] == true { isValid[type + "\u{1F}" + text] = value }
        }
        return calls.compactMap { call in
            guard let (type, text) = key(call), let method = call["method"] as? String else { return nil }
            let isPlain = method == "is_valid" && (call["kwargs"] as? [String: Bool])?["sanitize"] != true
            var item = Case(type: type, method: method, text: text, isPlain: isPlain, usesClock: call["clock"] as? Bool == true)
            switch method {
            case "is_valid":
                let expected = call["expected"] as? Bool
                // What is not valid as it stands may be so after sanitising.
                item.wanted = expected == true ? .valid : isPlain || expected == nil ? nil : .refused
            case "sanitize":
                let expected = call["expected"]
                if call["raises"] != nil || expected == nil || expected is NSNull {
                    item.wanted = .refused
                } else if isValid[type + "\u{1F}" + text] == false {
                    item.wanted = .refused
                } else {
                    item.wanted = wanted(type, expected, isKnownValid: isValid[type + "\u{1F}" + text] == true)
                }
            default: break
            }
            return item
        }
    }

    private static func key(_ call: [String: Any]) -> (String, String)? {
        guard let type = call["type"] as? String, let args = call["args"] as? [Any], args.count == 1,
            let text = args[0] as? String
        else { return nil }
        return (type, text)
    }

    private static func wanted(_ type: String, _ expected: Any?, isKnownValid: Bool) -> Wanted? {
        switch (type, expected) {
        case ("Boolean", let value as Bool): return .boolean(value)
        case ("JSON", let text as String): return .json(text)
        case ("DateTime", let text as String): return .time(Array(text.utf8).withUnsafeBufferPointer { Timestamp($0) }, text)
        case (_, let text as String): return isKnownValid ? .string(text) : .stringIfValid(text)
        case (_, let float as [String: String]): return .number(float["$float"].flatMap(Double.init) ?? .nan)
        case (_, let number as NSNumber): return .number(number.doubleValue)
        default: return nil
        }
    }

    static func numberText(_ value: Any) -> String? {
        if let text = value as? String { return text }
        guard let number = value as? NSNumber, String(cString: number.objCType) != "c" else { return nil }
        return number.stringValue
    }

    static func value(_ json: String) -> NSObject? {
        (try? JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed)) as? NSObject
    }

    static func unquoted(_ json: String) -> String? { value(json) as? String }
}
