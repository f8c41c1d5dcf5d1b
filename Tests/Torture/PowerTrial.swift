import Glibc
import IDF
import ServiceKernel

/// The power fails. A durable service runs under strace; no 202 may leave before what it promises is synced, and a service that is
/// started on nothing but what was synced by then must still deliver it.
struct PowerTrial {
    static let name = "power cut: 202 only after the sync"
    private let ground: Ground
    private let pair: Pair
    private let file: String

    /// A moment at which the power fails.
    private struct Cut {
        let folder: String
        /// Packets that are acknowledged and not delivered.
        let owed: Set<UUID>
    }

    static func run(_ ground: Ground) async throws(TortureError) -> Verdict {
        guard let strace = Machine.program("strace") else {
            return Verdict(name, .skipped, "strace is not installed (apt-get install strace)")
        }
        guard Machine.works([strace, "-D", "-f", "--seccomp-bpf", "-o", "/dev/null", "true"]) else {
            return Verdict(name, .skipped, "strace may not look at other processes here (ptrace is not permitted)")
        }
        let file = "\(ground.root)/trace"
        let pair = try Pair("power", ground) { hop in
            // Small, so that the log is often copied into the file and begun anew.
            hop.spoolLimit = "4 MiB"
            hop.wrapper = [
                strace, "-D", "-f", "--seccomp-bpf", "-yy", "-xx", "-s", "4000000", "-e", "trace=\(Trace.calls)",
                "-e", "signal=SIGKILL", "-o", file,
            ]
        }
        return try await PowerTrial(ground: ground, pair: pair, file: file).run()
    }

    private func run() async throws(TortureError) -> Verdict {
        try await pair.start()
        let packets = ground.isLong ? 400 : 40
        try await pair.feeding(rate: 1_000, most: 30) { () async throws(TortureError) in
            for part in 1...4 {
                // A spool that is empty most of the time proves little.
                if part % 2 == 1 { pair.holdSecond() } else { pair.supervisor.hold(2, false) }
                try await pair.wait(120, for: "acknowledged packets") { pair.ledger.counts.packets >= packets * part / 4 }
            }
        }
        pair.supervisor.hold(1, true)
        pair.supervisor.slay(1)
        try await pair.wait(for: "the end of the trace") { Machine.tail(file, lines: 1).contains("+++ killed by SIGKILL") }
        for hop in pair.hops { await pair.supervisor.retire(hop.number) }
        var problems: [String] = []
        let cuts = try replay(&problems)
        unlink(file)
        for cut in cuts.places { try await check(cut, &problems) }
        problems += pair.ledger.findings.words
        let words =
            "\(cuts.answers) answers 202, each after a sync of its packet (\(cuts.syncs) syncs); a service started on what was "
            + "synced at \(cuts.places.count) moments delivers the "
            + "\(cuts.places.reduce(0) { $0 + $1.owed.count }) packets it owed then"
        return Verdict(
            Self.name, holds: problems.isEmpty && cuts.answers >= packets,
            ([words] + problems.prefix(5)).joined(separator: "\n    "))
    }

    /// Goes through the trace once.
    private func replay(_ problems: inout [String]) throws(TortureError) -> (answers: Int, syncs: Int, places: [Cut]) {
        let folder = pair.hops[0].state
        let trace = try Trace(file, folder: folder.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" })
        let sent = Dictionary(ledger.map { (delivered($0), $0.packet) }, uniquingKeysWith: { first, _ in first })
        var disk = SyncedDisk(folder)
        var talks = Talks()
        var dice = Dice(seed: ground.options.seed &+ 99)
        var (acknowledged, gone): (Set<UUID>, Set<UUID>) = ([], [])
        /// When the last byte of a packet came in, by connection: it may come over several. And when the last sync began that has ended.
        var came: [UUID: [String: Int]] = [:]
        var begins: [Int: Int] = [:]
        var lastSync = -1
        var cuts: [Cut] = []
        let wanted = ground.isLong ? 16 : 2
        let moments = Set((0..<wanted).map { _ in Int.random(in: 1...max(1, pair.ledger.counts.packets), using: &dice) })
        for (at, step) in trace.steps.enumerated() {
            disk.take(step)
            if step.call == .fdatasync || step.call == .fsync {
                if step.isBegin {
                    begins[step.number] = at
                } else if step.result == 0, step.target.hasSuffix("-wal") {
                    lastSync = max(lastSync, begins[step.number] ?? -1)
                }
            }
            guard step.target.hasPrefix("TCP:"), let word = talks.take(step) else { continue }
            switch word {
            case .came(let id): came[id, default: [:]][step.target] = at
            case .delivered(let id): if let id = sent[id] { gone.insert(id) }
            case .answered(let id, let status):
                guard status == 202 else { break }
                guard acknowledged.insert(id).inserted else { break }
                if lastSync < came[id]?.values.min() ?? .max {
                    problems.append("packet \(id) was acknowledged before a sync that began after it had come")
                }
                guard moments.contains(acknowledged.count) else { break }
                let place = "\(pair.root)/cut-\(cuts.count)"
                do throws(TortureError) {
                    try disk.write(to: place, torn: cuts.count % 2 == 1, &dice)
                    cuts.append(Cut(folder: place, owed: acknowledged.subtracting(gone)))
                } catch {
                    problems.append(error.text)
                }
            }
        }
        let known = Set(pair.ledger.records.compactMap { if case .acknowledged = $0.fate { $0.packet } else { nil } })
        let unseen = known.subtracting(acknowledged)
        if !unseen.isEmpty { problems.append("\(unseen.count) answers 202 are not in the trace") }
        return (acknowledged.count, disk.syncCount, cuts)
    }

    private var ledger: [Ledger.Record] { pair.ledger.records }

    /// The id that a packet has when hop 1 hands it on.
    private func delivered(_ record: Ledger.Record) -> UUID {
        .derived(from: record.packet.bytes + pair.hops[0].name.utf8 + record.events.flatMap(\.bytes))
    }

    /// Starts a service on what is left and looks for what it owes.
    private func check(_ cut: Cut, _ problems: inout [String]) async throws(TortureError) {
        let after = try Pair("after-\(cut.folder.suffix(5))", ground) { $0.state = cut.folder }
        for record in ledger where cut.owed.contains(record.packet) {
            after.ledger.acknowledge(after.ledger.enter(Parcel(id: record.packet, events: record.events, body: []), .sent))
        }
        try await after.start()
        let events = after.ledger.counts.events
        var drain = Drain(after.ledger.records, root: after.root)
        let end = ContinuousClock.now + .seconds(20)
        while !drain.missing.isEmpty, ContinuousClock.now < end {
            try drain.look()
            try? await Task.sleep(for: .milliseconds(20))
        }
        if !drain.missing.isEmpty {
            problems.append(
                "\(drain.missing.count) of \(events) acknowledged events would be gone with the power (\(cut.folder))")
        }
        for hop in after.hops { await after.supervisor.retire(hop.number) }
        problems += after.ledger.findings.words
    }
}

/// Follows the requests on the connections of a traced service.
private struct Talks {
    enum Word {
        /// All of a packet is there.
        case came(UUID)
        case answered(UUID, Int)
        /// The next hop has answered with 200.
        case delivered(UUID)
    }

    private var packets: [String: UUID] = [:]
    private static let key = Array("\"id\":\"".utf8)

    mutating func take(_ step: Trace.Step) -> Word? {
        let isIn = step.call == .recvfrom || step.call == .read
        let talk = step.target
        if isIn {
            guard !step.isBegin, let got = step.result, got > 0 else { return nil }
            if step.bytes.starts(with: "HTTP/1.1 20".utf8) { return packets[talk].map { .delivered($0) } }
            note(step.bytes, talk)
            return packets[talk].map { .came($0) }
        }
        guard step.isBegin else { return nil }
        if step.bytes.starts(with: "HTTP/1.1 ".utf8) {
            guard let id = packets[talk], let status = Int(String(decoding: step.bytes.dropFirst(9).prefix(3), as: UTF8.self))
            else { return nil }
            return .answered(id, status)
        }
        note(step.bytes, talk)
        return nil
    }

    private mutating func note(_ bytes: [UInt8], _ talk: String) {
        if bytes.starts(with: "POST ".utf8) || bytes.starts(with: "GET ".utf8) { packets[talk] = nil }
        guard packets[talk] == nil, let found = bytes.firstRange(of: Self.key) else { return }
        packets[talk] = bytes[found.upperBound..<min(bytes.count, found.upperBound + 36)].withUnsafeBufferPointer { UUID($0) }
    }
}
