import Glibc
import IDF
import ServiceKernel

/// A whole workflow in one process: the same workers and the same loop, events handed from one to the next without HTTP.
/// In a trial, outputs write nothing.
package struct WorkflowRun {
    private var services: [String: Service] = [:]
    package let graph: Graph

    /// - Parameter arrives: sees each packet that comes to a node; false keeps it from the node.

    package init(
        _ graph: Graph, roster: Roster, isTrial: Bool = false, arrives: (@Sendable (String, Packet) -> Bool)? = nil
    ) throws(ConfigurationError) {
        self.graph = graph
        for node in graph.leavesFirst {
            var configuration = try ConfigurationReader.read(
                graph.configuration(of: node, state: nil), roster: roster, expected: node.entry)
            configuration.isTrial = isTrial
            services[node.name] = try Service.inProcess(
                configuration, next: node.edges.compactMap { edge in services[edge.to].map { (edge.to, $0) } }, arrives: arrives)
        }
    }

    /// The service of a node.
    package func service(_ node: String) -> Service? { services[node] }

    /// Feeds files to one node, or, without files, runs one round of the collectors.
    /// - Parameter node: the node that takes the files; nil: the only one that can.
    package func run(_ files: [String], at node: String? = nil, stopAfter: Int) async -> FilterRun.Outcome {
        var outcome = FilterRun.Outcome()
        let taking = graph.entrances.filter { node == nil || $0.name == node }
        let collectors = graph.nodes.filter { $0.entry.family == .collector }
        let names = graph.entrances.map(\.name).joined(separator: ", ")
        if !files.isEmpty, taking.isEmpty {
            outcome.problem = "no node \"\(node ?? "")\" takes files; there are: \(names)"
        } else if !files.isEmpty, taking.count > 1 {
            outcome.problem = "several nodes take files: \(names); say which: --node NAME"
        } else if files.isEmpty, collectors.isEmpty {
            outcome.problem = "the workflow has no collectors; give files for \(names), - is standard input"
        } else {
            await run(files, files.isEmpty ? collectors : taking, stopAfter, &outcome)
        }
        if outcome.problem != nil, outcome.exitCode == 0 { outcome.exitCode = 64 }
        for service in services.values { await service.close() }
        return outcome
    }

    private func run(_ files: [String], _ nodes: [Graph.Node], _ limit: Int, _ outcome: inout FilterRun.Outcome) async {
        let inputs = nodes.compactMap { services[$0.name] }.map { FilterRun($0, limit: limit) }
        let progress = RunProgress.shown(total: RunProgress.size(of: files), isFilter: false) {
            inputs.reduce(0) { $0 + $1.events }
        }
        defer { progress?.stop() }
        var problems: [String] = []
        for (node, input) in zip(nodes, inputs) {
            var filter = input
            filter.progress = progress
            if files.isEmpty {
                let one = await filter.collect()
                outcome.accepted += one.accepted
                if let problem = one.problem { problems.append("\(node.name): \(problem)") }
                outcome.exitCode = max(outcome.exitCode, one.exitCode)
            }
            for file in files where outcome.exitCode == 0 {
                await filter.run(file, into: &outcome)
                if let problem = outcome.problem { problems.append("\(node.name), \(file): \(problem)") }
            }
        }
        outcome.problem = problems.isEmpty ? nil : problems.joined(separator: "\n")
    }

    /// One line per node: what came, what went on, what was dropped.
    package func summary() -> [(node: String, received: Int, sent: Int, dropped: Int, dead: Int)] {
        graph.nodes.compactMap { node in
            guard let metrics = services[node.name]?.metrics else { return nil }
            func count(_ name: String) -> Int { Int(metrics.value("intelmq_events_\(name)_total")) }
            return (node.name, count("received"), count("sent"), count("dropped"), count("dead_lettered"))
        }
    }
}
