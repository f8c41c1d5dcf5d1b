import HTTP
import IDF
import Logging

extension Service {
    /// Puts what a service has from its start on the page of its measures.
    func measure() {
        metrics.set("intelmq_start_timestamp_seconds", Double(Timestamp.now().nanoseconds) / 1e9)
        metrics.set("intelmq_build_info", 1, [("version", Version.current), ("worker", configuration.entry.name)])
        // From the start, so that the first one shows as a rise: before, there would be nothing to compare with.
        for rejection in [Rejection.malformed(""), .missing("")] {
            metrics.add("intelmq_events_dead_lettered_total", Counter(), [("code", rejection.code)])
        }
        for edge in edges {
            metrics.add("intelmq_events_sent_total", edge.sent, [("edge", edge.name)])
            metrics.add("intelmq_hop_latency_seconds", edge.latency, [("edge", edge.name)])
        }
        observe("intelmq_edge_last_success_timestamp_seconds") { Double($0.lastSuccess.load(ordering: .relaxed)) }
        observe("intelmq_edge_concurrency") { Double($0.gate.limit) }
        observe("intelmq_edge_up") { $0.isDown.load(ordering: .relaxed) ? 0 : 1 }
        observe("intelmq_edge_pattern_limit_hits_total") { Double($0.filter?.when?.limitHits ?? 0) }
        metrics.observe("intelmq_configuration_generation") { [weak self] in
            [("", Double(self?.generation.load(ordering: .relaxed) ?? 0))]
        }
        metrics.observe("intelmq_database_timestamp_seconds") { [weak self] in
            guard let self else { return [] }
            return NamedSetting.all(of: configuration.worker).compactMap { setting in
                setting.slot.madeAt.map { (Metrics.labels([("setting", setting.name)]), Double($0)) }
            }
        }
        if [.collector, .parser].contains(configuration.entry.family) {
            metrics.observe("intelmq_last_event_timestamp_seconds") { [weak metrics] in [("", metrics?.lastData ?? 0)] }
        }
    }

    private func observe(_ name: String, _ value: @escaping @Sendable (Edge) -> Double) {
        metrics.observe(name) { [edges] in edges.map { (Metrics.labels([("edge", $0.name)]), value($0)) } }
    }

    /// What names a packet in log lines.
    static func words(_ meta: Packet.Meta) -> Log.Metadata {
        var words: Log.Metadata = ["packet.id": "\(meta.id)"]
        if let trace = meta.trace { words["trace.id"] = "\(trace.traceID)" }
        return words
    }

    /// Says what became of a packet, to who has asked for that much.
    func note(_ packet: Packet, _ answer: Answer) {
        guard log.logLevel <= .debug else { return }
        var words = Self.words(packet.meta)
        words["events"] = "\(packet.events.count)"
        words["status"] = "\(answer.status)"
        if let problem = answer.problems.first { words["detail"] = "\(problem.detail)" }
        log.debug(answer.isAccepted ? "packet taken" : "packet refused", metadata: words)
    }
}

extension Packet.Meta {
    /// Meta data of which only the trace is known.
    init(trace: TraceParent) {
        self.init()
        self.trace = trace
    }
}

extension HTTPResponse {
    /// The page of measures in the format that the client prefers.
    init(metrics service: Service, _ head: HTTPRequestHead) {
        let (type, body) = service.metrics.answer(accept: head.header("Accept"))
        self.init(text: body, contentType: type)
    }
}
