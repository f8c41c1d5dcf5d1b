import Glibc
import HTTP
import IDF
import Logging
import ServiceKernel
import Spool
import Workflow

/// A node or an edge that has left the graph and still holds something.
struct Leaving: Sendable {
    let since = ContinuousClock.now
    var because: String
    var isOverdue = false
}

extension Gateway {
    /// What is on its way out, and why it is still there.
    var draining: JSONValue {
        let all = leaving.withLock { $0 }.sorted { $0.key < $1.key }
        return .array(
            all.map { name, one in
                .object([
                    "what": .string(name), "because": .string(one.because),
                    "seconds": .integer((ContinuousClock.now - one.since).components.seconds),
                    "is-overdue": .boolean(one.isOverdue),
                ])
            })
    }

    /// Lets go what has left the graph and holds nothing any more. The files in the workflow's folder say what is there, so a gateway
    /// that has started again goes on with it.
    func tidy() async {
        guard !isTidy.load(ordering: .relaxed) else { return }
        guard work.compareExchange(expected: 0, desired: 1, ordering: .acquiring).exchanged else { return }
        await look()
        work.store(0, ordering: .releasing)
    }

    /// The same, for whoever changes something.
    func look() async {
        let kept = Set(edition.graph.nodes.map(\.name))
        let all = fleet.nodes.compactMap { name in NodeFile(path: fleet.configuration(name)).map { (name: name, file: $0) } }
        var waiting: [String: String] = [:]
        do throws(Rejection) {
            for (name, file) in all where file.edges.contains(where: \.isEnding) && kept.contains(name) {
                try await letEdgesGo(name, file, &waiting)
            }
            for (name, file) in all where !kept.contains(name) {
                let sender = all.first { $0.name != name && $0.file.edges.contains { $0.name == name } }
                waiting[name] = try await letGo(name, file, sender: sender?.name)
            }
        } catch {
            log.error("what has left the graph cannot be let go: \(error.detail)")
            waiting["the workflow"] = error.detail
        }
        note(waiting)
        isTidy.store(waiting.isEmpty, ordering: .relaxed)
    }

    private func note(_ waiting: [String: String]) {
        let limit = Duration.seconds(configuration.gateway.drain.seconds)
        let overdue = leaving.withLock { leaving in
            leaving = leaving.filter { waiting[$0.key] != nil }
            var overdue: [(String, String)] = []
            for (name, because) in waiting {
                var one = leaving[name] ?? Leaving(because: because)
                one.because = because
                if !one.isOverdue, ContinuousClock.now - one.since > limit {
                    one.isOverdue = true
                    overdue.append((name, because))
                }
                leaving[name] = one
            }
            return overdue
        }
        for (name, because) in overdue {
            log.warning(
                "has left the graph, still holds something and is kept running: \(because)", metadata: ["what": "\(name)"])
        }
    }

    /// Takes the edges away that have delivered everything.
    private func letEdgesGo(_ node: String, _ file: NodeFile, _ waiting: inout [String: String]) async throws(Rejection) {
        let status = await fresh(node)
        let known = status?["edges"]?.items ?? []
        let isWhole = status?["processes"]?.items?.allSatisfy { $0["answers"]?.bool == true } == true
        let left = file.edges.filter(\.isEnding).filter { edge in
            let held = known.first { $0["name"]?.string == edge.name }?["in-spool"]?.integer
            guard !isWhole || held != 0 else { return false }
            waiting["\(node) → \(edge.name)"] =
                held.map { "\($0) events wait to be delivered" } ?? "\(node) does not say what it holds"
            return true
        }
        guard left.count < file.edges.filter(\.isEnding).count else { return }
        try fleet.write(node, file.with(edges: file.edges.filter { !$0.isEnding }.map(\.node), ending: left.map(\.node)))
        _ = try? await watch.statusd(node).call(.post, "/v1/reload", timeoutMilliseconds: 60_000)
    }

    /// Ends a node that is not in the graph when nobody sends to it and it holds nothing.
    /// - Returns: why it is still there.
    private func letGo(_ node: String, _ file: NodeFile, sender: String?) async throws(Rejection) -> String? {
        if let sender { return "\(sender) still sends to it" }
        let open = file.edges.filter { !$0.isEnding }
        let isRunning = await fresh(node)?["state"]?.string == "running"
        // From now on it takes nothing and delivers what it has.
        if isRunning, !open.isEmpty,
            !fileNames(in: "\(fleet.directory)/state/\(node)").filter({ $0.hasPrefix("spool.sqlite") }).isEmpty
        {
            guard await fleet.end(node) else { return "it does not end" }
            try await fleet.launch(node, file.with(edges: [], ending: file.edges.map(\.node)))
        }
        if let held = held(node) { return held }
        guard await fleet.end(node) else { return "it does not end" }
        unlink(fleet.configuration(node))
        log.notice("a node has left the graph and is gone", metadata: ["node": "\(node)"])
        return nil
    }

    /// What a node has on its disk.
    private func held(_ node: String) -> String? {
        let base = "\(fleet.directory)/state/\(node)"
        var (packets, letters) = (0, 0)
        for folder in [base] + fileNames(in: base).filter({ $0.hasPrefix("slot-") }).map({ "\(base)/\($0)" }) {
            guard access("\(folder)/spool.sqlite", F_OK) == 0 else { continue }
            do throws(SpoolError) {
                let spool = try Spool.inspect(directory: folder, limit: 0)
                packets += spool.packetCount
                letters += spool.deadLetters
            } catch {
                return "its spool cannot be read: \(error)"
            }
        }
        if packets > 0 { return "\(packets) packets wait to be delivered" }
        return letters > 0 ? "\(letters) dead letters would be forgotten: replay or delete them" : nil
    }

    private func fresh(_ node: String) async -> JSONValue? {
        let answer = try? await watch.statusd(node).call(.get, "/v1/status", timeoutMilliseconds: 5000)
        return answer.flatMap { $0.status == 200 ? try? JSONValue(parsing: $0.body) : nil }
    }
}
