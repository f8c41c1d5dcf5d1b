import Glibc
import ServiceKernel
import YAML

/// The text of a graph's file, changed in place: comments and layout of the rest stay.
package struct GraphText {
    private var lines: [Substring]
    private let paths: YAMLNode
    private let graph: Graph

    /// Reads the file again that a graph was read from.
    package init(_ graph: Graph) throws(ConfigurationError) {
        let file = graph.document.file
        guard let bytes = readFile(file), let paths = graph.document.root["paths"], let first = paths.pairs?.first else {
            throw ConfigurationError(["error: cannot read \(file)"])
        }
        guard first.key.mark.line > graph.document.root.mark.line, first.key.mark.column > 1 else {
            throw ConfigurationError([
                graph.document.diagnostic(
                    "paths is written in one line: nodes can only be added below it line by line", at: paths,
                    help: "write it in lines: intelmqctl graph \(file) --format canonical")
            ])
        }
        (self.paths, self.graph) = (paths, graph)
        lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// Adds nodes behind the last one.
    /// - Parameter nodes: path items by path, as `/name`.
    package mutating func add(_ nodes: [(path: String, item: YAMLNode)]) {
        let indentation = (paths.pairs?.first?.key.mark.column ?? 3) - 1
        let text = YAMLNode.mapping(nodes.map { ($0.path, $0.item) }, at: paths).document
        let block = text.split(separator: "\n").map { Substring(String(repeating: " ", count: indentation) + $0) }
        // A block collection ends where the next thing begins: comments and empty lines before that belong to it.
        var end = min(max(paths.endMark.line - 1, 0), lines.count)
        if paths.endMark.line >= lines.count { end = lines.count }
        while end > 0, lines[end - 1].allSatisfy({ $0 == " " }) || lines[end - 1].drop(while: { $0 == " " }).first == "#" {
            end -= 1
        }
        lines.insert(contentsOf: block, at: end)
    }

    /// Writes the file, if what it says then is a graph without errors; else nothing is changed.
    /// - Returns: what was found, warnings included.
    package func save(_ roster: Roster) throws(ConfigurationError) -> [Finding] {
        let file = graph.document.file
        let trial = "\(file).new"
        do throws(Rejection) {
            try replaceFile(trial, with: Array(lines.joined(separator: "\n").utf8))
            let findings = Graph.check(path: trial, roster: roster, [.connectiontest, .fieldcheck]).findings
            if findings.contains(where: \.isError) {
                unlink(trial)
                return findings
            }
            try replaceFile(file, with: Array(lines.joined(separator: "\n").utf8))
            unlink(trial)
            return findings
        } catch {
            throw ConfigurationError(["error: \(error.detail)"])
        }
    }
}
