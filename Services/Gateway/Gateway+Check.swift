import IDF
import ServiceKernel
import Workflow
import YAML

extension Gateway {
    /// What `intelmqctl check` finds in a graph. Its nodes run, so nothing that they hold (a file, a database) is opened here.
    func findings(of graph: Graph) -> [(check: Finding.Check, diagnostic: Diagnostic)] {
        var found: [(check: Finding.Check, diagnostic: Diagnostic)] = []
        for node in graph.nodes {
            do throws(ConfigurationError) {
                _ = try ConfigurationReader.read(
                    graph.configuration(of: node, state: "\(fleet.directory)/state"), roster: roster, expected: node.entry)
            } catch {
                found += error.messages.map { (.configtest, $0) }
            }
        }
        return found + graph.findings(roster, [.connectiontest, .fieldcheck]).map { ($0.check, $0.diagnostic) }
    }

    /// Refuses a graph with errors; warnings do not count.
    func check(_ graph: Graph) throws(ConfigurationError) {
        let errors = findings(of: graph).map(\.diagnostic).filter { $0.level == .error }
        guard errors.isEmpty else { throw ConfigurationError(errors) }
    }
}

extension ConfigurationError {
    /// The same as problems of a request.
    var problems: [Problem] {
        messages.map { one in
            Problem(
                422, "graph", one.message + (one.help.map { "; \($0)" } ?? ""), line: one.mark?.line, column: one.mark?.column)
        }
    }
}
