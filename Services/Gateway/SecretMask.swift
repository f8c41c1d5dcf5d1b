import IDF
import ServiceKernel
import YAML

/// Secrets of a graph's document: masked on the way out, put back on the way in.
struct SecretMask {
    static let mask = "***"
    private typealias Place = (path: [String], node: YAMLNode)

    private let document: YAMLDocument
    /// The text, without a byte order mark, and where its lines begin.
    private let scalars: [Unicode.Scalar]
    private let lines: [Int]
    private let roster: Roster

    init(_ text: [UInt8], roster: Roster) throws(YAMLError) {
        self.roster = roster
        document = try YAMLDocument.parse(text, file: "the document")
        let bytes = text.starts(with: [0xEF, 0xBB, 0xBF]) ? text.dropFirst(3) : text[...]
        scalars = Array(String(decoding: bytes, as: UTF8.self).unicodeScalars)
        var lines = [0]
        for (index, scalar) in scalars.enumerated() {
            let isBreak = ["\n", "\u{85}", "\u{2028}", "\u{2029}"].contains(scalar)
            let isReturn = scalar == "\r" && (index + 1 == scalars.count || scalars[index + 1] != "\n")
            if isBreak || isReturn { lines.append(index + 1) }
        }
        self.lines = lines
    }

    /// The document as JSON.
    var json: JSONValue { Self.json(document.root) }

    /// The text with every secret as `***`; nil where one cannot be found in it.
    var masked: [UInt8]? {
        // Plain, it would be an alias.
        let text = replacing(secrets.map { ($0.node, "\"\(Self.mask)\"") })
        // What was left would be shown.
        guard let again = try? SecretMask(text, roster: roster) else { return nil }
        let isHidden = Set(secrets.map { $0.path }).allSatisfy { path in
            again.all.first { $0.path == path }?.node.string == Self.mask
        }
        return isHidden && again.secrets.allSatisfy { $0.node.string == Self.mask } ? text : nil
    }

    /// The text with secrets that are masked as they stand in another document at the same places.
    func unmasked(by old: SecretMask?) throws(Problems) -> [UInt8] {
        let known = old?.secrets ?? []
        var changes: [(YAMLNode, String)] = []
        var problems: [Problem] = []
        let own = Set(secrets.map(\.path))
        for place in all where place.node.string == Self.mask {
            if let secret = known.first(where: { $0.path == place.path }), case .scalar(let text, let plain) = secret.node.content
            {
                let isSimple = text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
                changes.append(
                    (place.node, plain && isSimple ? text : String(decoding: JSONValue.string(text).bytes, as: UTF8.self)))
            } else if own.contains(place.path) || place.path.dropFirst(2).starts(with: ["post", "x-intelmq-worker", "settings"]) {
                problems.append(
                    Problem(
                        422, "masked-secret",
                        "\(place.path.joined(separator: ".")) is *** and no generation in force has a secret there: give it",
                        line: place.node.mark.line, column: place.node.mark.column))
            }
        }
        guard problems.isEmpty else { throw Problems(problems) }
        return replacing(changes)
    }

    // MARK: places

    /// All scalars with the names and numbers that lead to them.
    private var all: [Place] {
        var found: [Place] = []
        func walk(_ node: YAMLNode, _ path: [String]) {
            if let pairs = node.pairs { for (key, value) in pairs { walk(value, path + [key.string ?? ""]) } }
            if let items = node.array { for (index, item) in items.enumerated() { walk(item, path + ["\(index)"]) } }
            if case .scalar = node.content { found.append((path, node)) }
        }
        walk(document.root, [])
        return found
    }

    /// Those that are secrets: settings of that kind, and URLs with a password or a key in them.
    private var secrets: [Place] {
        var names: [String: Set<String>] = [:]
        for (path, item) in document.root["paths"]?.pairs ?? [] {
            let uses = item["post"]?["x-intelmq-worker"]?["uses"]?.string ?? ""
            names[path.string ?? ""] = roster.worker(named: uses).map { NamedSetting.secrets(of: $0) } ?? []
        }
        return all.filter { path, node in
            let text = node.string ?? ""
            if text.contains("://"), withoutSecrets(text) != text { return true }
            guard path.count > 5, path[0] == "paths", Array(path[2...4]) == ["post", "x-intelmq-worker", "settings"] else {
                return false
            }
            return names[path[1]]?.contains(path[5]) == true
        }
    }

    // MARK: text

    private func offset(_ mark: YAMLMark) -> Int {
        min(scalars.count, lines[min(max(0, mark.line - 1), lines.count - 1)] + mark.column - 1)
    }

    private func replacing(_ changes: [(node: YAMLNode, text: String)]) -> [UInt8] {
        var text = String.UnicodeScalarView()
        var place = 0
        for change in changes.sorted(by: { offset($0.node.mark) < offset($1.node.mark) }) {
            let (start, end) = (offset(change.node.mark), offset(change.node.endMark))
            guard start >= place, end >= start else { continue }
            text.append(contentsOf: scalars[place..<start])
            text.append(contentsOf: change.text.unicodeScalars)
            // A block of lines ends where the next line begins.
            if end > start, scalars[end - 1] == "\n" { text.append("\n") }
            place = end
        }
        text.append(contentsOf: scalars[place...])
        return Array(String(text).utf8)
    }

    private static func json(_ node: YAMLNode) -> JSONValue {
        if let pairs = node.pairs { return .object(pairs.map { .init($0.key.string ?? "", json($0.value)) }) }
        if let items = node.array { return .array(items.map(json)) }
        if node.isNull { return .null }
        if let value = node.bool { return .boolean(value) }
        if let value = node.int { return .integer(value) }
        if let value = node.double, value.isFinite { return .number("\(value)") }
        return .string(node.string ?? "")
    }
}
