import IDF
import Mapping
import PublicSuffix
import ServiceKernel

/// Finds URLs in what people write: posts, mails, notes.
struct IOCExtractorParser: Parser {
    static let spec = Spec(
        "ioc-extractor", "Finds URLs in free text, defanged ones too.",
        writes: [Key<String>("url.full"), Key<String>.classificationType])

    @Setting("Texts to replace before, longest first: {\" .net\": .net, \",\": .}.") var substitutions: [String: String] = [:]
    @Setting("Domains that say nothing, with all names below them.") var domainWhitelist = ["t.co"]
    @Setting("Scheme of URLs that are written without one.") var defaultScheme = "http"
    @Setting("Classification type of the events.") var type = "blacklist"

    /// A text so long is kept by its lines, not as a whole with each URL in it.
    private static let shortText = 10_000

    mutating func prepare(_ context: WorkerContext) throws(Rejection) {
        guard ClassificationType(type) != nil else {
            throw .malformed("setting \"type\": \"\(type)\" is no classification type")
        }
    }

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        let order = substitutions.filter { !$0.key.isEmpty }.sorted { ($1.key.utf8.count, $0.key) < ($0.key.utf8.count, $1.key) }
        var known: Set<String> = []
        // A byte order mark is no text.
        let marks = report.content.prefix(3) == [0xEF, 0xBB, 0xBF] ? 3 : 0
        let whole = report.content.count <= Self.shortText ? Array(report.content.array.dropFirst(marks)) : nil
        report.content.eachLine { line, _ in
            var text = String(decoding: line, as: UTF8.self)
            for (old, new) in order where text.firstRange(of: old) != nil { text = text.replacing(old, with: new) }
            for word in text.split(whereSeparator: { $0.isWhitespace || $0 == "\"" || $0 == "<" || $0 == ">" }) {
                guard let url = url(in: String(word)), known.insert(url).inserted else { continue }
                var event = events.newEvent()
                guard event.add(Key<String>("url.full").id, text: url) else { continue }
                event.fill(.classificationType, type)
                if events.keepsOriginal { event.setOriginal(whole ?? Array(line)) }
                events.add(event)
            }
            return !events.isFull
        }
    }

    /// The URL that a word is, if it is one.
    private func url(in word: String) -> String? {
        var text = word
        for dot in ["[.]", "(.)", "{.}", "[dot]", "(dot)"] where text.firstRange(of: dot) != nil {
            text = text.replacing(dot, with: ".")
        }
        text = String(Self.unwrapped(text))
        var scheme = defaultScheme
        if let mark = text.firstRange(of: "://") {
            guard let found = Self.scheme(text[..<mark.lowerBound]) else { return nil }
            scheme = found
            text = String(text[mark.upperBound...])
        }
        let end = text.firstIndex { "/?#".contains($0) } ?? text.endIndex
        let place = text[..<end]
        // What stands before an @ is a mail address, or a name that wants to look like a host.
        guard !place.contains("@"), let host = place.split(separator: ":").first.map(String.init) else { return nil }
        guard PublicSuffixList.system.parts(of: host, rules: .icann)?.registeredDomain != nil else { return nil }
        let name = "." + host.lowercased()
        guard !domainWhitelist.contains(where: { name.hasSuffix("." + $0) }) else { return nil }
        return scheme + "://" + place.lowercased() + (end == text.endIndex ? "/" : text[end...])
    }

    /// The text without the punctuation around it.
    private static func unwrapped(_ text: String) -> Substring {
        var text = text[...]
        while let first = text.first, "([{'.,;:!?*`„“".contains(first) { text = text.dropFirst() }
        while let last = text.last, ")]}'.,;:!?*`“”…".contains(last) { text = text.dropLast() }
        return text
    }

    /// The scheme that is meant, brackets and all: `hxxp`, `http]]`, `h**p`.
    private static func scheme(_ text: Substring) -> String? {
        let letters = text.lowercased().filter { $0.isLetter || $0 == "*" }
        return switch letters {
        case "http", "hxxp", "h**p", "htxp", "hxtp", "tp", "ttp": "http"
        case "https", "hxxps", "h**ps", "htxps", "hxtps", "tps", "ttps": "https"
        case "ftp", "fxp", "f*p": "ftp"
        default: nil
        }
    }
}
