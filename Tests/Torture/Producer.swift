import HTTP
import IDF

/// Posts packets to the first hop, each until it is acknowledged.
struct Producer: Sendable {
    let hop: Hop
    let client: HTTPClient
    let load: Load
    let ledger: Ledger
    /// Events a second.
    let rate: Double
    /// No new packets from then on.
    let end: ContinuousClock.Instant
    /// Nor posts of old ones.
    let lastCall: ContinuousClock.Instant
    /// Events of a packet at most.
    var most = 500

    func run(seed: UInt64) async {
        var dice = Dice(seed: seed)
        var old: [(parcel: Parcel, number: Int)] = []
        var pace = ContinuousClock.now
        while ContinuousClock.now < end, !Task.isCancelled {
            let parcel = load.parcel(events: min(Load.size(&dice), most))
            let number = ledger.enter(parcel, .sent)
            switch Int.random(in: 0..<100, using: &dice) {
            case 0..<6:
                // The same packet twice at the same time.
                ledger.countTwice()
                async let first: Void = deliver(parcel, number)
                async let second: Void = deliver(parcel, number)
                _ = await (first, second)
            case 6..<12:
                // The sender gives up before the answer, and comes again.
                _ = await post(parcel, milliseconds: Int.random(in: 1...20, using: &dice))
                ledger.countRepeat()
                await deliver(parcel, number)
            default: await deliver(parcel, number)
            }
            // Long acknowledged, and once more.
            if let one = old.randomElement(using: &dice), dice.chance(5) {
                ledger.countTwice()
                await deliver(one.parcel, one.number)
            }
            if old.count >= 20 { old.removeFirst() }
            old.append((parcel, number))
            // Time lost to a hop that was down is not made up for.
            pace = max(pace, .now - .milliseconds(200)) + .seconds(Double(parcel.events.count) / rate)
            try? await Task.sleep(until: pace)
        }
    }

    /// Posts until there is a 202.
    private func deliver(_ parcel: Parcel, _ number: Int) async {
        var pause = 0.02
        while true {
            if await post(parcel, milliseconds: 2_000) { return ledger.acknowledge(number) }
            guard ContinuousClock.now < lastCall, !Task.isCancelled else { return }
            try? await Task.sleep(for: .seconds(Double.random(in: 0...pause)))
            pause = min(pause * 2, 0.5)
            ledger.countRepeat()
        }
    }

    /// Whether the packet is acknowledged. What the service may not answer to a good packet is a finding.
    private func post(_ parcel: Parcel, milliseconds: Int) async -> Bool {
        let request = HTTPClientRequest(
            method: .post, url: "\(hop.url)/v1/packets", headers: [("Content-Type", Packet.mediaType)], body: parcel.body,
            timeoutMilliseconds: milliseconds)
        guard let answer = try? await client.send(request) else { return false }
        switch answer.status {
        case 202:
            let meta = (try? JSONValue(parsing: answer.body))?["meta"]
            if meta?["accepted"]?.integer == parcel.events.count, meta?["failed"] == nil { return true }
            ledger.report("\(hop.name) acknowledged \(parcel.events.count) events with: \(text(answer))")
            return true
        case 503, 507:
            ledger.countRefusal()
            return false
        default:
            ledger.report("\(hop.name) answered \(answer.status) to a good packet: \(text(answer))")
            return false
        }
    }

    private func text(_ answer: HTTPClientResponse) -> String { String(decoding: answer.body.prefix(500), as: UTF8.self) }
}
