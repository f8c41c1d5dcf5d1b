import IDF
import Mapping
import ServiceKernel
import YAML

/// Reads a table of a web page.
struct HTMLTableParser: Parser {
    static let spec = Spec(
        "html-table", "Reads a table of a web page; the settings say which column means what.", writesAny: true)

    @Setting(
        "Fields in the order of the columns, alternatives joined with |, empty for a column to leave out.",
        example: "[\"@timestamp\", source.ip|url.full, \"\", threat.software.name]")
    var columns: CSVColumns
    @Setting("Which table of the page, from 0; among those with the attribute if one is named.") var tableIndex = 0
    @Setting("Name of an attribute that the table has, as class.") var attributeName: String? = nil
    @Setting("Value of that attribute.") var attributeValue: String? = nil
    @Setting("By column, a text that means no value: [\"\", \"Not listed\"].") var ignoreValues: [String] = []
    @Setting("Whether the first row is a head.") var skipTableHead = true
    @Setting("Field of a column of whose text only a part is taken.") var splitColumn: String? = nil
    @Setting("Text between the parts.") var splitSeparator: String? = nil
    @Setting("Which part, from 0.") var splitIndex = 0
    @Setting("How times are written: a format like %d.%m.%Y, or unix-seconds; null: any usual way, the year may be missing.")
    var timeFormat: TimeFormat? = nil
    @Setting("Put in front of URLs without a scheme.") var defaultUrlProtocol = "http://"
    @Setting("Classification type of events whose row names none.") var type: String? = "c2-server"

    private var mapping = Mapping(format: .lines(separator: nil, skip: 0), columns: [])

    mutating func prepare(_ context: WorkerContext) throws(Rejection) {
        var list: [Mapping.Column] = []
        for column in columns.list {
            var made = Mapping.Column(targets: column.fields.compactMap(Mapping.Target.init))
            made.targetConversions = made.targets.map(conversions)
            list.append(made)
        }
        mapping = Mapping(format: .lines(separator: nil, skip: 0), comments: [], columns: list, ignored: [])
        mapping.completesYears = timeFormat?.isFree ?? true
        guard let type, !type.isEmpty else { return }
        guard ClassificationType(type) != nil else {
            throw .malformed("setting \"type\": \"\(type)\" is no classification type")
        }
        mapping.constants.append((.field(Key<String>.classificationType.id), .string(type)))
    }

    private func conversions(_ target: Mapping.Target) -> [Conversion] {
        guard case .field(let field) = target else { return [] }
        switch field.field.type {
        case .time: return timeFormat?.conversions ?? []
        case .url: return defaultUrlProtocol.isEmpty ? [] : [.scheme(defaultUrlProtocol)]
        default: return []
        }
    }

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        try report.content.withBytes { (bytes) throws(Rejection) in
            let page = Markup(bytes)
            let table = try self.table(page)
            var rows: [(raw: ByteView, line: Int, cells: [String])] = []
            let all = page.elements("tr", in: page.inside(table), nestedAtMost: 8)
            for (index, row) in all.enumerated() where index > 0 || !skipTableHead {
                let cells = page.elements("td", in: page.inside(row), nestedAtMost: 8)
                guard !cells.isEmpty else { continue }
                let texts = cells.enumerated().map { text(page.text(of: $1), $0) }
                // Pages end in rows that hold nothing.
                guard texts.contains(where: { !$0.isEmpty }) else { continue }
                rows.append((page.source(of: row), page.line(of: row), texts))
            }
            do throws(MappingError) { try mapping.read(rows: rows, into: &events) } catch { throw .malformed(error.description) }
        }
    }

    private func table(_ page: Markup) throws(Rejection) -> Int {
        let all = page.elements("table")
        var fitting = all
        if let attributeName, !attributeName.isEmpty {
            fitting = all.filter { table in
                let value = page.attribute(attributeName, of: table)
                // A class is one of several words.
                return value == attributeValue
                    || attributeName == "class"
                        && value?.split(separator: " ").map(String.init).contains(attributeValue ?? "") == true
            }
        }
        guard fitting.indices.contains(tableIndex) else {
            throw .malformed(
                "the page has \(all.count) tables, \(fitting.count) of them as wanted; the wanted one is number \(tableIndex)")
        }
        return fitting[tableIndex]
    }

    /// The text of a cell as its column wants it.
    private func text(_ text: String, _ index: Int) -> String {
        var text = String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
        if let splitColumn, let splitSeparator, !splitSeparator.isEmpty, index < columns.list.count,
            columns.list[index].fields.contains(where: { Mapping.Target($0) == Mapping.Target(splitColumn) })
        {
            let parts = text.split(separator: splitSeparator, omittingEmptySubsequences: false)
            text = parts.indices.contains(splitIndex) ? String(parts[splitIndex]) : ""
        }
        if index < ignoreValues.count, ignoreValues[index] == text { return "" }
        return text
    }
}
