import Glibc
import HTTP
import IDF
import ServiceKernel
import Synchronization
import Workflow

/// Asks the statusd of every node once a second, so that whoever asks the gateway is answered from memory.
final class FleetWatch: Sendable {
    private struct Look {
        var at: ContinuousClock.Instant
        var status: JSONValue
        /// Events a second over each edge since the look before.
        var edgeRates: [String: Double] = [:]
    }

    private struct State {
        var sockets: [String: ControlSocket] = [:]
        var looks: [String: Look] = [:]
        var rounds = 0
        /// The round that has told last what is known.
        var told = 0
    }

    private let fleet: LocalFleet
    private let state = Mutex(State())

    init(_ fleet: LocalFleet) { self.fleet = fleet }

    /// The socket of a node's statusd, with its connections kept.
    func statusd(_ node: String) -> ControlSocket {
        state.withLock { state in
            if let socket = state.sockets[node] { return socket }
            let made = fleet.statusd(node)
            state.sockets[node] = made
            return made
        }
    }

    /// Asks all of them; forgets those that are not named.
    func round(_ nodes: [String]) async {
        let round = state.withLock { state in
            state.rounds += 1
            return state.rounds
        }
        let answers = await withTaskGroup(of: (String, JSONValue?).self) { group in
            for node in nodes {
                let socket = statusd(node)
                group.addTask {
                    let answer = try? await socket.call(.get, "/v1/status", timeoutMilliseconds: 5000)
                    return (node, answer.flatMap { $0.status == 200 ? try? JSONValue(parsing: $0.body) : nil })
                }
            }
            return await group.reduce(into: [(String, JSONValue?)]()) { $0.append($1) }
        }
        state.withLock { state in
            // Rounds may overtake each other.
            guard round > state.told else { return }
            state.told = round
            let now = ContinuousClock.now
            state.looks = state.looks.filter { nodes.contains($0.key) }
            state.sockets = state.sockets.filter { nodes.contains($0.key) }
            for (node, status) in answers {
                guard let status else {
                    state.looks[node] = nil
                    continue
                }
                var look = Look(at: now, status: status)
                if let before = state.looks[node] { look.edgeRates = Self.rates(before.status, status, now - before.at) }
                state.looks[node] = look
            }
        }
    }

    private static func rates(_ before: JSONValue, _ now: JSONValue, _ time: Duration) -> [String: Double] {
        let seconds = max(0.001, time / .seconds(1))
        let old = (before["edges"]?.items ?? []).map { ($0["name"]?.string ?? "", $0["sent"]?.integer ?? 0) }
        let counts = Dictionary(old) { first, _ in first }
        var rates: [String: Double] = [:]
        for edge in now["edges"]?.items ?? [] {
            guard let name = edge["name"]?.string, let sent = edge["sent"]?.integer, let was = counts[name] else { continue }
            // A node that has started again counts from nought.
            rates[name] = (Double(max(0, sent - was)) / seconds * 100).rounded() / 100
        }
        return rates
    }

    /// Whether the nodes have been asked at all.
    var hasLooked: Bool { state.withLock { $0.told > 0 } }

    /// What a node's statusd has told last; nil where none answers.
    func status(_ node: String) -> JSONValue? { state.withLock { $0.looks[node]?.status } }

    /// One word for a node.
    func phase(_ node: String) -> String { status(node)?["state"]?.string ?? "no-statusd" }

    /// What is known of an edge: sent, in-spool, is-down, last-success, and events a second lately.
    func edge(from node: String, to target: String) -> (status: JSONValue?, perSecond: Double) {
        state.withLock { state in
            let edges = state.looks[node]?.status["edges"]?.items
            return (
                edges?.first { $0["name"]?.string == target }, state.looks[node]?.edgeRates[target] ?? 0
            )
        }
    }
}
