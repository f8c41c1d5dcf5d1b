import IDF
public import YAML

/// A feed described as data: a mapping with its name, its documentation and its cases.
public struct MappingFile: Sendable {
    /// Name of the feed, as `feodotracker`; the worker is called after it.
    public let name: String
    /// One sentence.
    public let summary: String
    /// Where the feed is fetched.
    public let url: String?
    /// How rows become events.
    public let mapping: Mapping
    /// What goes in and what comes out, for tests.
    public let cases: YAMLNode?
    /// The file, for messages.
    public let document: YAMLDocument

    private static let members = [
        "name", "summary", "url", "format", "header", "delimiter", "quote", "separator", "comments", "columns", "constants",
        "ignore", "cases",
    ]

    /// Reads a mapping file; every mistake is named with its place.
    public init(_ document: YAMLDocument) throws(MappingFileError) {
        var reader = Reader(document: document)
        self = try reader.read()
    }

    private init(name: String, summary: String, url: String?, mapping: Mapping, cases: YAMLNode?, document: YAMLDocument) {
        (self.name, self.summary, self.url, self.mapping, self.cases, self.document) = (
            name, summary, url, mapping, cases, document
        )
    }

    private struct Reader {
        let document: YAMLDocument

        func fail(_ message: String, _ node: YAMLNode, _ help: String? = nil) -> MappingFileError {
            MappingFileError(description: document.diagnostic(message, at: node, help: help))
        }

        mutating func read() throws(MappingFileError) -> MappingFile {
            let root = document.root
            guard let pairs = root.pairs else { throw fail("a mapping file is a mapping: name, summary, format, columns", root) }
            for (key, _) in pairs where !MappingFile.members.contains(key.string ?? "") {
                let near = nearest(key.string ?? "", in: MappingFile.members).map { "did you mean \"\($0)\"?" }
                throw fail(
                    "unknown member \"\(key.string ?? "")\"", key,
                    near ?? "known are: \(MappingFile.members.joined(separator: ", "))")
            }
            guard let name = root["name"]?.string, let summary = root["summary"]?.string else {
                throw fail("a mapping file needs a name and a summary", root)
            }
            guard let format = root["format"] else {
                throw fail("a mapping file needs a format: csv, json, ndjson or lines", root)
            }
            guard let columns = root["columns"] else { throw fail("a mapping file needs columns", root) }
            var mapping = Mapping(format: try self.format(format, root), columns: try self.columns(columns))
            if let comments = root["comments"] { mapping.comments = try texts(comments) }
            if let ignored = root["ignore"] { mapping.ignored = Set(try texts(ignored)) }
            for (key, value) in root["constants"]?.pairs ?? [] {
                let target = try self.target(key)
                guard let text = value.string else { throw fail("wanted a text or a number", value) }
                mapping.constants.append(
                    (target, value.int.map { .integer($0) } ?? value.bool.map { .boolean($0) } ?? .string(text)))
            }
            return MappingFile(
                name: name, summary: summary, url: root["url"]?.string, mapping: mapping, cases: root["cases"], document: document
            )
        }

        private func texts(_ node: YAMLNode) throws(MappingFileError) -> [String] {
            guard let items = node.array else { throw fail("wanted a list of texts", node) }
            return items.map { $0.string ?? "" }
        }

        private func byte(_ node: YAMLNode?, _ usual: UInt8) throws(MappingFileError) -> UInt8 {
            guard let node else { return usual }
            guard let text = node.string, text.utf8.count == 1, let byte = text.utf8.first else {
                throw fail("wanted one ASCII character", node)
            }
            return byte
        }

        private func format(_ node: YAMLNode, _ root: YAMLNode) throws(MappingFileError) -> Mapping.Format {
            switch node.string {
            case "csv":
                var header = Mapping.Header.none
                if let node = root["header"] {
                    if let names = node.bool {
                        header = names ? .names : .none
                    } else if let count = node.int, count >= 0 {
                        header = .skip(count)
                    } else {
                        throw fail("wanted true (the first row names the columns), false, or a number of rows to skip", node)
                    }
                }
                let quote: UInt8? = root["quote"]?.bool == false ? nil : try byte(root["quote"], 0x22)
                return .csv(delimiter: try byte(root["delimiter"], 0x2C), quote: quote, header: header)
            case "json": return .json
            case "ndjson": return .ndjson
            case "lines":
                if let node = root["separator"], node.string == "" {
                    throw fail("the separator is empty", node, "leave it out if the whole line is one value")
                }
                return .lines(separator: root["separator"]?.string)
            default: throw fail("wanted csv, json, ndjson or lines", node)
            }
        }

        private func columns(_ node: YAMLNode) throws(MappingFileError) -> [Mapping.Column] {
            var columns: [Mapping.Column] = []
            if let pairs = node.pairs {
                for (key, value) in pairs { columns.append(try column(key.string ?? "", value)) }
            } else if let items = node.array {
                for item in items { columns.append(try column("", item)) }
            } else {
                throw fail("wanted a mapping (column: field) or a list (fields in order)", node)
            }
            return columns
        }

        private func column(_ name: String, _ node: YAMLNode) throws(MappingFileError) -> Mapping.Column {
            guard node.pairs != nil else { return Mapping.Column(name: name, targets: try targets(node)) }
            for (key, _) in node.pairs ?? [] where !["to", "convert", "required"].contains(key.string) {
                throw fail("unknown member \"\(key.string ?? "")\" of a column", key, "known are: to, convert, required")
            }
            var conversions: [Conversion] = []
            if let convert = node["convert"] { for one in convert.array ?? [convert] { conversions.append(try conversion(one)) } }
            return Mapping.Column(
                name: name, targets: try node["to"].map { (to) throws(MappingFileError) in try targets(to) } ?? [],
                conversions: conversions,
                isRequired: node["required"]?.bool ?? false)
        }

        private func targets(_ node: YAMLNode) throws(MappingFileError) -> [Mapping.Target] {
            if node.isNull { return [] }
            var targets: [Mapping.Target] = []
            for one in node.array ?? [node] { targets.append(try target(one)) }
            return targets
        }

        private func target(_ node: YAMLNode) throws(MappingFileError) -> Mapping.Target {
            guard let target = Mapping.Target(node.string ?? "") else {
                let near = nearest(node.string ?? "", in: Field.all.map(\.name)).map { "did you mean \"\($0)\"?" }
                throw fail(
                    "no field \"\(node.string ?? "")\" in the data format", node, near ?? "free members are written custom.name")
            }
            return target
        }

        private func conversion(_ node: YAMLNode) throws(MappingFileError) -> Conversion {
            let name = node.string ?? node.pairs?.first?.key.string ?? ""
            let argument = node.pairs?.first?.value
            let text = argument?.string
            switch (name, text) {
            case ("unix-seconds", nil): return .unixSeconds
            case ("unix-milliseconds", nil): return .unixMilliseconds
            case ("windows-nt", nil): return .windowsNT
            case ("midnight", nil): return .midnight
            case ("lowercase", nil): return .lowercase
            case ("uppercase", nil): return .uppercase
            case ("json", nil): return .json
            case ("time", let format?): return .time(format)
            case ("scheme", let scheme?): return .scheme(scheme)
            case ("drop-prefix", let text?): return .dropPrefix(text)
            case ("drop-suffix", let text?): return .dropSuffix(text)
            case ("before", let text?): return .before(text)
            case ("after", let text?): return .after(text)
            case ("search", let text?):
                do { return .search(try Pattern(text)) } catch { throw fail("no regular expression: \(error)", node) }
            case ("replace", nil), ("translate", nil):
                var table: [String: String] = [:]
                for (key, value) in argument?.pairs ?? [] { table[key.string ?? ""] = value.string ?? "" }
                return name == "replace" ? .replace(table) : .translate(table)
            default:
                let near = nearest(name, in: Conversion.names).map { "did you mean \"\($0)\"? " } ?? ""
                throw fail("no conversion \"\(name)\"", node, near + "the list: \(Conversion.names.joined(separator: ", "))")
            }
        }
    }
}

/// Why a mapping file cannot be used, with file, line and column.
public struct MappingFileError: Error, Sendable, CustomStringConvertible {
    /// The message with its place.
    public let description: String
}
