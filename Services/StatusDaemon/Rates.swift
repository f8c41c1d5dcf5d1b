/// Counts that only grow, over processes that come and go, and how fast they grew lately.
struct Rates {
    /// Lengths of time that rates are told for, in minutes.
    static let windows = [1, 5, 15]
    private static let step = 5.0

    private var last: [Int: (pid: Int, counts: [String: Int])] = [:]
    private var history: [(time: Double, totals: [String: Int])] = []
    /// Sums since the beginning; a process that starts again counts on.
    private(set) var totals: [String: Int] = [:]

    /// Takes the counts of the process at a place.
    mutating func add(_ counts: [String: Int], of place: Int, pid: Int) {
        let before = last[place].flatMap { $0.pid == pid ? $0.counts : nil } ?? [:]
        for (name, count) in counts { totals[name, default: 0] += max(0, count - (before[name] ?? 0)) }
        last[place] = (pid, counts)
    }

    /// Whether this process has ever answered.
    func knows(_ place: Int, pid: Int) -> Bool { last[place]?.pid == pid }

    /// Closes a round.
    /// - Parameter time: seconds of a clock that never goes back.
    mutating func close(at time: Double) {
        if let latest = history.last, time - latest.time < Self.step { return }
        history.append((time, totals))
        let oldest = time - Double(Self.windows[2] * 60) - Self.step
        history.removeAll { $0.time < oldest }
    }

    /// Events a second over the last minutes, or since the beginning when that is not so long ago.
    func rate(_ name: String, minutes: Int, at time: Double) -> Double {
        guard let since = history.first(where: { $0.time >= time - Double(minutes * 60) }) ?? history.last, time > since.time
        else {
            return 0
        }
        let grown = Double((totals[name] ?? 0) - (since.totals[name] ?? 0)) / (time - since.time)
        return (grown * 100).rounded() / 100
    }
}
