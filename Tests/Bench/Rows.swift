import Glibc
import IDF
import Parsers
import ServiceKernel
import YAML

/// Rows of reports into events, in this process, on one thread: Shadowserver's parser, and tables that mapping files read.
struct Rows {
    static let count = 100_000
    static let rounds = 3

    func measure(into figures: Figures) throws(BenchError) {
        let (header, rows) = try Load.report(rows: Self.count)
        try measure(
            "shadowserver", "Shadowserver", settings: "{schema: \"\(try Subject.path(of: Subject.schema))\"}",
            header + rows.joined(), fileName: "2026-11-20-scan_rdp-demo.csv", into: figures)
        try measure("threatfox", "ThreatFox", Self.threatfox, into: figures)
        try measure("urlhaus", "URLhaus", Self.urlhaus, into: figures)
    }

    private func measure(
        _ name: String, _ title: String, settings: String = "{}", _ content: [UInt8], fileName: String = "report.csv",
        into figures: Figures
    ) throws(BenchError) {
        let parser = try Self.parser("\(name)-parser", settings)
        var report = Report(content: content)
        report.fields.add(Key<String>.fileName.id, text: fileName)
        var rates: [Double] = []
        for _ in 0..<Self.rounds {
            var made = 0
            let begin = ContinuousClock.now
            // The batches of a service; each is let go as soon as it is full.
            var events = ParsedEvents(report: report, batch: 500) { made += $0.count }
            do { try parser.parse(report, into: &events) } catch { throw BenchError("the report is refused: \(error.detail)") }
            events.finish()
            rates.append(Double(Self.count) / (ContinuousClock.now - begin).inSeconds)
            guard made == Self.count else {
                let reason = events.rejected.first.map { "\($0.place): \($0.rejection.detail)" } ?? ""
                throw BenchError("only \(made) of \(Self.count) rows became events: \(reason)")
            }
        }
        figures.add(
            Figure(
                name: "rows-\(name)", what: "\(title) rows into events, in process, one thread", value: median(rates),
                unit: "rows/s", target: "100,000"))
    }

    /// Tables in the form of abuse.ch, with addresses and names of documentation.
    private static var threatfox: [UInt8] {
        var text =
            "# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\",\"fk_malware\",\"malware_alias\",\"malware_printable\",\"last_seen_utc\",\"confidence_level\",\"is_compromised\",\"reference\",\"tags\",\"anonymous\",\"reporter\"\n"
        for row in 0..<count {
            text +=
                "\"2026-11-20 10:11:12\", \"\(row)\", \"198.51.100.\(row % 256):\(row % 60000 + 1)\", \"ip:port\", \"botnet_cc\", \"win.x\", \"None\", \"Example RAT\", \"\", \"75\", \"False\", \"https://example.org/report\", \"c2,rat\", \"0\", \"somebody\"\n"
        }
        return Array(text.utf8)
    }

    private static var urlhaus: [UInt8] {
        var text =
            "# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\n"
        for row in 0..<count {
            text +=
                "\"\(row)\",\"2026-11-20 10:11:12\",\"http://host\(row).example.com:8080/bin/\(row).sh\",\"online\",\"2026-11-20 10:11:12\",\"malware_download\",\"elf,mirai\",\"https://urlhaus.abuse.ch/url/\(row)/\",\"somebody\"\n"
        }
        return Array(text.utf8)
    }

    private static func parser(_ name: String, _ settings: String) throws(BenchError) -> any Parser {
        let text = "worker: \(name)\nsettings: \(settings)\n"
        let document: YAMLDocument
        do { document = try YAMLDocument.parse(Array(text.utf8), file: "bench") } catch { throw BenchError("\(error)") }
        let configuration: ServiceConfiguration
        do { configuration = try ConfigurationReader.read(document, roster: Roster(parsers)) } catch {
            throw BenchError("\(error)")
        }
        var worker = configuration.worker
        do throws(Rejection) {
            try worker.prepare(WorkerContext(stateDirectory: nil, log: Log.worker("bench", level: .warning)))
        } catch {
            throw BenchError(error.detail)
        }
        guard let parser = worker as? any Parser else { throw BenchError("\(name) is no parser") }
        return parser
    }
}
