import Glibc
import ServiceKernel
import YAML

/// The text of a graph's file, changed in place: comments and layout of the rest stay.
package struct GraphText {
    private var lines: [Substring]
    private let paths: YAMLNode
    private let graph: Graph
    /// Lines that were added, counted from 0.
    private var added = 0..<0

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
        added = end..<end + block.count
    }

    /// Writes the file, if what it says then is a graph without errors; else nothing is changed.
    /// - Returns: the graph as it is then, or nil; and what was found, warnings included, with places in the file as it was.
    package func save(_ roster: Roster) throws(ConfigurationError) -> (graph: Graph?, findings: [Finding]) {
        let file = graph.document.file
        let bytes = Array(lines.joined(separator: "\n").utf8)
        let changed: Graph
        do throws(ConfigurationError) { changed = try Graph(bytes, file: file, roster: roster) } catch {
            return (nil, error.messages.map { Finding(check: .configtest, diagnostic: placed($0)) })
        }
        let findings = changed.findings(roster, [.connectiontest, .fieldcheck])
        if findings.contains(where: \.isError) {
            return (nil, findings.map { Finding(check: $0.check, diagnostic: placed($0.diagnostic), path: $0.path) })
        }
        do throws(Rejection) { try replaceFile(file, with: bytes) } catch {
            throw ConfigurationError(["error: \(error.detail)"])
        }
        return (changed, findings)
    }

    /// A place in the changed text as one in the file.
    private func placed(_ diagnostic: Diagnostic) -> Diagnostic {
        var one = diagnostic
        guard let mark = one.mark, mark.line > added.lowerBound else { return one }
        if mark.line > added.upperBound {
            one.mark = YAMLMark(line: mark.line - added.count, column: mark.column)
        } else {
            one.mark = nil
            one.message += " (in what would be added)"
        }
        return one
    }
}
