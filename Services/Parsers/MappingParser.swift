import IDF
import Mapping
import ServiceKernel
import YAML

/// A parser that is data: a mapping file.
struct MappingParser: Parser {
    static let spec = Spec("mapping", "Reads a feed as its mapping file says.")
    let mapping: Mapping
    let name: String

    init() {
        mapping = Mapping(format: .lines(separator: nil), columns: [])
        name = "mapping"
    }

    init(_ file: MappingFile) {
        mapping = file.mapping
        name = file.name
    }

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        try events.read(report, with: mapping)
    }
}

extension ParsedEvents: MappingSink {
    mutating func read(_ report: Report, with mapping: Mapping) throws(Rejection) {
        // The array's storage stays in place while it is borrowed here.
        do throws(MappingError) {
            try report.content.withUnsafeBufferPointer { (bytes) throws(MappingError) in try mapping.read(bytes, into: &self) }
        } catch {
            throw .malformed(error.description)
        }
    }

    /// Takes a row that could not be read.
    public mutating func refuse(_ row: ByteView, line: Int, _ reason: String) { reject(row, line: line, .malformed(reason)) }
}

extension RosterEntry {
    init(mapping file: MappingFile) {
        let spec = Spec(
            file.name, file.summary, writes: file.mapping.writes.map(AnyField.init), writesAny: false, tags: ["mapping"])
        self.init(spec: spec, family: .parser) { MappingParser(file) }
    }
}

private struct AnyField: FieldKey {
    let id: FieldID
}

/// The mapping files built into the program, by name.
public let mappingFiles: [MappingFile] = embeddedMappings.map { name, bytes in
    do {
        return try MappingFile(try YAMLDocument.parse(bytes, file: "Services/Parsers/mappings/\(name).yaml"))
    } catch {
        fatalError("\(error)")
    }
}

private let embeddedMappings: [(String, [UInt8])] = [
    ("cins-army", PackageResources.cins_army_yaml),
    ("feodotracker", PackageResources.feodotracker_yaml),
    ("openphish", PackageResources.openphish_yaml),
]
