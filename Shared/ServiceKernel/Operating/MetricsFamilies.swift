/// A measure: what the page, its document and those who add pages up know of it.
struct MetricsFamily: Sendable {
    /// The words of Prometheus' text format.
    enum Kind: String, Sendable { case counter, gauge, histogram }
    /// How the values of several processes of one worker become one.
    enum Merge: String, Sendable { case sum, max, min }

    let name: String
    let type: Kind
    /// Base unit, the last word of the name; empty for counts.
    let unit: String
    let labels: [String]
    let merge: Merge
    /// Whether it is an account of the spool, which a process that starts again goes on with.
    let isKept: Bool
    let help: String

    private init(
        _ name: String, _ type: Kind, _ help: String, unit: String = "", labels: [String] = [], merge: Merge = .sum,
        isKept: Bool = false
    ) {
        (self.name, self.type, self.help, self.unit, self.labels, self.merge) = (name, type, help, unit, labels, merge)
        self.isKept = isKept
    }

    /// Upper bounds of the buckets of durations, in seconds.
    static let durations = [0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60]
    /// Upper bounds of the buckets of times since intake, in seconds: events may rest in spools for days.
    static let latencies = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 300, 1800, 14400, 86400]

    /// The measure of that name.
    static func named(_ name: String) -> MetricsFamily? { byName[name] }
    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    /// Every measure that a service may have, in the order of the page.
    static let all: [MetricsFamily] = [
        .init("intelmq_events_received_total", .counter, "Events accepted by this service."),
        .init("intelmq_reports_received_total", .counter, "Reports that have arrived."),
        .init(
            "intelmq_events_sent_total", .counter, "Events that an edge has acknowledged; sink is an output's own store.",
            labels: ["edge"]),
        .init(
            "intelmq_events_dropped_total", .counter,
            "Events that ended here on purpose, by reason; unrouted: no edge took them.", labels: ["reason"]),
        .init("intelmq_events_dead_lettered_total", .counter, "Events that could not be processed, by code.", labels: ["code"]),
        .init(
            "intelmq_errors_total", .counter,
            "Refused requests and failed deliveries, by stage (intake, work, send, collect) and code.", labels: ["stage", "code"]),
        .init(
            "intelmq_last_event_timestamp_seconds", .gauge, "When a collector or parser last had data that was taken; 0 before.",
            unit: "seconds", merge: .max),
        .init("intelmq_http_requests_total", .counter, "HTTP requests answered, by class of status.", labels: ["status"]),
        .init(
            "intelmq_http_request_duration_seconds", .histogram,
            "Time from a request (with its body) to its answer, by route and class of status.", unit: "seconds",
            labels: ["route", "status"]),
        .init("intelmq_packet_duration_seconds", .histogram, "Time from a packet's arrival to its answer.", unit: "seconds"),
        .init(
            "intelmq_hop_latency_seconds", .histogram, "Time that the next hop of an edge takes to answer, per packet.",
            unit: "seconds", labels: ["edge"]),
        .init(
            "intelmq_event_latency_seconds", .histogram, "Time from the first service of the workflow to here, per event.",
            unit: "seconds"),
        .init("intelmq_spool_packets", .gauge, "Packets in the spool."),
        .init("intelmq_spool_bytes", .gauge, "Bytes in the spool.", unit: "bytes"),
        .init("intelmq_spool_limit_bytes", .gauge, "Bytes at which the spool takes no more.", unit: "bytes"),
        .init("intelmq_spool_oldest_seconds", .gauge, "Age of the oldest packet in the spool.", unit: "seconds", merge: .max),
        .init("intelmq_spool_events", .gauge, "Events in the spool that an edge still has to get.", labels: ["edge"]),
        .init(
            "intelmq_edge_events_accepted_total", .counter, "Events kept for an edge, since its spool was made.",
            labels: ["edge"],
            isKept: true),
        .init(
            "intelmq_edge_events_delivered_total", .counter,
            "Events of the spool that an edge has acknowledged, since its spool was made.", labels: ["edge"], isKept: true),
        .init(
            "intelmq_edge_events_dead_lettered_total", .counter,
            "Events of the spool that an edge refused, since its spool was made.", labels: ["edge"], isKept: true),
        .init(
            "intelmq_edge_events_dropped_total", .counter, "Events of the spool dropped on purpose, since its spool was made.",
            labels: ["edge"], isKept: true),
        .init(
            "intelmq_edge_events_lost_total", .counter,
            "Events of the spool that a damaged disk has cost, since its spool was made.", labels: ["edge"], isKept: true),
        .init("intelmq_edge_concurrency", .gauge, "Packets that may be on the way over an edge at once.", labels: ["edge"]),
        .init(
            "intelmq_edge_up", .gauge, "1 while the next hop of an edge answers, 0 since it failed.", labels: ["edge"],
            merge: .min),
        .init(
            "intelmq_edge_last_success_timestamp_seconds", .gauge, "When an edge last acknowledged; 0 before.", unit: "seconds",
            labels: ["edge"], merge: .max),
        .init(
            "intelmq_edge_pattern_limit_hits_total", .counter,
            "Values that a regular expression of an edge's condition was given up on, which counts as no match.", labels: ["edge"]
        ),
        .init("intelmq_dead_letters", .gauge, "Dead letters kept."),
        .init(
            "intelmq_database_timestamp_seconds", .gauge, "When the database of a setting was made.", unit: "seconds",
            labels: ["setting"], merge: .min),
        .init(
            "intelmq_configuration_generation", .gauge, "How often the configuration or a file that it names was read anew.",
            merge: .min),
        .init("intelmq_start_timestamp_seconds", .gauge, "When the service started.", unit: "seconds", merge: .max),
        .init(
            "intelmq_build_info", .gauge, "Version of the program and its worker; always 1.", labels: ["version", "worker"],
            merge: .max),
        .init("process_cpu_seconds_total", .counter, "Processor time of the process, user and system.", unit: "seconds"),
        .init("process_resident_memory_bytes", .gauge, "Memory of the process that is in RAM.", unit: "bytes"),
        .init("process_virtual_memory_bytes", .gauge, "Address space of the process.", unit: "bytes"),
        .init("process_open_fds", .gauge, "Files and sockets that are open."),
        .init("process_max_fds", .gauge, "Files and sockets that may be open."),
        .init("process_start_time_seconds", .gauge, "When the process started, since 1970.", unit: "seconds", merge: .max),
    ]
}

extension Metrics {
    /// The table of measures as a page.
    public static var page: String {
        var text = """
            # Metrics

            Rendered from `Shared/ServiceKernel/Operating/MetricsFamilies.swift`. Every service answers `GET /metrics` on its data port and on its
            control socket, in Prometheus' text format 0.0.4, or in OpenMetrics 1.0.0 if the `Accept` header prefers that
            (there the names of counters lose `_total`, and `intelmq_build_info` is of type info).

            Which service it is says the label that the scraper gives its target. The column *aggregation* says how the values of several processes of
            one worker are put together; histograms are added bucket by bucket. A measure is on the page when the service has what is measured:
            only who has a spool has its size. On the page of a statusd counters go on when a process is started again.

            Examples in the source tree: [prometheus.yml](../deploy/prometheus/prometheus.yml), [alert rules](../deploy/prometheus/rules.yml)
            with [their tests](../deploy/prometheus/rules.test.yml), and a [dashboard for Grafana](../deploy/grafana/intelmq.json).

            | name | type | labels | aggregation | what |
            |---|---|---|---|---|

            """
        for family in MetricsFamily.all {
            let labels = family.labels.map { "`\($0)`" }.joined(separator: ", ")
            text += "| `\(family.name)` | \(family.type.rawValue) | \(labels) | \(family.merge.rawValue) | \(family.help) |\n"
        }
        func list(_ bounds: [Double]) -> String { bounds.map { MetricsPage.number($0) }.joined(separator: ", ") }
        text += """

            Buckets of `intelmq_event_latency_seconds`, in seconds: \(list(MetricsFamily.latencies)).
            Buckets of the other histograms: \(list(MetricsFamily.durations)).

            ## Traces

            `POST /v1/packets` and `POST /v1/reports` read the headers `traceparent` and `tracestate` (W3C Trace Context). Without the first, or with a malformed one, the
            service begins a trace whose id is the id of the report or packet without its dashes. The trace goes on in the packet's
            `meta.traceparent` and `meta.tracestate`, also through spools, and as the headers of the next request, each hop with a parent-id of
            its own; a malformed `tracestate` is dropped, and of a long one 512 characters go on. Log lines that
            concern a packet have `packet.id` and `trace.id`; at level `debug` every packet has one in every service.

            """
        return text
    }
}
