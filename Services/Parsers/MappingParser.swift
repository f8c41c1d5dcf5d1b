import IDF
import Mapping
import ServiceKernel
import YAML

/// A parser that is data: a mapping file built into the program.
struct MappingParser: Parser {
    static let spec = Spec("mapping", "Reads a feed as its mapping file says.")
    let file: MappingFile?
    private var mapping: Mapping?

    @Setting("Fields that events do not get though the feed would give them.") var leaveOut: [String] = []

    init() { file = nil }

    init(_ file: MappingFile) {
        self.file = file
        mapping = file.mapping
    }

    mutating func prepare(_ context: WorkerContext) throws(Rejection) {
        var gone: [Mapping.Target] = []
        for name in leaveOut {
            guard let target = Mapping.Target(name) else {
                throw .malformed("setting \"leave-out\": no field \"\(name)\"; free members are written custom.name")
            }
            gone.append(target)
        }
        mapping = gone.isEmpty ? file?.mapping : file?.mapping.leavingOut(gone)
        if let file, let closed = file.closed { context.log.notice("the source of \(file.name) is closed: \(closed)") }
    }

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        guard let mapping else { throw .malformed("there is no mapping file") }
        try events.read(report, with: mapping)
    }
}

extension ParsedEvents: MappingSink {
    mutating func read(_ report: Report, with mapping: Mapping) throws(Rejection) {
        let about = Mapping.About(
            url: report.fields[Key<String>("threat.feed.url")], feed: report.fields[.feedName], file: report.fileName,
            custom: .object(report.fields.freeMembers("custom")))
        do throws(MappingError) {
            try report.content.withBytes { (bytes) throws(MappingError) in
                try mapping.read(bytes, about: about, into: &self)
            }
        } catch {
            throw .malformed(error.description)
        }
    }

    /// Takes a row that could not be read.
    public mutating func refuse(_ row: ByteView, line: Int, _ reason: String) { reject(row, line: line, .malformed(reason)) }

    /// Takes an object that could not be read.
    public mutating func refuse(_ row: ByteView, object: Int, _ reason: String) {
        reject(row, line: 0, object: object, .malformed(reason))
    }
}

extension RosterEntry {
    init(mapping file: MappingFile) {
        let closed = file.closed.map { " The source is closed: \($0)" } ?? ""
        let spec = Spec(
            file.name, file.summary + closed, writes: file.mapping.writes.map(AnyField.init), writesAny: false,
            tags: ["mapping"] + (file.closed == nil ? [] : ["closed"]))
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
