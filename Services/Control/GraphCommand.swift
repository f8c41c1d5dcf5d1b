import ArgumentParser
import ServiceKernel
import Workflow

extension ControlCommand {
    struct Show: AsyncParsableCommand {
        enum Format: String, CaseIterable, ExpressibleByArgument { case mermaid, dot, json, canonical }

        static let configuration = CommandConfiguration(
            commandName: "graph", abstract: "Prints a workflow as a diagram, as data, or written anew in one form.",
            discussion: """
                mermaid    for Markdown pages and wikis that draw it
                dot        for Graphviz: intelmqctl graph GRAPH --format dot | dot -Tsvg
                json       nodes with worker, family, acknowledgement, server and edges, for programs
                canonical  the document itself in one form, without comments: to compare two, or to tidy one
                """)
        @Argument(help: "The workflow: an OpenAPI document.", completion: .file(extensions: ["yaml", "json"])) var graph: String
        @Option(help: "mermaid, dot, json or canonical.") var format = Format.mermaid

        func run() async throws {
            let graph = try ControlCommand.graph(graph, isChecked: false)
            switch format {
            case .mermaid: print(graph.mermaid, terminator: "")
            case .dot: print(graph.dot, terminator: "")
            case .json: print(graph.json.pretty())
            case .canonical: print(graph.canonical, terminator: "")
            }
        }
    }
}
