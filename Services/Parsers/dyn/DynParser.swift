import IDF
import ServiceKernel

/// Reads the list of hosts that Ponmocup used: each line tells of a host that spreads it, and of one that was broken into.
struct DynParser: Parser {
    static let spec = Spec(
        "dyn", "Reads the lists of Ponmocup domains that cAPTure kept. The source is closed: old lists are still read.",
        writes: [
            Key<Timestamp>.timestamp, Key<String>.sourceDomain, Key<String>("url.full"), Key<String>("destination.domain"),
            Key<String>("destination.url.full"), Key<String>("message"), Key<String>.classificationType,
        ], tags: ["closed"])

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        var time: String?
        report.content.eachLine { line, number in
            let text = trimmed(String(decoding: line, as: UTF8.self))
            if text.hasPrefix("#") {
                if let mark = text.firstRange(of: "last updated:") { time = trimmed(String(text[mark.upperBound...])) }
            } else if !text.isEmpty {
                do throws(Rejection) { try add(text, time, &events) } catch { events.reject(line, line: number, error) }
            }
            return !events.isFull
        }
    }

    private func add(_ row: String, _ time: String?, _ events: inout ParsedEvents) throws(Rejection) {
        let cells = row.split(separator: " ").map(String.init)
        guard cells.count == 4 else {
            throw .malformed("the row has \(cells.count) cells, wanted 4: address, domain, URL, infected domain")
        }
        let spreads = ["source.domain": cells[1], "url.full": cells[2], "destination.domain": cells[3]]
        let infected = ["destination.domain": cells[1], "destination.url.full": cells[2], "source.domain": cells[3]]
        let both = try [
            event(spreads, time, "malware-distribution", "has malicious code redirecting to malicious host", events),
            event(
                infected, time, "system-compromise", "host has been compromised and has malicious code infecting users", events),
        ]
        for var event in both {
            if events.keepsOriginal { event.setOriginal(row.utf8) }
            events.add(event)
        }
    }

    private func event(
        _ values: [String: String], _ time: String?, _ type: String, _ text: String, _ events: ParsedEvents
    ) throws(Rejection) -> Event {
        var event = events.newEvent()
        for (name, value) in values {
            guard let field = FieldID(name) else { continue }
            guard event.add(field, text: value) else {
                throw .malformed("\(name): found \"\(value.prefix(60))\", wanted \(field.field.type.wanted)")
            }
        }
        if let time { event.add(Key<Timestamp>.timestamp.id, text: time) }
        event.fill(.classificationType, type)
        event.fill(Key<String>("message"), text)
        return event
    }
}
