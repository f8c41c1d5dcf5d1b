import Glibc
import ServiceKernel

/// What happens to the services while packets come. The seed decides what, and about when; the machine the rest.
struct Chaos {
    private enum Blow: CaseIterable { case kill, stop, terminate, hangUp, database, outage }

    private let supervisor: Supervisor
    private var dice: Dice
    private let killEvery: Double
    private var due: [Blow: ContinuousClock.Instant] = [:]
    /// When the last hop comes back.
    private var outageEnds: ContinuousClock.Instant?
    private let outage: ClosedRange<Double>
    private let database: String
    private let good: [UInt8]
    private(set) var counts = Counts()

    struct Counts: Sendable {
        /// Times that a valid copy of the database took the place of the file, and times that something else did.
        var replaced = 0
        var broken = 0
        var outages = 0
    }

    init(_ supervisor: Supervisor, seed: UInt64, killEvery: Double, seconds: Double, root: String, database good: [UInt8]) {
        self.supervisor = supervisor
        dice = Dice(seed: seed)
        self.killEvery = killEvery
        self.good = good
        database = Hop.database(in: root)
        outage = min(2, seconds / 6)...min(8, seconds / 4)
        let now = ContinuousClock.now
        for blow in Blow.allCases { due[blow] = now + (blow == .outage ? .seconds(seconds / 4) : pause(blow)) }
    }

    private mutating func pause(_ blow: Blow) -> Duration {
        switch blow {
        case .kill: dice.seconds(killEvery * 0.5...killEvery * 1.5)
        case .stop: dice.seconds(0.8...2.5)
        case .terminate: dice.seconds(1.5...5)
        case .hangUp: dice.seconds(0.02...0.25)
        case .database: dice.seconds(0.02...0.2)
        case .outage: dice.seconds(15...30)
        }
    }

    mutating func tick(_ now: ContinuousClock.Instant) {
        if let end = outageEnds, now >= end {
            supervisor.hold(Hop.count, false)
            outageEnds = nil
        }
        for blow in Blow.allCases {
            guard let time = due[blow], now >= time else { continue }
            strike(blow, now)
            due[blow] = now + pause(blow)
        }
    }

    private mutating func strike(_ blow: Blow, _ now: ContinuousClock.Instant) {
        let hop = Int.random(in: 1...Hop.count, using: &dice)
        switch blow {
        case .kill:
            // While the last hop is down its turn goes to the others.
            supervisor.slay(hop == Hop.count && outageEnds != nil ? Int.random(in: 1..<Hop.count, using: &dice) : hop)
        case .stop: supervisor.stop(hop, until: now + dice.seconds(0.2...2))
        case .terminate: supervisor.terminate(hop)
        case .hangUp: supervisor.hangUp(hop, times: dice.chance(10) ? 30 : 1)
        case .database: replaceDatabase()
        case .outage:
            guard outageEnds == nil else { return }
            counts.outages += 1
            outageEnds = now + dice.seconds(outage)
            supervisor.hold(Hop.count, true)
            if dice.chance(50) { supervisor.slay(Hop.count) } else { supervisor.terminate(Hop.count) }
        }
    }

    /// A valid copy mostly; sometimes something else, until the next time.
    private mutating func replaceDatabase() {
        guard dice.chance(20) else {
            counts.replaced += 1
            put(good)
            return supervisor.setDatabase(isBroken: false)
        }
        counts.broken += 1
        supervisor.setDatabase(isBroken: true)
        switch Int.random(in: 0..<4, using: &dice) {
        case 0: put([])
        case 1: put(Array(good.prefix(Int.random(in: 1..<good.count, using: &dice))))
        case 2: put((0..<4096).map { _ in UInt8.random(in: 0...255, using: &dice) })
        default: put(Array(repeating: 0, count: good.count))
        }
    }

    private func put(_ bytes: [UInt8]) {
        let new = "\(database).new"
        let descriptor = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { return }
        let isWritten = writeAll(descriptor, bytes)
        close(descriptor)
        if isWritten { rename(new, database) }
    }

    /// The end: everything runs and nothing is broken.
    func calm() {
        put(good)
        supervisor.setDatabase(isBroken: false)
        supervisor.calm()
    }
}
