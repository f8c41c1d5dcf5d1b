import IDF
import Mapping
import ServiceKernel
import YAML

/// Reads lines of names and values.
struct KeyValueParser: Parser {
    static let spec = Spec(
        "key-value", "Reads lines of names and values, as firewalls write them: src=192.0.2.1 type=scan.", writesAny: true)

    @Setting(
        "Fields by the names in the lines; other names are left out.", example: "{srcip: source.ip, type: classification.type}")
    var keys: [String: String]
    @Setting("Text between pairs.") var pairSeparator = " "
    @Setting("Text between a name and its value.") var kvSeparator = "="
    @Setting("Whether quotes around a value are cut off.") var stripQuotes = true

    private var mapping = Mapping(format: .lines(separator: nil, skip: 0), columns: [])

    mutating func prepare(_ context: WorkerContext) throws(Rejection) {
        guard !pairSeparator.isEmpty, !kvSeparator.isEmpty else { throw .malformed("a separator is empty") }
        var columns: [Mapping.Column] = []
        for (key, name) in keys.sorted(by: { $0.key < $1.key }) {
            guard let target = Mapping.Target(name) else { throw .malformed(CSVParser.unknown(name, nil).message) }
            var column = Mapping.Column(name: key, targets: [target])
            if case .field(let field) = target, field.field.type == .time {
                column.targets = [target, target]
                column.targetConversions = [[], [.unixSeconds]]
            }
            columns.append(column)
        }
        mapping = Mapping(
            format: .pairs(separator: pairSeparator, equals: kvSeparator, stripsQuotes: stripQuotes), comments: [],
            columns: columns, ignored: [])
        mapping.completesYears = true
    }

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) { try events.read(report, with: mapping) }
}
