import IDF
import Mapping
import ServiceKernel
import YAML

/// Reads a feed as a mapping file of the operator's own says: a new feed is a file, without a build.
struct MappingFileParser: Parser {
    static let spec = Spec(
        "mapping", "Reads any feed as a mapping file says; a new feed is one file, without a build.", writesAny: true)

    @Setting(
        "Mapping file (YAML), as those of Services/Parsers/mappings; reopened when it changes.",
        example: "/etc/intelmq/mappings/my-feed.yaml")
    var mapping: MappingSource

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        try events.read(report, with: mapping.file.mapping)
    }
}

/// A mapping file, opened anew when it changes.
struct MappingSource: SettingValue {
    let path: String
    let file: MappingFile
    private let stamp: FileStamp?

    init(setting node: YAMLNode) throws(SettingProblem) {
        try self.init(path: try String(setting: node), at: node)
    }

    private init(path: String, at node: YAMLNode? = nil) throws(SettingProblem) {
        self.path = path
        stamp = FileStamp(path: path)
        do {
            file = try MappingFile(try YAMLDocument.read(path: path))
        } catch {
            throw SettingProblem("\(error)", help: "the built-in ones are examples: Services/Parsers/mappings", at: node)
        }
    }

    static var schema: JSONValue { .object(["type": .string("string"), "format": .string("path")]) }
    var sample: String { path.sample }

    func refreshed() throws(SettingProblem) -> MappingSource? {
        guard let now = FileStamp(path: path), now != stamp else { return nil }
        return try MappingSource(path: path)
    }
}
