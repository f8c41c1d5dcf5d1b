import CSV
import HTTP
import IDF
import ServiceKernel

/// Reads Shadowserver's reports, of every kind that Shadowserver's own schema describes.
struct ShadowserverParser: Parser {
    static let spec = Spec(
        "shadowserver", "Reads the reports of the Shadowserver Foundation, driven by the schema that Shadowserver publishes.",
        reads: [Key<String>.fileName], writesAny: true)

    @Setting(
        "Shadowserver's schema of its reports (JSON), reopened when the file changes; update-db fetches it.",
        example: "/var/lib/intelmq/shadowserver-schema.json")
    var schema: ShadowserverSchema
    @Setting("Kind of the reports, as scan_rdp; null: taken from the name of the report's file, else from its columns.")
    var feed: String? = nil
    @Setting("Where update-db fetches the schema.") var schemaUrl = "https://interchange.shadowserver.org/intelmq/v1/schema"

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        try report.content.withBytes { (bytes) throws(Rejection) in
            try parse(bytes, fileName: report.fileName, into: &events)
        }
    }

    private func parse(_ bytes: ByteView, fileName: String?, into events: inout ParsedEvents) throws(Rejection) {
        // Reports hold quotes that are escaped in more than one way.
        var reader = CSVReader(bytes, dialect: CSVDialect(isLenient: true))
        var row = CSVRow()
        guard reader.next(&row), row.problem == nil else {
            throw .malformed("the report is empty; wanted a row of column names and rows of values")
        }
        events.keepHeader(row.raw)
        let columns = (0..<row.count).map { String(decoding: row[$0], as: UTF8.self) }
        let kind = try self.kind(fileName, columns)
        let plan = try ShadowserverPlan(kind, columns: columns)
        let template = Self.template(events.template, kind)
        while !events.isFull, reader.next(&row) {
            if let problem = row.problem {
                events.reject(row.raw, line: row.line, .malformed(problem.description))
                continue
            }
            // Some reports leave out empty cells at the end; what lacks more is a row that was cut.
            guard row.count <= columns.count, row.count * 2 >= columns.count else {
                let reason = "the row has \(row.count) cells, the header has \(columns.count)"
                events.reject(row.raw, line: row.line, .malformed(reason))
                continue
            }
            var event = Event(copying: template, reserving: row.raw.count * 2 + 512)
            if let reason = plan.fill(&event, row, keepsOriginal: events.keepsOriginal) {
                events.reject(row.raw, line: row.line, .malformed(reason))
            } else {
                events.add(event)
            }
        }
    }

    private func kind(_ fileName: String?, _ columns: [String]) throws(Rejection) -> ShadowserverSchema.Kind {
        let schema = schema
        guard !schema.kinds.isEmpty else {
            throw .unavailable("there is no schema \(schema.path) yet; fetch it: intelmq shadowserver-parser update-db")
        }
        if let feed, !feed.isEmpty {
            if let index = schema.byFileName[feed] { return schema.kinds[index] }
            guard let kind = schema.kinds.first(where: { $0.feedName == feed }) else {
                throw .malformed("the schema \(schema.path) has no report \"\(feed)\", which the setting \"feed\" names")
            }
            return kind
        }
        if let kind = fileName.flatMap(schema.kind(fileName:)) { return kind }
        // A report that names a kind of its own is not taken for another one with like columns.
        let isNamed = fileName.map(ShadowserverSchema.namesKind) ?? false
        if !isNamed, let kind = schema.kind(columns: Set(columns)) { return kind }
        guard let fileName else {
            throw .malformed(
                "the report has no file name, and its columns fit no report of \(schema.path): \(columns.prefix(40).joined(separator: ", "))"
            )
        }
        if isNamed {
            throw .malformed(
                "\(schema.path) does not know the report of the file \"\(fileName)\"; update-db fetches a newer schema, "
                    + "or name one that it knows in the setting \"feed\"")
        }
        throw .malformed(
            "neither the file name \"\(fileName)\" nor the columns tell the kind of the report; wanted a name like "
                + "2026-11-20-scan_rdp-example.csv of a report that \(schema.path) knows (update-db fetches a newer schema), or the setting \"feed\""
        )
    }

    /// What every event begins with: the fields of the feed, and the constants of the kind.
    private static func template(_ fields: Event, _ kind: ShadowserverSchema.Kind) -> Event {
        var template = fields
        template.fill(.feedName, kind.feedName)
        for constant in kind.constants {
            do throws(Problem) {
                try DHO.add(constant.name, constant.value, to: &template)
            } catch {
                template.setCustom(path: constant.name.split(separator: ".").map(String.init), to: constant.value)
            }
        }
        return template
    }

    func updateDatabase(_ context: WorkerContext) async throws(Rejection) -> String {
        let client = HTTPClient()
        defer { client.close() }
        let answer: HTTPClientResponse
        do throws(HTTPClientError) {
            answer = try await client.send(HTTPClientRequest(url: schemaUrl, followRedirects: 3, decompress: true))
        } catch {
            throw .unavailable("cannot fetch \(schemaUrl): \(error)")
        }
        guard answer.status == 200 else { throw .unavailable("\(schemaUrl) answered with status \(answer.status)") }
        let kinds: [ShadowserverSchema.Kind]
        do throws(Rejection) {
            kinds = try ShadowserverSchema.kinds(answer.body)
        } catch {
            throw .unavailable("\(schemaUrl) gave no usable schema, the old one stays: \(error.detail)")
        }
        let path = schema.path
        try replaceFile(path, with: answer.body)
        return "\(path): \(kinds.count) reports"
    }
}
