import IDF
import Mapping
import ServiceKernel

/// Reads the start page of ThreatMiner: links to what it knows of the domains it saw last.
struct ThreatMinerParser: Parser {
    static let spec = Spec(
        "threatminer", "Reads the recent domains on the start page of ThreatMiner.",
        writes: [Key<String>.sourceDomain, Key<String>.classificationType])

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        try report.content.withBytes { (bytes) throws(Rejection) in
            let page = Markup(bytes)
            let links = page.elements("a", nestedAtMost: 0).filter {
                page.attribute("href", of: $0)?.hasPrefix("domain.php?q=") == true
            }
            guard !links.isEmpty else { throw .malformed("the page has no links to domain.php, wanted the start page") }
            for link in links where !events.isFull {
                var event = events.newEvent()
                let name = trimmed(page.text(of: link))
                guard event.add(Key<String>.sourceDomain.id, text: name) else {
                    let found = "found \"\(name.prefix(60))\", wanted a domain as text of the link"
                    events.reject(page.source(of: link), line: page.line(of: link), .malformed(found))
                    continue
                }
                event.fill(.classificationType, "blacklist")
                if events.keepsOriginal { event.setOriginal(page.source(of: link)) }
                events.add(event)
            }
        }
    }
}
