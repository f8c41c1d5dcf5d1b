/// A page of measures, as Prometheus reads it.
public struct MetricsPage: Sendable {
    typealias Kind = MetricsFamily.Kind

    /// A histogram: its buckets, each with all that are smaller, the last one infinite.
    struct Buckets: Sendable {
        var counts: [(bound: Double, count: Double)] = []
        var sum = 0.0
    }

    enum Points: Sendable {
        case value(Double)
        case histogram(Buckets)
    }

    /// The values of one set of labels (`edge="db"`, without `le`).
    struct Series: Sendable {
        var labels: String
        var points: Points

        init(_ labels: String, _ points: Points) { (self.labels, self.points) = (labels, points) }
    }

    /// A family of measures. `type` is nil where a foreign page does not say it.
    struct Section: Sendable {
        var name: String
        var type: Kind?
        var help: String
        var unit = ""
        var series: [Series] = []
    }

    var sections: [Section] = []

    static let textType = "text/plain; version=0.0.4; charset=utf-8"
    static let openMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8"

    /// The page in Prometheus' text format 0.0.4.
    var text: String {
        var out = ""
        for section in sections {
            if !section.help.isEmpty { out += "# HELP \(section.name) \(section.help)\n" }
            out += "# TYPE \(section.name) \(section.type?.rawValue ?? "untyped")\n"
            for series in section.series { Self.append(series, section.name, to: &out) }
        }
        return out
    }

    /// The page in OpenMetrics 1.0.0, which names counters without their ending and knows units and information.
    var openMetrics: String {
        var out = ""
        for section in sections {
            var name = section.name
            var type = section.type?.rawValue ?? "unknown"
            if section.type == .counter, name.hasSuffix("_total") { name.removeLast("_total".count) }
            if section.type == .gauge, name.hasSuffix("_info") {
                name.removeLast("_info".count)
                type = "info"
            }
            out += "# TYPE \(name) \(type)\n"
            if !section.unit.isEmpty { out += "# UNIT \(name) \(section.unit)\n" }
            if !section.help.isEmpty { out += "# HELP \(name) \(section.help)\n" }
            for series in section.series { Self.append(series, section.name, to: &out) }
        }
        return out + "# EOF\n"
    }

    private static func append(_ series: Series, _ name: String, to out: inout String) {
        let braces = series.labels.isEmpty ? "" : "{\(series.labels)}"
        switch series.points {
        case .value(let value): out += "\(name)\(braces) \(number(value))\n"
        case .histogram(let buckets):
            let before = series.labels.isEmpty ? "" : series.labels + ","
            for (bound, count) in buckets.counts { out += "\(name)_bucket{\(before)le=\"\(le(bound))\"} \(number(count))\n" }
            out += "\(name)_sum\(braces) \(number(buckets.sum))\n"
            out += "\(name)_count\(braces) \(number(buckets.counts.last?.count ?? 0))\n"
        }
    }

    static func number(_ value: Double) -> String {
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value.isNaN { return "NaN" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
    }

    /// The canonical form of OpenMetrics, `1.0`, in both formats: other words would be other series.
    private static func le(_ bound: Double) -> String { bound.isInfinite ? "+Inf" : "\(bound)" }

    /// Whether an `Accept` header prefers OpenMetrics 1.0 to plain text (RFC 9110, section 12.5.1).
    static func wantsOpenMetrics(_ accept: String?) -> Bool {
        // The most specific range that names a type decides.
        var open = (rank: -1, quality: 0.0)
        var text = (rank: -1, quality: 0.0)
        for range in (accept ?? "").split(separator: ",").prefix(64) {
            let parts = range.split(separator: ";").map { $0.trimmed.lowercased() }
            var quality = 1.0
            var version: String?
            for part in parts.dropFirst() {
                if part.hasPrefix("q=") { quality = Double(part.dropFirst(2)).map { min(max($0, 0), 1) } ?? 0 }
                if part.hasPrefix("version=") { version = String(part.dropFirst(8)).replacing("\"", with: "") }
            }
            func note(_ best: inout (rank: Int, quality: Double), _ rank: Int) {
                if rank > best.rank || rank == best.rank && quality > best.quality { best = (rank, quality) }
            }
            switch parts.first {
            case "application/openmetrics-text":
                if version == nil || version == "1.0.0" { note(&open, version == nil ? 2 : 3) }
            case "text/plain":
                if version == nil || version == "0.0.4" { note(&text, version == nil ? 2 : 3) }
            case "application/*": note(&open, 1)
            case "text/*": note(&text, 1)
            case "*/*": note(&text, 0)
            default: break
            }
        }
        return open.quality > 0 && open.quality >= text.quality
    }
}
