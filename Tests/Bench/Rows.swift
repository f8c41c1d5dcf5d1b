import Glibc
import IDF
import Parsers
import ServiceKernel
import YAML

/// Rows of a Shadowserver report into events, in this process, on one thread.
struct Rows {
    static let count = 100_000
    static let rounds = 3

    func measure(into figures: Figures) throws(BenchError) {
        let parser = try Self.parser()
        var report = Report(content: [])
        let (header, rows) = try Load.report(rows: Self.count)
        report.content = header + rows.joined()
        report.fields.add(Key<String>.fileName.id, text: "2026-11-20-scan_rdp-demo.csv")
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
                let reason = events.rejected.first.map { "line \($0.line): \($0.rejection.detail)" } ?? ""
                throw BenchError("only \(made) of \(Self.count) rows became events: \(reason)")
            }
        }
        figures.add(
            Figure(
                name: "rows-shadowserver", what: "Shadowserver rows into events, in process, one thread", value: median(rates),
                unit: "rows/s", target: "100,000"))
    }

    private static func parser() throws(BenchError) -> any Parser {
        let text = "worker: shadowserver-parser\nsettings: {schema: \"\(try Subject.path(of: Subject.schema))\"}\n"
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
        guard let parser = worker as? any Parser else { throw BenchError("shadowserver-parser is no parser") }
        return parser
    }
}
