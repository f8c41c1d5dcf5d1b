import HTTP
import IDF
import ServiceKernel
import YAML

extension Graph {
    /// Edges that end where their data is not taken, and nodes that stand alone.
    var connectionFindings: [Finding] {
        var findings: [Finding] = []
        for node in nodes {
            for edge in node.edges {
                guard let target = nodes.first(where: { $0.name == edge.to }) else { continue }
                let place = edge.node["to"] ?? edge.node
                guard let kind = node.entry.family.sends else {
                    findings.append(
                        finding(.connectiontest, "\(node.name) is an output: it hands nothing on in the workflow", at: place))
                    continue
                }
                if kind != target.entry.family.takes {
                    findings.append(
                        finding(
                            .connectiontest,
                            "\(node.name) sends \(kind.rawValue), but \(target.name) (\(target.entry.name)) takes \(target.entry.family.takes?.rawValue ?? "nothing")",
                            at: place,
                            kind == .reports ? "put a parser between them" : "events go to experts and outputs"))
                }
            }
            findings += shareFindings(node)
            let place = node.nameplate
            if node.edges.isEmpty, node.entry.family != .output {
                // An expert at the end of a chain may still be asked over HTTP.
                let isAsked = node.entry.family == .expert
                findings.append(
                    finding(
                        .connectiontest, "what \(node.name) sends would go nowhere: it has no edges", at: place,
                        isAsked
                            ? "it only answers look-ups and POST with Prefer: return=representation"
                            : "add x-intelmq-edges: [{to: NODE}]", level: isAsked ? .warning : .error))
            }
            if node.entry.family == .output, !nodes.contains(where: { $0.edges.contains { $0.to == node.name } }) {
                findings.append(
                    finding(
                        .connectiontest, "nothing is ever sent to \(node.name)", at: place,
                        "add {to: \(node.name)} to the edges of a node"))
            }
            if node.entry.family != .collector, node.server == gatewayServer {
                findings.append(
                    finding(
                        .connectiontest, "\(node.name) has the address of the workflow's gateway, \(node.server)", at: place,
                        "give it one of its own: servers: [{url: …}]"))
            }
            let before = nodes.prefix { $0.name != node.name }
            if node.entry.family != .collector,
                let other = before.first(where: { $0.entry.family != .collector && $0.server == node.server })
            {
                findings.append(
                    finding(.connectiontest, "\(node.name) and \(other.name) have the same address \(node.server)", at: place))
            }
            if let unlike = schemeFinding(node) { findings.append(unlike) }
        }
        return findings
    }

    /// An address that says https where the service would speak http, or the other way round: nobody would reach it.
    private func schemeFinding(_ node: Node) -> Finding? {
        guard node.entry.family != .collector else { return nil }
        let tls = node.worker["tls"]
        if tls == nil, node.server.hasPrefix("https://") {
            return finding(
                .connectiontest,
                "\(node.name) has the address \(withoutUser(node.server)), but its service would speak http there",
                at: node.nameplate,
                "add to its x-intelmq-worker: tls: {certificate: FILE, key: FILE}, or write http:// in its servers:")
        }
        if let tls, node.server.hasPrefix("http://") {
            return finding(
                .connectiontest,
                "\(node.name) has the address \(withoutUser(node.server)), but its service would speak https there",
                at: tls, "write https:// in its servers:, or take tls: away")
        }
        return nil
    }

    /// Edges that take turns with nobody: a name that was mistyped, or an edge that was forgotten.
    private func shareFindings(_ node: Node) -> [Finding] {
        let shares = node.edges.compactMap { edge in edge.node["share"].map { (group: $0.string ?? "", to: edge.to, place: $0) } }
        return shares.filter { one in shares.filter { $0.group == one.group }.count == 1 }.map { one in
            let others = shares.map(\.group).filter { $0 != one.group }
            let near = didYouMean(one.group, in: others).map { "\($0) " } ?? ""
            return finding(
                .connectiontest,
                "the edge from \(node.name) to \(one.to) takes turns with no other: it is the only one of the group \"\(one.group)\"",
                at: one.place, near + "give another edge of \(node.name) share: \(one.group), or take it away here",
                level: .warning)
        }
    }

    /// Asks every node's service whether it is there, ready, and the worker that the graph says.
    package func reach() async -> [Finding] {
        let client = HTTPClient(connectionsPerHost: 1)
        return await withTaskGroup(of: (Int, Finding?).self) { group in
            for (index, node) in nodes.enumerated() where node.entry.family != .collector {
                group.addTask { (index, await reach(node, client)) }
            }
            var found: [(Int, Finding)] = []
            for await (index, finding) in group { if let finding { found.append((index, finding)) } }
            return found.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func reach(_ node: Node, _ client: HTTPClient) async -> Finding? {
        func problem(_ message: String, _ help: String) -> Finding {
            finding(
                .connectiontest, "\(node.name) at \(node.server): \(message)", at: node.nameplate, help)
        }
        func get(_ path: String) async throws(HTTPClientError) -> HTTPClientResponse {
            try await client.send(HTTPClientRequest(url: node.server + path, timeoutMilliseconds: 3000))
        }
        do throws(HTTPClientError) {
            let document = try await get("/openapi.json")
            let title = (try? JSONValue(parsing: document.body))?["info"]?["title"]?.string
            guard document.status == 200, let title else {
                return problem(
                    "something answers, but it does not speak the service contract (GET /openapi.json: \(document.status))",
                    "is another program listening there?")
            }
            guard title == node.entry.name else {
                return problem("found the service \(title), wanted \(node.entry.name)", "another workflow may use this address")
            }
            let ready = try await get("/readyz")
            guard ready.status == 200 else {
                return problem("it is not ready (\(ready.status))", "see why: intelmqctl status \(node.name)")
            }
            return nil
        } catch {
            return problem("cannot be reached: \(error)", "start it: intelmqctl up \(document.file)")
        }
    }
}

/// What travels over an edge.
enum Cargo: String {
    case reports, events
}

extension Family {
    fileprivate var sends: Cargo? {
        switch self {
        case .collector: .reports
        case .parser, .expert: .events
        case .output: nil
        }
    }

    fileprivate var takes: Cargo? {
        switch self {
        case .collector: nil
        case .parser: .reports
        case .expert, .output: .events
        }
    }
}
