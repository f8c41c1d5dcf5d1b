import Bulk
import Glibc
public import IDF
import Logging
import Spool
import Synchronization
import Threads

extension Service {
    /// Several packets are one append, which costs about as much as one packet alone; many at once would only take memory.
    private static let bytesPerAppend = 4 << 20

    /// Takes one report in: parses it and hands its events on, while the rest is still being parsed.
    /// - Parameters:
    ///   - limit: stop after so many events.
    ///   - meta: what is said about the packet the report came in: its trace, and when it was taken in.
    public func take(_ report: Report, limit: Int = .max, from meta: Packet.Meta? = nil) async -> Answer {
        guard isReady else { return notNow }
        inWork.add(1, ordering: .acquiringAndReleasing)
        defer { inWork.subtract(1, ordering: .acquiringAndReleasing) }
        let role = role
        if case .reloading = role { return Self.reloading }
        guard case .parser(let parser) = role else {
            return .refused(422, "wrong-resource", "\(configuration.name) takes no reports")
        }
        metrics.count("intelmq_reports_received_total")
        var report = report
        do throws(Rejection) { report = try decoded(report) } catch { return Self.answer(error) }
        let intake = meta?.intakeAt ?? .now()
        let trace = meta?.trace ?? TraceParent(beginning: report.id)
        let durable = isDurable
        // As a relay, what is on its way to the next hop counts, too.
        let feed = ParserFeed(ahead: durable ? 4 : configuration.limits.inFlight + 4)
        let parsing = feed.start(
            parser, report, keepsOriginal: configuration.keepsOriginal, limit: limit, batch: configuration.limits.batch)
        var answer = Answer(status: durable ? 202 : 200)
        await withTaskGroup(of: Answer.self) { group in
            var open = 0
            func settle(_ one: Answer?) {
                open -= 1
                if let one, !one.isAccepted, answer.isAccepted { answer = one }
            }
            var chunk: [Outgoing] = []
            var chunkBytes = 0
            for await events in parsing {
                var packet = Packet(events: events)
                // By its place and length: should the report come again after a reload, and be cut otherwise, no other part is taken
                // for it. (A reload after which other rows are read is another matter.)
                packet.meta.id = report.id.part(-1 - answer.accepted).part(-1 - events.count)
                packet.meta.source = self.emitter
                packet.meta.producer = self.configuration.producer
                packet.meta.intakeAt = intake
                packet.meta.trace = trace.next()
                answer.accepted += events.count
                self.metrics.read.add(events.count, ordering: .relaxed)
                if durable {
                    packet.meta.notFor = self.notTheirTurn(nil)
                    let outgoing = Outgoing(packet)
                    chunkBytes += outgoing.bytes.count
                    outgoing.forgetPacket()
                    chunk.append(outgoing)
                    feed.taken()
                    if chunkBytes < Self.bytesPerAppend { continue }
                    if open >= 2 { settle(await group.next()) }
                    open += 1
                    group.addTask { [chunk] in await self.keep(chunk) }
                    (chunk, chunkBytes) = ([], 0)
                } else {
                    if open >= self.configuration.limits.inFlight { settle(await group.next()) }
                    open += 1
                    group.addTask { [packet] in
                        let answer = await self.pass([packet])
                        feed.taken()
                        return answer
                    }
                }
                if !answer.isAccepted { break }
            }
            feed.stop()
            if !chunk.isEmpty, answer.isAccepted {
                open += 1
                group.addTask { [chunk] in await self.keep(chunk) }
            }
            while open > 0 { settle(await group.next()) }
        }
        let outcome = await feed.outcome()
        guard answer.isAccepted else { return answer }
        if Task.isCancelled { return notNow }
        if outcome.isHopeless {
            return .refused(
                422, "malformed",
                "\(outcome.rejected.count) rows cannot be read, the first: \(outcome.rejected[0].place): "
                    + outcome.rejected[0].rejection.detail + "; is this the right parser for the report?")
        }
        // A report that cannot be read as a whole stays with its sender, who hears why.
        if let rejection = outcome.rejection { return Self.answer(rejection) }
        if hasErrorEdge {
            let sent = await pass([errors(of: outcome.rejected, report, meta, trace)])
            guard sent.isAccepted else { return sent }
        }
        let letters =
            hasErrorEdge
            ? []
            : outcome.rejected.map { row -> DeadLetter in
                // With its header and the fields of its feed it is a report of its own, which can be mended and sent again.
                let small = Report(content: outcome.header + row.bytes, fields: report.fields)
                return letter(
                    .v7(), packet: report.id, .malformed("\(row.place): \(row.rejection.detail)"),
                    original: Packet(reports: [small]).encoded(), mediaType: Packet.mediaType)
            }
        guard await bury(letters, trace) else { return Self.noGrave }
        answer.failed = outcome.rejected.map { ($0.line > 0 ? $0.line : $0.object ?? 0, $0.rejection.code, $0.rejection.detail) }
        metrics.received.add(answer.accepted + answer.failed.count)
        if answer.accepted > 0 { metrics.sawData() }
        log.debug(
            "report taken",
            metadata: ["packet.id": "\(report.id)", "trace.id": "\(trace.traceID)", "events": "\(answer.accepted)"])
        return answer
    }

    /// The rows that cannot be read, as events that say so.
    private func errors(of rows: [RejectedRow], _ report: Report, _ meta: Packet.Meta?, _ trace: TraceParent) -> Packet {
        let template = ParsedEvents(report: report)
        var packet = Packet(
            events: rows.map { row in
                var event = template.newEvent()
                event.id = .derived(from: report.id.bytes + row.place.utf8)
                event.setOriginal(row.bytes)
                return failed(event, .malformed("\(row.place): \(row.rejection.detail)"))
            })
        packet.meta.id = .derived(from: report.id.bytes + EdgeFilter.error.utf8)
        packet.meta.source = emitter
        packet.meta.producer = configuration.producer
        packet.meta.intakeAt = meta?.intakeAt ?? .now()
        packet.meta.trace = trace.next()
        packet.meta.path = EdgeFilter.error
        return packet
    }
}

extension Service {
    var folderForLargeReports: String { configuration.folderForLargeReports }

    /// The report in UTF-8, where the configuration says that it comes in something else.
    func decoded(_ report: Report) throws(Rejection) -> Report {
        guard let encoding = configuration.encoding else { return report }
        var report = report
        report.content = try encoding.decoded(
            report.content, limit: configuration.limits.report.bytes, folder: folderForLargeReports)
        return report
    }
}

extension ServiceConfiguration {
    /// Where reports that are too many bytes for memory lie while they are worked on.
    package var folderForLargeReports: String { state ?? BulkWriter.temporaryDirectory }
}

/// Runs a parser on a thread of its own and hands its batches to a task, a few at a time, so that a report of any
/// length takes little memory and parsing overlaps with delivery.
final class ParserFeed: Sendable {
    struct Outcome: Sendable {
        var rejection: Rejection?
        var rejected: [RejectedRow] = []
        var header: [UInt8] = []
        var isHopeless = false
    }

    private let room: UnsafeSemaphore
    private let stopped = Atomic<Bool>(false)
    private let result = Mutex<(outcome: Outcome?, waiter: CheckedContinuation<Outcome, Never>?)>((nil, nil))

    /// - Parameter ahead: batches that may be parsed and not yet delivered.
    init(ahead: Int) { room = UnsafeSemaphore(UInt32(ahead)) }

    func start(_ parser: any Parser, _ report: Report, keepsOriginal: Bool, limit: Int, batch: Int) -> AsyncStream<[Event]> {
        let (stream, continuation) = AsyncStream.makeStream(of: [Event].self)
        let isStarted = startThread {
            var outcome = Outcome()
            var events = ParsedEvents(report: report, keepsOriginal: keepsOriginal, limit: limit, batch: batch) { batch in
                guard !self.stopped.load(ordering: .relaxed) else { return }
                self.room.wait()
                continuation.yield(batch)
            }
            do throws(Rejection) {
                try parser.parse(report, into: &events)
                events.finish()
            } catch {
                outcome.rejection = error
            }
            outcome.rejected = events.rejected
            outcome.header = events.header
            outcome.isHopeless = events.isHopeless
            continuation.finish()
            let waiter = self.result.withLock { state in
                state.outcome = outcome
                return state.waiter
            }
            waiter?.resume(returning: outcome)
        }
        if !isStarted {
            result.withLock {
                $0.outcome = Outcome(rejection: .unavailable("no thread can be started; too many reports at once"))
            }
            continuation.finish()
        }
        return stream
    }

    /// A batch has gone: there is room for another.
    func taken() { room.signal() }

    /// No more batches are wanted.
    func stop() {
        stopped.store(true, ordering: .relaxed)
        room.signal(1000)
    }

    func outcome() async -> Outcome {
        await withCheckedContinuation { continuation in
            let done = result.withLock { state in
                if state.outcome == nil { state.waiter = continuation }
                return state.outcome
            }
            if let done { continuation.resume(returning: done) }
        }
    }
}

/// A counting semaphore for threads (not tasks) to wait on.
final class UnsafeSemaphore: @unchecked Sendable {
    private let semaphore: UnsafeMutablePointer<sem_t>

    init(_ count: UInt32) {
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, count)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func wait() { while sem_wait(semaphore) != 0 {} }
    func signal(_ times: Int = 1) { for _ in 0..<times { sem_post(semaphore) } }
}
