package import HTTP
import IDF

extension Route {
    private static let done = (status: 200, meaning: "Done; `meta` says what.", media: failure)
    private static let missing = (status: 404, meaning: "There is none.", media: failure)
    private static let unclear = (status: 422, meaning: "The query is not understood: it is said what is.", media: failure)
    private static let away = (status: 503, meaning: "The worker does not run or does not answer.", media: failure)

    private static let attached = (
        status: 409, meaning: "Something else than this statusd has started the worker.", media: failure
    )

    private static let filters: [(name: String, meaning: String)] = [
        ("edge", "Only letters of this edge."), ("code", "Only letters with this code."),
        ("event", "Only the event with this id."),
        ("packet", "Only events of the packet with this id."),
        ("text", "Only letters whose reason or original contains this text."),
        ("since", "Only letters since this time (ISO 8601)."), ("until", "Only letters before this time (ISO 8601)."),
    ]
    private static let all = (name: "all", meaning: "`true`: really every letter, where no filter is given.")
    private static let dry = (name: "dry", meaning: "`true`: only try whether it would work; nothing is sent.")

    /// The calls that operate a service: on its control socket, and at its statusd.
    package static let control: [Route] = [
        Route(
            name: .status, method: .get, path: "/v1/status", role: .read,
            summary:
                "State, counts, edges and spool; at the service itself also the accounts, at statusd also rates and processes.",
            answers: [(200, "The status.", failure)]),
        Route(
            name: .spec, method: .get, path: "/v1/spec", role: .read,
            summary: "The worker's specification and the schema of its settings.",
            answers: [(200, "The specification.", failure), away]
        ),
        Route(
            name: .config, method: .get, path: "/v1/config", role: .read,
            summary: "The configuration in force, without secrets.", answers: [(200, "The configuration.", failure), away]),
        Route(
            name: .reload, method: .post, path: "/v1/reload", role: .operate,
            summary: "Reads the configuration file anew and goes on with it.",
            answers: [done, (422, "The configuration is refused, with file and line; the old one goes on.", failure), away]),
        Route(
            name: .pause, method: .post, path: "/v1/pause", role: .operate,
            summary: "Takes nothing and sends nothing until it is resumed; what is in the spool stays there.",
            answers: [done, away]),
        Route(
            name: .resume, method: .post, path: "/v1/resume", role: .operate, summary: "Goes on after a pause.",
            answers: [done, away]),
        Route(
            name: .logLevel, method: .post, path: "/v1/log-level", role: .operate,
            summary: "Changes the level of the log until the next start.",
            query: [("level", "trace, debug, info, notice, warning, error or critical.")], answers: [done, unclear, away]),
        Route(
            name: .tap, method: .get, path: "/v1/tap", role: .read,
            summary: "Shows events as they pass, one JSON object a line; a sample, which never slows the flow.",
            query: [
                ("limit", "Ends after so many events (100)."), ("rate", "At most so many events a second (10, at most 1000)."),
                ("direction", "`in` or `out`; both without."), ("edge", "Only events sent over this edge."),
            ], answers: [(200, "The stream.", "application/x-ndjson"), unclear, away]),
        Route(
            name: .deadLetters, method: .get, path: "/v1/dead-letters", role: .read, summary: "Lists dead letters, oldest first.",
            query: filters + [("limit", "At most so many (100)."), ("after", "Only letters with a higher id.")],
            answers: [(200, "The letters; `meta.total` counts all that fit.", failure), unclear, away]),
        Route(
            name: .deleteDeadLetters, method: .delete, path: "/v1/dead-letters", role: .operate,
            summary: "Throws dead letters away.", query: filters + [all], answers: [done, unclear, away]),
        Route(
            name: .replayDeadLetters, method: .post, path: "/v1/dead-letters/replay", role: .operate,
            summary: "Sends dead letters again; those that fail again stay.", query: filters + [all, dry],
            answers: [done, unclear, away]),
        Route(
            name: .importDeadLetters, method: .post, path: "/v1/dead-letters/import", role: .operate,
            summary: "Takes a dump file of IntelMQ in as dead letters.",
            accepts: ["application/json", "application/octet-stream"],
            answers: [done, unclear, away]),
        Route(
            name: .deadLetter, method: .get, path: "/v1/dead-letters/{id}", role: .read, summary: "One dead letter.",
            answers: [(200, "The letter.", failure), unclear, missing, away]),
        Route(
            name: .editDeadLetter, method: .put, path: "/v1/dead-letters/{id}", role: .operate,
            summary: "Replaces the original of a dead letter by a mended one; it is sent when it is replayed.",
            accepts: ["application/json", "application/octet-stream"], answers: [done, unclear, missing, away]),
        Route(
            name: .deleteDeadLetter, method: .delete, path: "/v1/dead-letters/{id}", role: .operate,
            summary: "Throws one dead letter away.", answers: [done, unclear, missing, away]),
        Route(
            name: .replayDeadLetter, method: .post, path: "/v1/dead-letters/{id}/replay", role: .operate,
            summary: "Sends one dead letter again.", query: [dry], answers: [done, unclear, missing, away]),
    ]

    /// The calls of statusd beyond those of the control socket.
    package static let supervision: [Route] = [
        Route(
            name: .start, method: .post, path: "/v1/start", role: .operate, summary: "Starts the worker's processes.",
            answers: [done, attached]),
        Route(
            name: .stop, method: .post, path: "/v1/stop", role: .operate,
            summary: "Stops the worker; each process finishes what is open.", answers: [done, attached]),
        Route(
            name: .restart, method: .post, path: "/v1/restart", role: .operate,
            summary: "Stops and starts one process after the other.", answers: [done, attached]),
        Route(
            name: .logs, method: .get, path: "/v1/logs", role: .read, summary: "The last lines that the worker has written.",
            query: [("lines", "So many (100)."), ("follow", "`true`: and those that come.")],
            answers: [(200, "The lines.", "text/plain"), unclear, attached]),
    ]

    /// The route of a call with the values of its path's variables; a refusal when there is none.
    package static func find(_ method: HTTPMethod, _ path: String, in routes: [Route]) throws(RouteProblem) -> (
        route: Route, values: [String]
    ) {
        let steps = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        var allowed: [HTTPMethod] = []
        for route in routes {
            let pattern = route.path.split(separator: "/", omittingEmptySubsequences: false)
            guard pattern.count == steps.count else { continue }
            var values: [String] = []
            let fits = zip(pattern, steps).allSatisfy { part, step in
                guard part.hasPrefix("{") else { return part == step }
                values.append(HTTPRequestHead.percentDecoded(step))
                return !step.isEmpty
            }
            guard fits else { continue }
            if route.method == method { return (route, values) }
            allowed.append(route.method)
        }
        throw allowed.isEmpty ? .unknown(routes.map { "\($0.method.rawValue) \($0.path)" }) : .method(allowed)
    }
}

/// Why no route fits a call.
package enum RouteProblem: Error {
    case unknown([String])
    case method([HTTPMethod])

    package func response(_ path: String) -> HTTPResponse {
        switch self {
        case .unknown(let known):
            return .problem(Problem(404, "unknown-path", "no such call here; there are \(known.joined(separator: ", "))"))
        case .method(let allowed):
            let names = allowed.map(\.rawValue).joined(separator: ", ")
            var answer = HTTPResponse.problem(Problem(405, "wrong-method", "\(path.prefix(100)) takes \(names)"))
            answer.headers.append(("Allow", names))
            return answer
        }
    }
}
