import IDF
import Mapping
import ServiceKernel

/// Reads what McAfee's sandbox saw a file do: the file, the files it wrote, the addresses and URLs it asked for.
struct McAfeeATDParser: Parser {
    static let spec = Spec(
        "mcafee-atd", "Reads the reports of McAfee Advanced Threat Defense, a sandbox.",
        writes: [
            Key<String>("threat.software.name"), Key<String>("file.hash.md5"), Key<String>("file.hash.sha1"),
            Key<String>("file.hash.sha256"), Key<IPAddress>("destination.ip"), Key<Int>("destination.port"),
            Key<String>("destination.domain"), Key<String>("destination.url.full"), Key<String>.classificationTaxonomy,
            Key<String>.classificationType,
        ])

    @Setting("Severity of the verdict from which on a report gives events; reports below give none.") var verdictSeverity = 4

    private static let file = JSONColumns([
        "Name": "threat.software.name", "Md5": "file.hash.md5", "Sha1": "file.hash.sha1", "Sha256": "file.hash.sha256",
    ])
    private static let subject = JSONColumns([
        "Name": "threat.software.name", "md5": "file.hash.md5", "sha-1": "file.hash.sha1", "sha-256": "file.hash.sha256",
    ])
    private static let host = JSONColumns(["Ipv4": "destination.ip", "Port": "destination.port"])
    private static let name = JSONColumns(["Url": "destination.domain", "Port": "destination.port"])
    private static let url = JSONColumns(["Url": "destination.url.full", "Port": "destination.port"])

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        try events.eachObject(of: report) { (row, bytes, events) throws(Rejection) in
            guard let summary = row["Summary"], let subject = summary["Subject"] else {
                throw .malformed("the report has no \"Summary\" with a \"Subject\"")
            }
            guard let severity = Int(summary["Verdict"]?["Severity"]?.plain ?? "") else {
                throw .malformed("the report has no verdict: wanted a number at Summary.Verdict.Severity")
            }
            guard severity >= verdictSeverity else { return }
            var sample = events.newEvent()
            sample.fill(.classificationTaxonomy, "malicious-code")
            sample.fill(.classificationType, "infected-system")
            if events.keepsOriginal { sample.setOriginal(bytes) }
            let nameless = sample
            Self.subject.fill(&sample, from: subject)
            events.add(sample)
            for file in summary["Files"]?.items ?? [] { add(file, Self.file, nameless, &events) }
            for host in summary["Ips"]?.items ?? [] { add(host, Self.host, sample, &events) }
            for url in summary["Urls"]?.items ?? [] {
                let isName = url["Url"]?.string?.contains("/") == false
                add(url, isName ? Self.name : Self.url, sample, &events)
            }
        }
    }

    private func add(_ row: JSONValue, _ columns: JSONColumns, _ start: Event, _ events: inout ParsedEvents) {
        var event = Event(copying: start)
        columns.fill(&event, from: row)
        events.add(event)
    }
}
