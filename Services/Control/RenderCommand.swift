import ArgumentParser
import IDF
import ServiceKernel
import Workflow

extension ControlCommand {
    struct Render: AsyncParsableCommand {
        enum Engine: String, EnumerableFlag {
            case compose, kubernetes, networkpolicy, prometheus

            static func help(for value: Engine) -> ArgumentHelp? {
                switch value {
                case .compose: "A stack for docker compose: every node a container with its volume."
                case .kubernetes:
                    "Services, ConfigMaps, Deployments, and StatefulSets with volumes for nodes that keep something."
                case .networkpolicy: "Network policies for Kubernetes: only the graph's edges are open, and metrics."
                case .prometheus: "A configuration of Prometheus with every service as a target."
                }
            }
        }

        static let configuration = CommandConfiguration(
            abstract: "Writes a workflow for an engine, as one file on standard output.",
            discussion: """
                Paths in settings become paths in containers: what parsers and experts read is mounted, what outputs write goes into the
                volume. No secret is written: the head of each file says which tokens it needs.
                """)
        @Argument(help: "The workflow: an OpenAPI document.", completion: .file(extensions: ["yaml", "json"])) var graph: String
        @Flag(exclusivity: .exclusive) var engine: Engine
        @Option(help: "Container image; for compose and kubernetes.") var image: String?

        func run() async throws {
            let graph = try ControlCommand.graph(graph, isChecked: false)
            switch engine {
            case .compose: print(graph.compose(image: image), terminator: "")
            case .kubernetes: print(graph.kubernetes(image: image ?? "intelmq:latest"), terminator: "")
            case .networkpolicy: print(graph.networkPolicies, terminator: "")
            case .prometheus: print(graph.prometheus, terminator: "")
            }
        }
    }
}
