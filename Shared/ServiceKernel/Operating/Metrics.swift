import IDF
import Synchronization

/// Counters, gauges and histograms of one service (`docs/metrics.md` lists them), as Prometheus text 0.0.4 or OpenMetrics 1.0.
///
/// They are counted per packet, not per event. What is counted for every packet or request has a cell of its own (`Counter`,
/// `Histogram`), which needs neither a lock nor a label made for it.
public final class Metrics: Sendable {
    typealias Values = [(labels: String, value: Double)]

    private struct State {
        var counters: [String: [String: Counter]] = [:]
        var gauges: [String: [String: Double]] = [:]
        var histograms: [String: [String: Histogram]] = [:]
        var observed: [String: @Sendable () -> Values] = [:]
        var observedHistograms: [String: @Sendable () -> [(labels: String, histogram: Histogram)]] = [:]
    }

    private let state = Mutex(State())

    /// Events accepted.
    let received = Counter()
    /// Events read from reports, of those that are still being read, too: how far a one-time run is.
    let read = Atomic<Int>(0)
    /// Time from a packet's arrival to its answer.
    let packetDuration = Histogram(MetricsFamily.durations)
    /// Time from the first service of the workflow to here, counted once for every event.
    let eventLatency = Histogram(MetricsFamily.latencies)
    /// When data was last accepted, milliseconds since 1970; 0 before.
    private let lastEvent = Atomic<Int>(0)

    /// Makes a set in which nothing has been counted.
    public init() {
        add("intelmq_events_received_total", received)
        add("intelmq_packet_duration_seconds", packetDuration)
        add("intelmq_event_latency_seconds", eventLatency)
    }

    /// Labels in Prometheus' form, as `edge="db",code="503"`.
    static func labels(_ pairs: [(String, String)]) -> String {
        pairs.map { name, value in
            // Nearly no value needs escaping.
            guard value.utf8.contains(where: { $0 == 0x5C || $0 == 0x22 || $0 == 0x0A }) else { return "\(name)=\"\(value)\"" }
            let text = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
            return "\(name)=\"\(text)\""
        }.joined(separator: ",")
    }

    /// Adds to a counter. For what happens rarely: other counters have a cell.
    public func count(_ name: String, _ amount: Int = 1, _ labels: [(String, String)] = []) {
        guard amount != 0 else { return }
        counter(name, labels).add(amount)
    }

    /// The cell of a counter, made at the first call.
    func counter(_ name: String, _ labels: [(String, String)] = []) -> Counter {
        let labels = Self.labels(labels)
        return state.withLock { state in
            if let known = state.counters[name]?[labels] { return known }
            let made = Counter()
            state.counters[name, default: [:]][labels] = made
            return made
        }
    }

    /// Puts a cell that something else has made on the page.
    func add(_ name: String, _ cell: Counter, _ labels: [(String, String)] = []) {
        state.withLock { $0.counters[name, default: [:]][Self.labels(labels)] = cell }
    }

    /// Puts a cell that something else has made on the page.
    func add(_ name: String, _ cell: Histogram, _ labels: [(String, String)] = []) {
        state.withLock { $0.histograms[name, default: [:]][Self.labels(labels)] = cell }
    }

    /// Sets a gauge.
    public func set(_ name: String, _ value: Double, _ labels: [(String, String)] = []) {
        state.withLock { $0.gauges[name, default: [:]][Self.labels(labels)] = value }
    }

    /// Names a measure whose values are asked for when the page is read.
    func observe(_ name: String, _ values: @escaping @Sendable () -> Values) { state.withLock { $0.observed[name] = values } }

    /// Names histograms that are asked for when the page is read.
    func observe(_ name: String, _ cells: @escaping @Sendable () -> [(labels: String, histogram: Histogram)]) {
        state.withLock { $0.observedHistograms[name] = cells }
    }

    /// Notes that data has come, now.
    func sawData() { lastEvent.store(Int(Timestamp.now().nanoseconds / 1_000_000), ordering: .relaxed) }

    /// When data last came, seconds since 1970; 0 before the first.
    var lastData: Double { Double(lastEvent.load(ordering: .relaxed)) / 1000 }

    /// The value of a counter or gauge, summed over its labels.
    public func value(_ name: String) -> Double {
        state.withLock { state in
            (state.counters[name]?.values.reduce(0) { $0 + $1.value } ?? 0) + (state.gauges[name]?.values.reduce(0, +) ?? 0)
        }
    }

    /// The value of a counter or gauge with exactly these labels.
    public func value(_ name: String, _ labels: [(String, String)]) -> Double {
        let labels = Self.labels(labels)
        return state.withLock { $0.counters[name]?[labels]?.value ?? $0.gauges[name]?[labels] ?? 0 }
    }

    /// The page in Prometheus' text format 0.0.4.
    func page() -> String { snapshot().text }

    /// The page in the format that an `Accept` header asks for: OpenMetrics 1.0.0, or text 0.0.4, which everybody reads.
    /// - Returns: the body and its `Content-Type`.
    func answer(accept: String?) -> (contentType: String, body: String) {
        MetricsPage.wantsOpenMetrics(accept)
            ? (MetricsPage.openMetricsType, snapshot().openMetrics) : (MetricsPage.textType, snapshot().text)
    }

    /// What is counted at this moment.
    private func snapshot() -> MetricsPage {
        // The functions behind gauges may take locks of their own, so they are called outside ours.
        let state = state.withLock { $0 }
        let measures = ProcessMeasures()
        var page = MetricsPage()
        for family in MetricsFamily.all {
            let name = family.name
            var series: [MetricsPage.Series] = (state.counters[name] ?? [:]).map { .init($0.key, .value($0.value.value)) }
            series += (state.gauges[name] ?? [:]).map { .init($0.key, .value($0.value)) }
            series += (state.observed[name]?() ?? []).map { .init($0.labels, .value($0.value)) }
            series += (state.histograms[name] ?? [:]).map { .init($0.key, .histogram($0.value.buckets)) }
            series += (state.observedHistograms[name]?() ?? []).map { .init($0.labels, .histogram($0.histogram.buckets)) }
            if let value = measures[name] { series.append(.init("", .value(value))) }
            guard !series.isEmpty else { continue }
            series.sort { $0.labels < $1.labels }
            page.sections.append(.init(name: name, type: family.type, help: family.help, unit: family.unit, series: series))
        }
        return page
    }
}
