import HTTP
import IDF
import ServiceKernel
import Workflow
import YAML

extension GatewayHandler {
    // MARK: looking

    /// The status of the workflow.
    var status: JSONValue {
        let edition = gateway.edition
        let nodes = edition.graph.nodes.map { node in
            gateway.watch.status(node.name) ?? .object(["name": .string(node.name), "state": .string("no-statusd")])
        }
        let isRunning = nodes.allSatisfy { $0["state"]?.string == "running" }
        return .object([
            "title": .string(edition.graph.title), "state": .string(isRunning ? "running" : "degraded"),
            "version": .string(Version.current), "generation": .integer(edition.number), "nodes": .array(nodes),
            "draining": gateway.draining,
        ])
    }

    /// Nodes and edges with what passes.
    var liveGraph: JSONValue {
        let edition = gateway.edition
        let nodes = edition.graph.nodes.map { node -> JSONValue in
            let status = gateway.watch.status(node.name)
            return .object([
                "name": .string(node.name), "worker": .string(node.entry.name), "family": .string(node.entry.family.rawValue),
                "summary": .string(node.entry.spec.summary), "server": .string(withoutUser(node.server)),
                "state": .string(gateway.watch.phase(node.name)), "per-second": status?["per-second"] ?? .null,
                "totals": status?["totals"] ?? .null, "spool": status?["spool"] ?? .null,
            ])
        }
        let edges = edition.graph.nodes.flatMap { node in
            node.edges.map { edge -> JSONValue in
                let (live, perSecond) = gateway.watch.edge(from: node.name, to: edge.to)
                var members: [JSONValue.Member] = [.init("from", .string(node.name)), .init("to", .string(edge.to))]
                for (key, value) in edge.node.pairs ?? [] where ["on", "when", "tlp-max", "share"].contains(key.string ?? "") {
                    members.append(.init(key.string ?? "", .string(value.string ?? value.flow)))
                }
                members += [
                    .init("per-second", .number("\(perSecond)")), .init("sent", live?["sent"] ?? .null),
                    .init("in-spool", live?["in-spool"] ?? .null), .init("is-down", live?["is-down"] ?? .null),
                    .init("last-success", live?["last-success"] ?? .null),
                ]
                return .object(members)
            }
        }
        return .object([
            "title": .string(edition.graph.title), "generation": .integer(edition.number), "nodes": .array(nodes),
            "edges": .array(edges), "draining": gateway.draining,
            "chains": .object(edition.chains.all.map { .init($0.name, .array($0.nodes.map { .string($0.name) })) }),
        ])
    }

    /// What `intelmqctl check` finds.
    func checks() -> HTTPResponse {
        let findings = gateway.findings(of: gateway.edition.graph)
        return .json(
            .object([
                "ok": .boolean(!findings.contains { $0.diagnostic.level == .error }),
                "findings": .array(
                    findings.map {
                        .object([.init("check", .string($0.check.rawValue))] + ($0.diagnostic.withoutSource.json.members ?? []))
                    }),
            ]))
    }

    /// A page for Prometheus.
    var metrics: String {
        let edition = gateway.edition
        var page = """
            # HELP intelmq_gateway_generation Generation of the graph in force.
            # TYPE intelmq_gateway_generation gauge
            intelmq_gateway_generation \(edition.number)
            # HELP intelmq_gateway_node_up Whether a node of the workflow runs.
            # TYPE intelmq_gateway_node_up gauge

            """
        for node in edition.graph.nodes {
            page += "intelmq_gateway_node_up{node=\"\(node.name)\"} \(gateway.watch.phase(node.name) == "running" ? 1 : 0)\n"
        }
        return page
    }

    // MARK: operating

    /// Asks the statusd of one node or of all to do something.
    func operate(_ route: Route, _ head: HTTPRequestHead) async throws(Problem) -> HTTPResponse {
        let edition = gateway.edition
        let named = head.query.first { $0.name == "node" }?.value
        let nodes = try named.map { name throws(Problem) in [try edition.node(name)] } ?? edition.graph.leavesFirst
        let sockets = nodes.map { gateway.watch.statusd($0.name) }
        let answers = await withTaskGroup(of: (Int, HTTPClientResponse?).self) { group in
            for (index, socket) in sockets.enumerated() {
                group.addTask { (index, try? await socket.call(.post, route.path, timeoutMilliseconds: 120_000)) }
            }
            return await group.reduce(into: [Int: HTTPClientResponse]()) { $0[$1.0] = $1.1 }
        }
        var problems: [Problem] = []
        var data: [JSONValue] = []
        for (index, node) in nodes.enumerated() {
            let body = answers[index].flatMap { try? JSONValue(parsing: $0.body) }
            guard let answer = answers[index], answer.status < 300 else {
                let why = (body?["errors"]?.items ?? []).compactMap { $0["detail"]?.string }.joined(separator: "; ")
                problems.append(
                    answers[index] == nil
                        ? absent(node.name)
                        : Problem(503, "not-done", "\(node.name): \(why)"))
                continue
            }
            data.append(.object(["node": .string(node.name), "meta": body?["meta"] ?? .null]))
        }
        await gateway.lookAround()
        guard problems.isEmpty else { return .problems(problems) }
        return .json(.object(["data": .array(data)]))
    }
}
