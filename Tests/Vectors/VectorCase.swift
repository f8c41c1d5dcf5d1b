import Foundation
import IDF

/// One recorded run of a bot.
struct VectorCase {
    let name: String
    let root: String
    let content: JSONValue
    /// Where its `tmp/…` are, and the server that plays its HTTP exchanges.
    var folder = ""
    var server: String?

    var bot: String { content["bot"]?.string ?? "" }
    var parameters: [JSONValue.Member] { content["parameters"]?.members ?? [] }
    var input: [JSONValue] { content["input"]?.items ?? [] }
    /// What went to the usual path, in order.
    var output: [JSONValue] { content["output"]?["_default"]?.items ?? [] }
    /// Whether the bot refused to start.
    var failsToStart: Bool {
        guard let error = content["init_error"] else {
            return content["log"]?.items?.contains { $0["message"]?.string == "Bot initialization failed." } ?? false
        }
        return error != .null
    }

    init?(path: String, root: String) {
        guard let data = FileManager.default.contents(atPath: path), let content = try? JSONValue(parsing: Array(data)),
            content["bot"] != nil
        else {
            return nil
        }
        self.content = content
        self.root = root
        name = path.replacingOccurrences(of: root + "/", with: "")
    }

    static func files(below folder: String) -> [String] {
        guard let all = FileManager.default.enumerator(atPath: folder) else { return [] }
        return all.compactMap { $0 as? String }.filter { $0.hasSuffix(".json") }.sorted().map { folder + "/" + $0 }
    }

    subscript(parameter: String) -> JSONValue? { parameters.first { $0.name == parameter && $0.value != .null }?.value }

    /// A parameter that names a file of the recording.
    func path(_ parameter: String) -> String? {
        self[parameter]?.string.map {
            $0.hasPrefix("data/") ? root + "/" + $0 : $0.hasPrefix("tmp/") ? folder + "/" + $0 : $0
        }
    }

    /// The files named by a member of the recording.
    func files(_ member: String) -> [(name: String, content: [UInt8])] {
        (content[member]?.members ?? []).map { ($0.name, Self.bytes($0.value)) }
    }

    /// A text of the recording, or bytes in base64.
    static func bytes(_ value: JSONValue?) -> [UInt8] {
        if let encoded = value?["$bytes"]?.string { return Base64.decode(encoded.utf8) ?? [] }
        return Array((value?.string ?? "").utf8)
    }
}

/// What running a case gave.
enum Outcome {
    case agrees
    /// Differs only in what these rows of the list of differences name.
    case listed([String])
    case differs([String])
    case skipped(String)
}

/// Counts of one bot.
struct Tally {
    var cases = 0
    var agreeing = 0
    var listed: [String: Int] = [:]
    var listedCases = 0
    var skipped = 0
    var differences: [String] = []
    var differing = 0
    var reasons: [String: Int] = [:]

    mutating func add(_ outcome: Outcome, _ vector: VectorCase) {
        cases += 1
        switch outcome {
        case .agrees: agreeing += 1
        case .listed(let rows):
            listedCases += 1
            for row in rows { listed[row, default: 0] += 1 }
        case .skipped(let reason):
            skipped += 1
            reasons[reason, default: 0] += 1
        case .differs(let texts):
            differing += 1
            differences.append(vector.name + "\n" + texts.prefix(6).map { "    " + $0 }.joined(separator: "\n"))
        }
    }

    mutating func merge(_ other: Tally) {
        cases += other.cases
        agreeing += other.agreeing
        listedCases += other.listedCases
        listed.merge(other.listed) { $0 + $1 }
        skipped += other.skipped
        differing += other.differing
        differences += other.differences
        reasons.merge(other.reasons) { $0 + $1 }
    }

    func line(_ name: String) -> String {
        let numbers = [cases, agreeing, listedCases, differing, skipped].map { String($0) }
        let widths = [6, 10, 8, 11, 9]
        return name.padding(toLength: 32, withPad: " ", startingAt: 0)
            + zip(numbers, widths).map { String(repeating: " ", count: max(0, $1 - $0.count)) + $0 }.joined()
    }
}
