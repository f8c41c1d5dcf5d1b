import ArgumentParser
import IDF
import ServiceKernel
import Workflow
import YAML

extension ControlCommand {
    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Runs cases of a workflow: what is given at a node, and what must come to others. Outputs write nothing.",
            discussion: "Exit code 0: all hold, 1: some do not, 78: graph or cases cannot be read.")
        @Argument(help: "The workflow: an OpenAPI document.") var graph: String
        @Argument(help: "Files of cases: lists of {title, at, given, expect}.") var cases: [String]
        @Flag(help: "Print the results as JSON.") var json = false

        func run() async throws {
            let graph = try ControlCommand.graph(graph)
            var results: [(title: String, differences: [Diagnostic])] = []
            do throws(ConfigurationError) {
                for path in cases {
                    for one in try WorkflowCase.read(path: path, for: graph) {
                        results.append((one.title, try await one.run(graph, roster: ControlProgram.roster)))
                    }
                }
            } catch {
                say(error.description)
                throw ExitCode(78)
            }
            let failed = results.count { !$0.differences.isEmpty }
            if json {
                let items = results.map { one in
                    JSONValue.object([
                        "title": .string(one.title), "ok": .boolean(one.differences.isEmpty),
                        "differences": .array(one.differences.map(\.json)),
                    ])
                }
                print(JSONValue.object(["ok": .boolean(failed == 0), "cases": .array(items)]).pretty())
            } else {
                for one in results {
                    print("\(one.differences.isEmpty ? "ok    " : "failed") \(one.title)")
                    for difference in one.differences { print(difference.description) }
                }
                print("\(results.count) cases, \(failed) failed")
            }
            if failed > 0 { throw ExitCode(1) }
        }
    }
}
