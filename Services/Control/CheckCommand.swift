import ArgumentParser
import IDF
import ServiceKernel
import Workflow

extension ControlCommand {
    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Checks a workflow: its graph, the configuration of all its nodes, its edges, the fields on every way.",
            discussion: """
                configtest      every node's configuration, by the code that a start reads it with
                connectiontest  edges end where their data is taken, every node is fed; nothing waits in the folder of `up` for edges that
                                are no more; with --connect: every service answers
                fieldcheck      on every way to a node something is written that it reads; TLP ceilings let something through

                Exit code 0: nothing wrong (there may be warnings), 78: errors.
                """)
        @Argument(help: "The workflow: an OpenAPI document.") var graph: String
        @Option(help: "Only this check: configtest, connectiontest or fieldcheck.") var only: Finding.Check?
        @Flag(help: "Also ask every service whether it is there.") var connect = false
        @Option(help: "The folder given to `up`, where events may wait.") var directory = "var"
        @Flag(help: "Print the findings as JSON.") var json = false

        func run() async throws {
            var (graph, findings) = Graph.check(
                path: graph, roster: ControlProgram.roster, only.map { [$0] } ?? Finding.Check.allCases)
            if only ?? .connectiontest == .connectiontest, let graph {
                findings += LocalFleet(directory: directory).stranded(by: graph)
            }
            if connect, let graph { findings += await graph.reach() }
            let count = graph?.nodes.count ?? 0
            let isGood = !findings.contains(where: \.isError)
            if json {
                print(
                    JSONValue.object([
                        "ok": .boolean(isGood), "nodes": .integer(count), "findings": .array(findings.map(\.json)),
                    ]).pretty())
            } else {
                for finding in findings { Terminal.say(finding.diagnostic) }
                if isGood { print("ok: \(count) nodes" + (findings.isEmpty ? "" : ", \(findings.count) warnings")) }
            }
            if !isGood { throw ExitCode(78) }
        }
    }
}

extension Finding.Check: ExpressibleByArgument {}
