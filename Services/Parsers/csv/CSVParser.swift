import Bulk
import IDF
import Mapping
import ServiceKernel
import YAML

/// Reads any table whose columns the settings name.
struct CSVParser: Parser {
    static let spec = Spec("csv", "Reads any comma-separated table; the settings say which column means what.", writesAny: true)

    @Setting(
        "Fields in the order of the columns, alternatives joined with |, empty for a column to leave out; or a mapping of the names in the first row to fields.",
        example: "[\"@timestamp\", source.ip|source.domain, \"\", custom.note]")
    var columns: CSVColumns
    @Setting("One truth value for each column: false lets rows pass whose cell is no value of the field.") var columnsRequired:
        [Bool] = []
    @Setting("Character between cells.") var delimiter = Delimiter(0x2C)
    @Setting("Rows to skip at the begin: true for one, or a number.") var skipHeader = SkippedRows(0)
    @Setting(
        "How times are written: a format like %d.%m.%Y, or unix-seconds, unix-milliseconds, windows-nt; null: any usual way, the year may be missing."
    )
    var timeFormat: TimeFormat? = nil
    @Setting("Put in front of URLs without a scheme.") var defaultUrlProtocol = "http://"
    @Setting("Classification type of events whose row names none.") var type: String? = nil
    @Setting("Other words for classification types: {botnet: infected-system}.") var typeTranslation: [String: String] = [:]
    @Setting("Values of every event unless the row or the report gives one: {protocol.transport: tcp}.") var constants:
        [String: String] = [:]
    @Setting("By field, a regular expression; what it finds first in the cell is the value.") var columnRegexSearch:
        [String: SearchPattern] = [:]
    @Setting("Fields made of several cells: {url.full: \"http://{0}{1}\"}; {0} is the first cell.") var composeFields:
        [String: String] = [:]
    @Setting("Fields whose cells hold JSON: {custom.tags: json}.") var dataType: [String: String] = [:]
    @Setting("Text that decides which rows are read.") var filterText: String? = nil
    @Setting("whitelist: only rows with the filter's text are read; blacklist: only those without.") var filterType = FilterType
        .whitelist

    private var mapping = Mapping(format: .csv(delimiter: 0x2C, quote: 0x22, header: .none), columns: [])

    mutating func prepare(_ context: WorkerContext) throws(Rejection) {
        mapping = try makeMapping()
    }

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        // NUL bytes are what faulty exports leave behind; no cell means them.
        var clean = report
        if report.content.occurrences(of: 0) > 0 { clean.content = BulkBytes(report.content.array.filter { $0 != 0 }) }
        try events.read(clean, with: mapping)
    }

    /// The settings as a mapping.
    private func makeMapping() throws(Rejection) -> Mapping {
        let header: Mapping.Header = columns.isNamed ? .names : skipHeader.count > 0 ? .skip(skipHeader.count) : .none
        var list: [Mapping.Column] = []
        for (index, column) in columns.list.enumerated() {
            var targets: [Mapping.Target] = []
            var conversions: [[Conversion]] = []
            for name in column.fields {
                let target = try self.target(name)
                targets.append(target)
                conversions.append(try self.conversions(name, target))
            }
            var made = Mapping.Column(name: column.name, targets: targets)
            made.targetConversions = conversions.contains { !$0.isEmpty } ? conversions : []
            made.refusesMisfits = index < columnsRequired.count ? columnsRequired[index] : true
            list.append(made)
        }
        var mapping = Mapping(format: .csv(delimiter: delimiter.byte, quote: 0x22, header: header), columns: list)
        mapping.completesYears = timeFormat?.isFree ?? true
        for (name, value) in constants.sorted(by: { $0.key < $1.key }) {
            mapping.constants.append((try target(name), .string(value)))
        }
        if let type, !type.isEmpty {
            guard ClassificationType(type) != nil else {
                throw .malformed("setting \"type\": \"\(type)\" is no classification type")
            }
            mapping.constants.insert((.field(Key<String>.classificationType.id), .string(type)), at: 0)
        }
        for (name, template) in composeFields.sorted(by: { $0.key < $1.key }) {
            mapping.composed.append(Mapping.Composed(target: try target(name), template: template))
        }
        if let filterText, !filterText.isEmpty { mapping.filter = (filterText, filterType == .whitelist) }
        return mapping
    }

    private func target(_ name: String) throws(Rejection) -> Mapping.Target {
        guard let target = Mapping.Target(name) else { throw .malformed(Self.unknown(name, nil).message) }
        return target
    }

    /// What is done to a cell before it goes to that field.
    private func conversions(_ name: String, _ target: Mapping.Target) throws(Rejection) -> [Conversion] {
        var conversions: [Conversion] = []
        if let kind = try setting(dataType, for: target) {
            guard kind == "json" else { throw .malformed("setting \"data-type\": found \"\(kind)\" for \(name), wanted json") }
            conversions.append(.json)
        }
        if let search = try setting(columnRegexSearch, for: target) { conversions.append(.search(search.pattern)) }
        guard case .field(let field) = target else { return conversions }
        switch field.field.type {
        case .time: conversions += timeFormat?.conversions ?? []
        case .url: if !defaultUrlProtocol.isEmpty { conversions.append(.scheme(defaultUrlProtocol)) }
        case .classification where !typeTranslation.isEmpty:
            // Without a type to fall back to, a word that has no translation is a mistake.
            conversions.append(type == nil ? .translate(typeTranslation) : .replace(typeTranslation))
        default: break
        }
        return conversions
    }

    /// The entry of a setting that is keyed by fields, whichever of its names is used.
    private func setting<Value>(_ table: [String: Value], for target: Mapping.Target) throws(Rejection) -> Value? {
        for (name, value) in table where try self.target(name) == target { return value }
        return nil
    }

    static func unknown(_ name: String, _ node: YAMLNode?) -> SettingProblem {
        let near = didYouMean(name, in: Field.all.map(\.name))
        return SettingProblem(
            "no field \"\(name)\" in the data format", help: near ?? "free members are written custom.name", at: node)
    }
}
