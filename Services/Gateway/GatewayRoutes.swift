import HTTP
import ServiceKernel

extension Route {
    typealias Answer = (status: Int, meaning: String, media: String)
    static let away: Answer = (503, "The node does not run or does not answer; send it again later.", failure)
    static let strange: Answer = (502, "What answers at the node's address does not speak the contract.", failure)
    static let noNode: Answer = (404, "There is no such node; those that are there are named.", failure)
    private static let unclear: Answer = (422, "The query is not understood: it is said what is.", failure)
    private static let refused: Answer = (
        422, "The graph is refused: file, line and a fix for everything that is wrong.", failure
    )
    private static let node = (
        name: "node", meaning: "Only this node; where the workflow has one entrance, it need not be named."
    )
    private static let fresh: Answer = (
        409, "Another generation is in force, or a change is being made; the answer says which.", failure
    )
    private static let noGeneration: Answer = (404, "There is no such generation.", failure)
    static let yaml = ["application/yaml", "application/json"]

    private static func verb(_ name: Name, _ summary: String) -> Route {
        Route(
            name: name, method: .post, path: "/v1/\(name.rawValue)", role: .operate, summary: summary,
            query: [("node", "Only this node; all of them without.")],
            answers: [
                (200, "Done; one entry a node.", failure), noNode, unclear,
                (503, "Not done by every node: each says why.", failure),
            ])
    }

    /// The calls of the gateway itself.
    static let gateway: [Route] =
        operating + [
            Route(
                name: .schema, method: .get, path: "/schemas/idf-3.1.schema.json", summary: "JSON Schema of packets.",
                answers: [(200, "The schema.", "application/json")]),
            Route(
                name: .packets, method: .post, path: "/v1/packets", role: .data,
                summary: "Takes a packet in at an entrance of the workflow, and answers what that node answers.", query: [node],
                accepts: ["application/vnd.api+json", "application/json"],
                answers: [
                    (200, "Every next hop has acknowledged the packet.", failure),
                    (202, "The packet is synced to the node's disk.", failure),
                ] + refusals + [noNode, strange]),
            Route(
                name: .reports, method: .post, path: "/v1/reports", role: .data,
                summary: "Takes a raw report in at an entrance of the workflow that is a parser, and answers what it answers.",
                query: [node], accepts: ["*/*"],
                answers: [
                    (200, "Every next hop has acknowledged every event.", failure),
                    (202, "The events are synced to the node's disk.", failure),
                ] + refusals + [noNode, strange]),
            Route(
                name: .enrich, method: .post, path: "/v1/enrich", role: .data,
                summary:
                    "Sends one event, as an object like {\"source.ip\": \"192.0.2.1\"}, or a packet through a chain of experts and answers what comes out; nothing is forwarded or remembered.",
                query: [("chain", "Name of a chain of the graph (x-intelmq-chains); `all`, every expert, without.")],
                accepts: ["application/json", "application/vnd.api+json"],
                answers: [(200, "The enriched event; a packet where one was sent or Accept asks for it.", "application/json")]
                    + refusals.filter { $0.status != 507 } + [
                        (404, "There is no such chain; those that are there are named.", failure), strange,
                    ]),
            Route(
                name: .status, method: .get, path: "/v1/status", role: .read,
                summary: "Generation of the graph, and the status of every node as its statusd tells it.",
                answers: [(200, "The status.", failure)]),
            Route(
                name: .graph, method: .get, path: "/v1/graph", role: .read,
                summary: "Nodes and edges with live rates, spools and the ages of what waits in them.",
                answers: [(200, "The graph.", failure)]),
            Route(
                name: .graphDocument, method: .get, path: "/v1/graph/document", role: .read,
                summary: "The document of the graph in force, secrets masked; JSON by Accept. Its ETag is the generation.",
                answers: [(200, "The document.", "application/yaml")]),
            Route(
                name: .editGraphDocument, method: .put, path: "/v1/graph/document", role: .operate,
                summary:
                    "Puts another graph in force: checked, planned, and without losing an acknowledged event. Wants If-Match: the generation that was changed. A masked secret stays what it was.",
                accepts: yaml,
                answers: [
                    (200, "It is in force; `meta` holds its generation and what was done.", failure),
                    (415, "The document is neither YAML nor JSON.", failure), (413, "The document is over the limit.", failure),
                    fresh,
                    refused, (428, "If-Match is missing.", failure),
                    (503, "A node does not start with it; the graph before is in force.", failure),
                ]),
            Route(
                name: .planGraph, method: .post, path: "/v1/graph/plan", role: .operate,
                summary: "What putting this graph in force would do to each node; changes nothing.", accepts: yaml,
                answers: [
                    (200, "The plan: start, restart, reload, stop or go-on for each node.", failure),
                    (415, "The document is neither YAML nor JSON.", failure), (413, "The document is over the limit.", failure),
                    refused,
                ]),
            Route(
                name: .generations, method: .get, path: "/v1/generations", role: .read,
                summary: "All graphs that were in force: when, by whom and from what; newest first.",
                answers: [(200, "The generations.", failure)]),
            Route(
                name: .generation, method: .get, path: "/v1/generations/{generation}", role: .read,
                summary: "The document of a generation, secrets masked.",
                answers: [(200, "The document.", "application/yaml"), noGeneration]),
            Route(
                name: .restoreGeneration, method: .post, path: "/v1/generations/{generation}/restore", role: .operate,
                summary: "Puts the graph of a generation in force again, as a new one.",
                answers: [
                    (200, "It is in force; `meta` holds its generation and what was done.", failure), noGeneration, fresh,
                    refused,
                    (503, "A node does not start with it; the graph before is in force.", failure),
                ]),
            Route(
                name: .checks, method: .get, path: "/v1/checks", role: .read,
                summary: "What `intelmqctl check` finds in the graph in force.", answers: [(200, "The findings.", failure)]),
            verb(.start, "Starts nodes that were stopped."), verb(.stop, "Stops nodes; each finishes what is open."),
            verb(.restart, "Stops nodes and starts them again."),
            verb(.reload, "Makes nodes read their configuration anew."),
            verb(.pause, "Makes nodes take nothing and send nothing until they are resumed."),
            verb(.resume, "Lets paused nodes go on."),
        ]

    /// Calls that the gateway passes on to a node's statusd, below `/v1/nodes/{node}`.
    static let ofStatusd = operating.filter { $0.name != .openapi } + control + supervision

    /// The calls of a worker, with the one for a field of a look-up.
    static func ofNode(_ worker: RosterEntry) -> [Route] {
        let routes = all(for: worker)
        guard let lookup = routes.first(where: { $0.name == .lookup }) else { return routes }
        return routes + [
            Route(
                name: .lookup, method: .get, path: lookup.path + "/{field}", role: lookup.role, summary: lookup.summary,
                answers: lookup.answers)
        ]
    }
}
