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
    /// Why the source gives nothing new any more; old reports are still read.
    public let closed: String?
    /// How rows become events.
    public let mapping: Mapping
    /// What goes in and what comes out, for tests.
    public let cases: YAMLNode?
    /// The file, for messages.
    public let document: YAMLDocument

    static let members = [
        "name", "summary", "url", "closed", "format", "header", "delimiter", "quote", "separator", "equals", "items",
        "comments", "preamble", "each", "columns", "compose", "constants", "ignore", "cases",
    ]

    /// Reads a mapping file; every mistake is named with its place.
    public init(_ document: YAMLDocument) throws(MappingFileError) {
        let reader = MappingFileReader(document: document)
        let root = document.root
        guard root.pairs != nil else {
            throw reader.fail("a mapping file is a mapping: name, summary, format, columns", root)
        }
        try reader.known(root, MappingFile.members, "a mapping file")
        guard let name = root["name"]?.string, let summary = root["summary"]?.string else {
            throw reader.fail("a mapping file needs a name and a summary", root)
        }
        self.name = name
        self.summary = summary
        self.document = document
        url = root["url"]?.string
        closed = root["closed"]?.string
        cases = root["cases"]
        mapping = try reader.mapping(root)
    }
}

/// Why a mapping file cannot be used, with file, line and column.
public struct MappingFileError: Error, Sendable, CustomStringConvertible {
    /// The message with its place.
    public let description: String
}

/// Reads the parts of a mapping file.
struct MappingFileReader {
    let document: YAMLDocument

    func fail(_ message: String, _ node: YAMLNode, _ help: String? = nil) -> MappingFileError {
        MappingFileError(description: document.diagnostic(message, at: node, help: help).description)
    }

    /// Refuses members that are not in the list.
    func known(_ node: YAMLNode, _ members: [String], _ what: String) throws(MappingFileError) {
        for (key, _) in node.pairs ?? [] where !members.contains(key.string ?? "") {
            let name = key.string ?? ""
            throw fail("unknown member \"\(name)\" of \(what)", key, advice(on: name, known: members))
        }
    }

    func mapping(_ root: YAMLNode) throws(MappingFileError) -> Mapping {
        guard let format = root["format"] else {
            throw fail("a mapping file needs a format: csv, json, ndjson, xml, lines or pairs", root)
        }
        guard let columns = root["columns"] else { throw fail("a mapping file needs columns", root) }
        var mapping = Mapping(format: try self.format(format, root), columns: try self.columns(columns))
        mapping.skipsInitialSpace = true
        if let comments = root["comments"] { mapping.comments = try texts(comments) }
        if let ignored = root["ignore"] { mapping.ignored = Set(try texts(ignored)) }
        for item in root["preamble"]?.array ?? [] { mapping.preamble.append(try preamble(item)) }
        if let each = root["each"] { mapping.each = try self.each(each) }
        if let constants = root["constants"] { mapping.constants = try self.constants(constants) }
        for (key, value) in root["compose"]?.pairs ?? [] {
            for one in value.array ?? [value] {
                guard let template = one.string else { throw fail("wanted a text as \"http://{host}/{path}\"", one) }
                mapping.composed.append(Mapping.Composed(target: try target(key), template: template))
            }
        }
        return mapping
    }

    func texts(_ node: YAMLNode) throws(MappingFileError) -> [String] {
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

    private func separator(_ node: YAMLNode?) throws(MappingFileError) -> String? {
        guard let node else { return nil }
        guard let text = node.string, !text.isEmpty else {
            throw fail("the separator is empty", node, "leave it out if the whole line is one value")
        }
        return text
    }

    private func format(_ node: YAMLNode, _ root: YAMLNode) throws(MappingFileError) -> Mapping.Format {
        switch node.string {
        case "csv":
            let quote: UInt8? = root["quote"]?.bool == false ? nil : try byte(root["quote"], 0x22)
            return .csv(delimiter: try byte(root["delimiter"], 0x2C), quote: quote, header: try header(root["header"]))
        case "json": return .json(items: root["items"]?.string?.split(separator: ".").map(String.init) ?? [])
        case "ndjson": return .ndjson
        case "xml":
            guard let items = root["items"]?.string, !items.isEmpty else {
                throw fail("xml needs items: the name of the element that is a row", node)
            }
            return .xml(items: items)
        case "lines":
            guard case .skip(let count) = try header(root["header"] ?? nil, .skip(0)) else {
                throw fail("wanted a number of lines to skip", root["header"] ?? node)
            }
            return .lines(separator: try separator(root["separator"]), skip: count)
        case "pairs":
            return .pairs(
                separator: try separator(root["separator"]) ?? " ", equals: try separator(root["equals"]) ?? "=",
                stripsQuotes: root["quote"]?.bool != false)
        default: throw fail("wanted csv, json, ndjson, xml, lines or pairs", node)
        }
    }

    private func header(_ node: YAMLNode?, _ usual: Mapping.Header = .none) throws(MappingFileError) -> Mapping.Header {
        guard let node else { return usual }
        if let names = node.bool { return names ? .names : .none }
        if let count = node.int, count >= 0 { return .skip(count) }
        if node.string == "comment" { return .comment }
        throw fail(
            "wanted true (the first row names the columns), comment (the last comment does), false, or a number of rows to skip",
            node)
    }
}
