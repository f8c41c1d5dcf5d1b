import IDF
import ServiceKernel
public import YAML

/// One case of a worker: what goes in and what must come out.
public struct Case: Sendable, CustomStringConvertible {
    /// What the case shows, in words.
    public let title: String
    /// The case as it was written.
    let node: YAMLNode
    /// The file it stands in, for messages.
    let document: YAMLDocument

    /// Place and title, as `…/cases/plain.yaml:3 two addresses`.
    public var description: String { "\(document.file):\(node.mark.line) \(title)" }
    /// The settings of the case, if it has some.
    public var settings: YAMLNode? { node["settings"] }

    /// Whether the settings may serve as an example: not where the case shows a refusal.
    public var isExample: Bool { node["reject"] == nil }

    /// Words that a case knows.
    static let members = [
        "title", "settings", "overwrite", "keep-original", "feed", "file-name", "files", "given", "given-file", "given-base64",
        "lookup",
        "expect", "reject", "drop",
    ]

    init(_ node: YAMLNode, in document: YAMLDocument) throws(CaseError) {
        guard let pairs = node.pairs else {
            throw CaseError(document.diagnostic("a case is a mapping: title, given, expect", at: node).description)
        }
        for (key, _) in pairs where !Case.members.contains(key.string ?? "") {
            let name = key.string ?? ""
            let help = advice(on: name, known: Case.members)
            throw CaseError(document.diagnostic("unknown member \"\(name)\" of a case", at: key, help: help).description)
        }
        guard let title = node["title"]?.string, !title.isEmpty else {
            throw CaseError(document.diagnostic("a case needs a title: what it shows, in words", at: node).description)
        }
        self.title = title
        self.node = node
        self.document = document
        guard ["expect", "reject", "drop"].contains(where: { node[$0] != nil }) else {
            throw CaseError(
                document.diagnostic("the case expects nothing", at: node, help: "add expect:, reject: or drop:").description)
        }
    }

    /// A case that was read before as a part of another document (a mapping file).
    public static func list(_ node: YAMLNode, in document: YAMLDocument) throws(CaseError) -> [Case] {
        guard let items = node.array, !items.isEmpty else {
            throw CaseError(
                document.diagnostic("cases are a list", at: node, help: "as: - {title: …, given: …, expect: […]}").description)
        }
        var cases: [Case] = []
        for item in items { cases.append(try Case(item, in: document)) }
        return cases
    }
}

/// The cases beside a worker.
public struct CaseFile: Sendable {
    /// Where it was read.
    public let path: String
    /// Its cases, in order.
    public let cases: [Case]

    /// Reads one file.
    public init(path: String) throws(CaseError) {
        let document: YAMLDocument
        do throws(YAMLError) { document = try YAMLDocument.read(path: path) } catch { throw CaseError(error.description) }
        self.path = path
        cases = try Case.list(document.root, in: document)
    }

    /// Reads all `cases/*.yaml` of a worker's folder, sorted by name; none is an empty list.
    public static func all(besideWorkerIn folder: String) throws(CaseError) -> [CaseFile] {
        var files: [CaseFile] = []
        for name in fileNames(in: "\(folder)/cases") where name.hasSuffix(".yaml") {
            files.append(try CaseFile(path: "\(folder)/cases/\(name)"))
        }
        return files
    }
}

/// Why a file of cases cannot be used, with its place.
public struct CaseError: Error, Sendable, CustomStringConvertible {
    /// What is wrong, where, and what is wanted.
    public let description: String
    package init(_ description: String) { self.description = description }
}
