import Foundation
import IDF

/// What of a case differs on purpose: the rows of `docs/differences.md`, as rules. A difference that no rule explains is a defect; a
/// rule whose row is not in the list explains nothing.
struct Listed {
    let vector: VectorCase
    /// What our worker said of the input.
    let notes: [String]

    private static let rows: Set<String> = {
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../docs/differences.md")
        let lines = (try? String(contentsOf: source, encoding: .utf8))?.split(separator: "\n") ?? []
        return Set(lines.filter { $0.hasPrefix("| ") }.map { $0.components(separatedBy: " | ")[0].dropFirst(2) }.map(String.init))
    }()

    /// The rows that explain all differences of the messages; nil if something is left.
    func rows(theirs: [JSONValue], ours: [JSONValue]) -> Set<String>? {
        var (rows, lonely, rest): (Set<String>, [JSONValue], [JSONValue]) = ([], [], ours)
        // What agrees belongs together, whatever else would be explained, too.
        for message in theirs {
            if let at = rest.firstIndex(where: { fields(message, $0).isEmpty }) {
                rest.remove(at: at)
            } else {
                lonely.append(message)
            }
        }
        for message in lonely {
            if let at = rest.firstIndex(where: { explained(message, $0) != nil }) {
                rows.formUnion(explained(message, rest.remove(at: at)) ?? [])
            } else {
                guard let row = row(onlyTheirs: message, ours) else { return nil }
                rows.insert(row)
            }
        }
        if !rest.isEmpty {
            guard let row = rowOfOursAlone else { return nil }
            rows.insert(row)
        }
        return rows.isSubset(of: Self.rows) ? rows : nil
    }

    private func fields(_ theirs: JSONValue, _ ours: JSONValue) -> [(name: String, theirs: JSONValue?, ours: JSONValue?)] {
        // Collectors make the time.
        Comparison.fields(theirs, ours, isOf(".parsers.")).filter { !isOf(".collectors.") || $0.name != "time.observation" }
    }

    private func explained(_ theirs: JSONValue, _ ours: JSONValue) -> Set<String>? {
        var found: Set<String> = []
        for field in fields(theirs, ours) {
            guard let row = row(field.name, field.theirs, field.ours) else { return nil }
            found.insert(row)
        }
        return found
    }

    private func row(_ name: String, _ theirs: JSONValue?, _ ours: JSONValue?) -> String? {
        if name == "raw", isOf(".parsers.") { return "`raw` of rows (`event.original`)" }
        let otx = "`extra.time_updated`, empty texts and lists in `extra` (OTX)"
        if isOf("otx"), name.hasPrefix("extra.") {
            if ours == nil, theirs?.string == "" { return otx }
            if theirs == nil, ours?.items?.isEmpty == true { return otx }
        }
        if isOf("collector_http"), name == "extra.file_name", theirs == nil { return "`extra.file_name` of a download" }
        guard let theirs = theirs?.string, let ours = ours?.string else { return nil }
        if isOf("otx"), name == "extra.time_updated", let cut = Comparison.time(theirs), let whole = Comparison.time(ours) {
            let lost = whole.nanoseconds - cut.nanoseconds
            return (0..<10_000_000).contains(lost) ? otx : nil
        }
        // 20:15:44 is read as 20:1.
        if isOf("otx"), name == "time.source",
            theirs.prefix(19) == ours.prefix(14) + "0" + ours.dropFirst(14).prefix(1) + ":00"
        {
            return "Times of OTX without a fraction of a second"
        }
        if name == "time.source", theirs.prefix(4) == (vector.content["recorded_at"]?.string ?? "").prefix(4),
            theirs.dropFirst(4).prefix(15) == ours.dropFirst(4).prefix(15)
        {
            return "Months and days without a year (CSV, HTML tables, names and values)"
        }
        guard name.hasSuffix(".url") else { return nil }
        if isOf("ioc_extractor", "twitter"), theirs == ours.lowercased() {
            return "URLs in free text (`ioc_extractor`, `twitter`)"
        }
        let isPut = isOf("shadowserver") && theirs.count > ours.count && theirs.hasSuffix(ours.drop { $0 != "/" })
        return isPut ? "URL column that holds a whole URL (`malware_url`, `sandbox_url`)" : nil
    }

    /// A message that only IntelMQ gives.
    private func row(onlyTheirs message: JSONValue, _ ours: [JSONValue]) -> String? {
        if hasOpenQuote, (message.members ?? []).contains(where: { $0.value.string?.contains("\n") == true }) {
            return Self.openQuote
        }
        if notes.contains(where: { $0.contains("wanted degrees") }) { return "Latitude, longitude" }
        guard isOf("n6") else { return nil }
        let address: Set = ["source.ip", "source.asn", "source.geolocation.cc"]
        let isBare = ours.contains { one in
            fields(message, one).allSatisfy { $0.theirs == nil && address.contains($0.name) }
        }
        return isBare ? "n6 events with addresses (`n6-stomp`)" : nil
    }

    /// Why messages come from us that IntelMQ has not given.
    private var rowOfOursAlone: String? {
        if hasOpenQuote { return Self.openQuote }
        let failures = ["dumped", "log"].flatMap { vector.content[$0]?.items ?? [] }.compactMap { $0["exception"]?.string }
        if isOf("json"), failures.contains(where: { $0.contains("KeyExists: key 'raw'") }) {
            return "Events with a `raw` of their own in a list (JSON)"
        }
        if isOf("csv"), failures.contains(where: { $0.contains("KeyExists") }) {
            return "Alternatives `a\\|b` where `a` has a value from another column"
        }
        if failures.contains(where: { $0.contains("invalid key 'extra.") }) { return "Members of `extra`" }
        let begin = Base64.decode((vector.input.first?["raw"]?.string ?? "").utf8)?.prefix(3)
        return begin == [0xEF, 0xBB, 0xBF] ? "Byte order mark at the begin" : nil
    }

    private func isOf(_ bots: String...) -> Bool { bots.contains { vector.bot.contains($0) } }

    private var hasOpenQuote: Bool { notes.contains { $0.contains("a quoted cell is not closed") } }
    private static let openQuote = "A quote that is never closed (CSV)"
}
