import IDF
import ServiceKernel

/// Reads SURBL's zone files: a line with the lists, then the domains that are on them.
struct SURBLParser: Parser {
    static let spec = Spec(
        "surbl", "Reads the zone files of SURBL, as rbldnsd takes them.",
        writes: [Key<String>.sourceDomain, Key<String>.classificationType])

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        var type = "blacklist"
        report.content.eachLine { line, number in
            let text = trimmed(String(decoding: line, as: UTF8.self))
            if text.hasPrefix(":") {
                // `:127.0.0.2:Blocked, $ on lists [mw ph], See: …`
                let lists = text.split(separator: "[").dropFirst().first?.split(separator: "]").first ?? ""
                let names = lists.split { $0 == " " || $0 == "," }
                type = names.contains("mw") ? "malware-distribution" : names.contains("ph") ? "phishing" : "blacklist"
            } else if text.hasPrefix(".") {
                var event = events.newEvent()
                if event.add(Key<String>.sourceDomain.id, text: String(text.dropFirst())) {
                    event.fill(.classificationType, type)
                    if events.keepsOriginal { event.setOriginal(text.utf8) }
                    events.add(event)
                } else {
                    events.reject(line, line: number, .malformed("found \"\(text.prefix(60))\", wanted a domain behind a dot"))
                }
            }
            // Comments, addresses and settings of the zone say nothing of a domain.
            return !events.isFull
        }
    }
}
