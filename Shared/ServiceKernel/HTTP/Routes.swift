package import HTTP
import IDF

/// One call of the service contract. The router, `/openapi.json` and the committed documents come from this table.
package struct Route: Sendable {
    package enum Name: String, Sendable {
        case packets, reports, lookup, lookupMany, livez, readyz, startupz, metrics, openapi
        // On the control socket and at statusd.
        case status, spec, config, reload, pause, resume, logLevel, tap
        case deadLetters, deleteDeadLetters, replayDeadLetters, importDeadLetters
        case deadLetter, editDeadLetter, deleteDeadLetter, replayDeadLetter
        // At statusd alone.
        case start, stop, restart, logs
        // At the gateway alone.
        case enrich, graph, graphDocument, editGraphDocument, planGraph, generations, generation, restoreGeneration, checks,
            schema
    }

    package let name: Name
    package let method: HTTPMethod
    package let path: String
    /// What a caller needs where the service has tokens; nil: nothing.
    package var role: AccessRole?
    package let summary: String
    /// Names and meanings of what the query may hold.
    package var query: [(name: String, meaning: String)] = []
    /// Media types of the body, the first one documented; empty where there is no body.
    package var accepts: [String] = []
    /// Status codes with their meaning and media type.
    package let answers: [(status: Int, meaning: String, media: String)]

    /// A call; what is not given it does not have.
    package init(
        name: Name, method: HTTPMethod, path: String, role: AccessRole? = nil, summary: String,
        query: [(name: String, meaning: String)] = [], accepts: [String] = [],
        answers: [(status: Int, meaning: String, media: String)]
    ) {
        (self.name, self.method, self.path, self.role, self.summary) = (name, method, path, role, summary)
        (self.query, self.accepts, self.answers) = (query, accepts, answers)
    }

    package static let failure = "application/vnd.api+json"
    /// Why a body may not be taken.
    package static let refusals: [(status: Int, meaning: String, media: String)] = [
        (400, "The body is malformed: line and column are named.", failure),
        (413, "The body or the number of events is over the limit, which is named.", failure),
        (415, "The media type or content encoding is not one of those accepted.", failure),
        (422, "The body is readable but not right: each error has a pointer.", failure),
        (503, "Not now; Retry-After says when. The sender still has the data.", failure),
        (507, "The spool is full; Retry-After says when to try again.", failure),
    ]
    static let health: [(status: Int, meaning: String, media: String)] = [
        (200, "Yes.", "text/plain"), (503, "No.", "text/plain"),
    ]

    /// The header that names a report, so that the same one sent again has one effect (draft-ietf-httpapi-idempotency-key-header).
    package static let idempotencyKey = "Idempotency-Key"

    /// The calls of a worker.
    package static func all(for worker: RosterEntry) -> [Route] {
        var routes: [Route] = []
        if worker.family != .collector {
            routes.append(
                Route(
                    name: .packets, method: .post, path: "/v1/packets", role: .data,
                    summary:
                        "Takes an IDF packet in. With `Prefer: return=representation` it answers the processed packet and forwards nothing.",
                    accepts: ["application/vnd.api+json", "application/json"],
                    answers: [
                        (200, "Every next hop has acknowledged the packet.", failure),
                        (202, "The packet is synced to this service's disk.", failure),
                    ] + refusals))
        }
        if worker.family == .parser {
            routes.append(
                Route(
                    name: .reports, method: .post, path: "/v1/reports", role: .data,
                    summary: "Takes a raw report in; the query carries fields of the feed, as `feed.name` and `file_name`.",
                    accepts: ["*/*"],
                    answers: [
                        (200, "Every next hop has acknowledged every event.", failure),
                        (202, "The events are synced to this service's disk.", failure),
                    ] + refusals))
        }
        if worker.spec.lookup != nil {
            routes.append(
                Route(
                    name: .lookup, method: .get, path: "/v1/lookup/{value}", role: .data,
                    summary: "What the worker knows about one value; with `/{field}` behind it that field as plain text.",
                    answers: [
                        (200, "What is known.", "application/vnd.api+json"),
                        (304, "Nothing has changed since the ETag given.", failure),
                        (404, "The worker knows nothing about that field of the value.", failure),
                        (422, "The value is of the wrong type.", failure),
                    ]))
            routes.append(
                Route(
                    name: .lookupMany, method: .post, path: "/v1/lookup", role: .data,
                    summary:
                        "Looks up many values: a JSON array, or one value a line; answers one JSON object a line in the same order.",
                    accepts: ["application/json", "application/x-ndjson", "text/plain"],
                    answers: [(200, "One object a line.", "application/x-ndjson")] + refusals.prefix(4)))
        }
        routes += operating
        return routes
    }

    /// Health, metrics and the document: every listener has them.
    package static let operating: [Route] = [
        Route(
            name: .livez, method: .get, path: "/livez", summary: "Whether the process lives; depends on nothing else.",
            answers: health),
        Route(
            name: .readyz, method: .get, path: "/readyz",
            summary: "Whether the service takes packets; `?verbose` says what it checked.", answers: health),
        Route(name: .startupz, method: .get, path: "/startupz", summary: "Whether the service has started.", answers: health),
        Route(
            name: .metrics, method: .get, path: "/metrics", role: .read,
            summary: "Measures, in Prometheus' text format or, if the Accept header asks for it, in OpenMetrics.",
            answers: [(200, "The page.", "text/plain")]),
        Route(
            name: .openapi, method: .get, path: "/openapi.json", summary: "This service's OpenAPI 3.1 document.",
            answers: [(200, "The document.", "application/json")]),
    ]

    /// The route of a path, whatever the method.
    static func named(_ path: String) -> [Name] {
        switch path {
        case "/v1/packets": [.packets]
        case "/v1/reports": [.reports]
        case "/v1/lookup": [.lookupMany]
        case "/livez": [.livez]
        case "/readyz": [.readyz]
        case "/startupz": [.startupz]
        case "/metrics": [.metrics]
        case "/openapi.json": [.openapi]
        default: path.hasPrefix("/v1/lookup/") ? [.lookup] : []
        }
    }
}
