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

    /// Feeds files to the nodes that no edge ends at; without files it runs one round of their collectors.
    package func run(_ files: [String], stopAfter: Int) async -> FilterRun.Outcome {
        var outcome = FilterRun.Outcome()
        let inputs = graph.sources.compactMap { services[$0.name] }.map { FilterRun($0, limit: stopAfter) }
        let progress = RunProgress.shown(total: RunProgress.size(of: files) * inputs.count, isFilter: false) {
            inputs.reduce(0) { $0 + $1.events }
        }
        defer { progress?.stop() }
        for source in graph.sources {
            guard let service = services[source.name] else { continue }
            var filter = FilterRun(service, limit: stopAfter)
            filter.progress = progress
            if source.entry.family == .collector {
                let one = await filter.collect()
                outcome.accepted += one.accepted
                outcome.problem = one.problem ?? outcome.problem
                outcome.exitCode = max(outcome.exitCode, one.exitCode)
                continue
            }
            for file in files {
                guard let bytes = file == "-" ? readAll(STDIN_FILENO) : readFile(file) else {
                    outcome.problem = "cannot read \(file): \(String(cString: strerror(errno)))"
                    outcome.exitCode = 74
                    return outcome
                }
                await filter.run(bytes, name: file == "-" ? nil : file, into: &outcome)
                if outcome.exitCode != 0 { return outcome }
            }
        }
        for service in services.values { await service.close() }
        return outcome
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
