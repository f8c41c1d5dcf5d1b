import Synchronization

/// One arrow of the graph with its state.
final class Edge: Sendable {
    let name: String
    let channel: any OutChannel
    /// Which events go over it; nil: all.
    let filter: EdgeFilter?
    /// Whether it only delivers what waits for it.
    let isEnding: Bool
    /// Packets of the spool that are on the way.
    let gate: Gate
    /// Seconds since 1970 of the last acknowledgement, 0 before the first.
    let lastSuccess = Atomic<Int>(0)
    let isDown = Atomic<Bool>(false)
    /// Events that the next hop has acknowledged.
    let sent = Counter()
    /// Time it takes to answer.
    let latency = Histogram(MetricsFamily.durations)
    /// How often packets of the spool have been tried in vain, by their place in it.
    private let tries = Mutex<[Int64: Int]>([:])

    /// - Parameter inFlight: most packets of the spool on the way at once.
    init(name: String, channel: any OutChannel, filter: EdgeFilter? = nil, isEnding: Bool = false, inFlight: Int = 16) {
        self.name = name
        self.isEnding = isEnding
        self.filter = filter
        self.channel = channel
        gate = Gate(most: inFlight)
    }

    /// Counts a try of a packet of the spool; answers how many there were.
    func tried(_ sequence: Int64) -> Int {
        tries.withLock { tries in
            tries[sequence, default: 0] += 1
            return tries[sequence, default: 0]
        }
    }

    /// A packet of the spool is done.
    func forget(_ sequence: Int64) { tries.withLock { _ = $0.removeValue(forKey: sequence) } }
}
