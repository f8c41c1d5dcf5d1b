import Synchronization

/// A number that only grows. Adding takes no lock.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    func add(_ amount: Int = 1) { count.wrappingAdd(amount, ordering: .relaxed) }
    var value: Double { Double(count.load(ordering: .relaxed)) }
}

/// How often times of certain lengths were seen. Adding takes no lock.
final class Histogram: Sendable {
    /// Most bounds that a histogram may have; one more bucket takes what is longer than all of them.
    static let mostBounds = 15

    private let bounds: [Double]
    private let counts = InlineArray<16, Atomic<Int>> { _ in Atomic(0) }
    private let sum = Atomic<UInt64>(0)

    /// - Parameter bounds: upper bounds of the buckets in seconds, rising, at most `mostBounds`.
    init(_ bounds: [Double]) {
        precondition(bounds.count <= Self.mostBounds)
        self.bounds = bounds
    }

    /// Adds a time.
    /// - Parameters:
    ///   - seconds: how long.
    ///   - times: how many it stands for, as the events of a packet.
    func observe(_ seconds: Double, times: Int = 1) {
        guard times > 0 else { return }
        var place = 0
        while place < bounds.count, seconds > bounds[place] { place += 1 }
        counts[place].wrappingAdd(times, ordering: .relaxed)
        var old = sum.load(ordering: .relaxed)
        while true {
            let new = Double(bitPattern: old) + seconds * Double(times)
            let (done, found) = sum.weakCompareExchange(expected: old, desired: new.bitPattern, ordering: .relaxed)
            if done { return }
            old = found
        }
    }

    /// Adds the time since then.
    func observe(since start: ContinuousClock.Instant) { observe((ContinuousClock.now - start) / .seconds(1)) }

    /// How many times were seen.
    var count: Int {
        var all = 0
        for place in 0...bounds.count { all += counts[place].load(ordering: .relaxed) }
        return all
    }

    /// The buckets as a page shows them: each with all that are shorter.
    var buckets: MetricsPage.Buckets {
        var found = MetricsPage.Buckets(sum: Double(bitPattern: sum.load(ordering: .relaxed)))
        var all = 0.0
        for place in 0...bounds.count {
            all += Double(counts[place].load(ordering: .relaxed))
            found.counts.append((place < bounds.count ? bounds[place] : .infinity, all))
        }
        return found
    }
}

/// How long requests took, by route and class of the answer's status. Every look-up counts, so there is no lock and no label made.
final class RequestDurations: Sendable {
    /// What `route` labels say; paths would be without number.
    enum Route: Int, CaseIterable {
        case packets, reports, lookup, lookupMany, health, metrics, openapi, other

        init(path: String) {
            if path.hasPrefix("/v1/lookup/") {
                self = .lookup
                return
            }
            switch path {
            case "/v1/packets": self = .packets
            case "/v1/reports": self = .reports
            case "/v1/lookup": self = .lookupMany
            case "/livez", "/readyz", "/startupz": self = .health
            case "/metrics": self = .metrics
            case "/openapi.json": self = .openapi
            default: self = .other
            }
        }

        var label: String { self == .lookupMany ? "lookup-many" : "\(self)" }
    }

    private static let classes = ["2xx", "3xx", "4xx", "5xx"]
    private let cells: [Histogram]

    init() { cells = Route.allCases.flatMap { _ in Self.classes.map { _ in Histogram(MetricsFamily.durations) } } }

    /// Counts an answer.
    func count(_ path: String, _ status: Int, since start: ContinuousClock.Instant) {
        cells[Route(path: path).rawValue * 4 + min(max(status / 100, 2), 5) - 2].observe(since: start)
    }

    /// Those that have counted something, by route and class.
    var histograms: [(labels: String, histogram: Histogram)] {
        cells.indices.filter { cells[$0].count > 0 }.map { index in
            let route = Route(rawValue: index / 4) ?? .other
            return (Metrics.labels([("route", route.label), ("status", Self.classes[index % 4])]), cells[index])
        }
    }

    /// Requests by class.
    var totals: Metrics.Values {
        Self.classes.indices.compactMap { kind in
            let count = Route.allCases.reduce(0) { $0 + cells[$1.rawValue * 4 + kind].count }
            return count == 0 ? nil : (Metrics.labels([("status", Self.classes[kind])]), Double(count))
        }
    }
}
