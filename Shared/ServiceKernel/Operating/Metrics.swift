import IDF
import Synchronization

/// Counters, gauges and histograms of one service, in Prometheus' text format.
/// They are counted per packet, not per event, so a lock costs nothing that can be measured.
public final class Metrics: Sendable {
    /// A measure: its name with the unit, its type and its help.
    struct Family: Sendable, Hashable {
        let name: String
        let type: String
        let help: String
    }

    private struct State {
        var values: [String: [String: Double]] = [:]
        var histograms: [String: [String: Histogram]] = [:]
        var gauges: [String: @Sendable () -> [(labels: String, value: Double)]] = [:]
    }

    private struct Histogram {
        var counts: [UInt64]
        var sum = 0.0
    }

    /// Upper bounds of the buckets of all durations, in seconds.
    static let bounds = [0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60]

    static let families: [Family] = [
        Family(name: "intelmq_events_received_total", type: "counter", help: "Events accepted by this service."),
        Family(name: "intelmq_reports_received_total", type: "counter", help: "Reports that have arrived."),
        Family(name: "intelmq_events_sent_total", type: "counter", help: "Events that an edge has acknowledged."),
        Family(name: "intelmq_events_dropped_total", type: "counter", help: "Events that ended here on purpose, by reason."),
        Family(name: "intelmq_events_dead_lettered_total", type: "counter", help: "Events that could not be processed, by code."),
        Family(name: "intelmq_errors_total", type: "counter", help: "Refused requests and failed deliveries, by stage and code."),
        Family(name: "intelmq_http_requests_total", type: "counter", help: "HTTP requests answered, by class of status."),
        Family(name: "intelmq_packet_duration_seconds", type: "histogram", help: "Time from a packet's arrival to its answer."),
        Family(
            name: "intelmq_event_latency_seconds", type: "histogram", help: "Time from the first service of the workflow to here."
        ),
        Family(name: "intelmq_spool_packets", type: "gauge", help: "Packets in the spool."),
        Family(name: "intelmq_spool_bytes", type: "gauge", help: "Bytes in the spool."),
        Family(name: "intelmq_spool_oldest_seconds", type: "gauge", help: "Age of the oldest packet in the spool."),
        Family(name: "intelmq_spool_events", type: "gauge", help: "Events in the spool that an edge still has to get."),
        Family(
            name: "intelmq_edge_events_accepted_total", type: "counter",
            help: "Events kept for an edge, since its spool was made."),
        Family(
            name: "intelmq_edge_events_delivered_total", type: "counter",
            help: "Events of the spool that an edge has acknowledged, since its spool was made."),
        Family(
            name: "intelmq_edge_events_dead_lettered_total", type: "counter",
            help: "Events of the spool that an edge refused, since its spool was made."),
        Family(
            name: "intelmq_edge_events_dropped_total", type: "counter",
            help: "Events of the spool dropped on purpose, since its spool was made."),
        Family(
            name: "intelmq_edge_events_lost_total", type: "counter",
            help: "Events of the spool that a damaged disk has cost, since its spool was made."),
        Family(name: "intelmq_edge_concurrency", type: "gauge", help: "Packets that may be on the way over an edge at once."),
        Family(name: "intelmq_dead_letters", type: "gauge", help: "Dead letters kept."),
        Family(name: "intelmq_edge_last_success_timestamp_seconds", type: "gauge", help: "When an edge last acknowledged."),
        Family(name: "intelmq_start_timestamp_seconds", type: "gauge", help: "When the service started."),
        Family(name: "intelmq_build_info", type: "gauge", help: "Version of the program; always 1."),
    ]

    private let state = Mutex(State())

    /// Makes an empty set.
    public init() {}

    /// Labels in Prometheus' form, as `edge="db",code="503"`.
    static func labels(_ pairs: [(String, String)]) -> String {
        pairs.map { name, value in
            // Nearly no value needs escaping, and this runs for every request.
            guard value.utf8.contains(where: { $0 == 0x5C || $0 == 0x22 || $0 == 0x0A }) else { return "\(name)=\"\(value)\"" }
            let text = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
            return "\(name)=\"\(text)\""
        }.joined(separator: ",")
    }

    /// Adds to a counter.
    public func count(_ name: String, _ amount: Int = 1, _ labels: [(String, String)] = []) {
        guard amount != 0 else { return }
        state.withLock { $0.values[name, default: [:]][Self.labels(labels), default: 0] += Double(amount) }
    }

    /// Sets a gauge.
    public func set(_ name: String, _ value: Double, _ labels: [(String, String)] = []) {
        state.withLock { $0.values[name, default: [:]][Self.labels(labels)] = value }
    }

    /// Names a gauge whose values are asked for when the page is read.
    func observe(_ name: String, _ values: @escaping @Sendable () -> [(labels: String, value: Double)]) {
        state.withLock { $0.gauges[name] = values }
    }

    /// Adds a duration to a histogram.
    public func observe(_ name: String, seconds: Double, _ labels: [(String, String)] = []) {
        state.withLock { state in
            var histogram =
                state.histograms[name]?[Self.labels(labels)]
                ?? Histogram(counts: .init(repeating: 0, count: Self.bounds.count + 1))
            histogram.counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
            histogram.sum += seconds
            state.histograms[name, default: [:]][Self.labels(labels)] = histogram
        }
    }

    /// The value of a counter or gauge, summed over its labels.
    public func value(_ name: String) -> Double { state.withLock { $0.values[name]?.values.reduce(0, +) ?? 0 } }

    /// The value of a counter or gauge with exactly these labels.
    public func value(_ name: String, _ labels: [(String, String)]) -> Double {
        state.withLock { $0.values[name]?[Self.labels(labels)] ?? 0 }
    }

    /// The page in Prometheus' text format 0.0.4.
    func page() -> String {
        // The functions behind gauges may take locks of their own, so they are called outside ours.
        let (values, histograms, gauges) = state.withLock { ($0.values, $0.histograms, $0.gauges) }
        var out = ""
        for family in Self.families {
            var lines: [String] = []
            let found =
                (values[family.name] ?? [:]).map { ($0.key, $0.value) }
                + (gauges[family.name]?() ?? []).map { ($0.labels, $0.value) }
            for (labels, value) in found.sorted(by: { $0.0 < $1.0 }) {
                lines.append("\(family.name)\(labels.isEmpty ? "" : "{\(labels)}") \(number(value))")
            }
            for (labels, histogram) in (histograms[family.name] ?? [:]).sorted(by: { $0.key < $1.key }) {
                let before = labels.isEmpty ? "" : labels + ","
                var sum: UInt64 = 0
                for (bound, count) in zip(Self.bounds.map(number) + ["+Inf"], histogram.counts) {
                    sum += count
                    lines.append("\(family.name)_bucket{\(before)le=\"\(bound)\"} \(sum)")
                }
                let braces = labels.isEmpty ? "" : "{\(labels)}"
                lines.append("\(family.name)_sum\(braces) \(number(histogram.sum))")
                lines.append("\(family.name)_count\(braces) \(sum)")
            }
            guard !lines.isEmpty else { continue }
            out +=
                "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(family.type)\n" + lines.joined(separator: "\n")
                + "\n"
        }
        return out
    }

    private func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
    }
}
