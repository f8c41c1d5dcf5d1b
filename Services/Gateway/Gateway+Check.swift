import IDF
import ServiceKernel
import Workflow
import YAML

extension Gateway {
    /// What is wrong with a graph. Its nodes run, so nothing that they hold (a file, a database) is opened here.
    func check(_ graph: Graph) throws(ConfigurationError) {
        var messages: [Diagnostic] = []
        for node in graph.nodes {
            do throws(ConfigurationError) {
                _ = try ConfigurationReader.read(
                    graph.configuration(of: node, state: "\(fleet.directory)/state"), roster: roster, expected: node.entry)
            } catch {
                messages += error.messages
            }
        }
        guard messages.isEmpty else { throw ConfigurationError(messages) }
    }
}

extension ConfigurationError {
    /// What is wrong, in parts and without the lines of the file, which may hold a secret.
    var findings: JSONValue {
        .array(
            messages.map { one in
                .object([
                    "level": .string(one.level.rawValue), "message": .string(one.message),
                    "file": one.file.map { .string($0) } ?? .null, "line": one.mark.map { .integer($0.line) } ?? .null,
                    "column": one.mark.map { .integer($0.column) } ?? .null, "help": one.help.map { .string($0) } ?? .null,
                ])
            })
    }

    /// The same as problems of a request.
    var problems: [Problem] {
        messages.map { one in
            Problem(
                422, "graph", one.message + (one.help.map { "; \($0)" } ?? ""), line: one.mark?.line, column: one.mark?.column)
        }
    }
}
