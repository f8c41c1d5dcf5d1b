import Bulk
import Glibc
import IDF
import Logging
import Synchronization

/// A one-time run: standard input or files in, standard output out, as a Unix filter. One packet a line.
public struct FilterRun: Sendable {
    let service: Service
    let limit: Int
    /// Who is told how far the run is; nil: nobody.
    public var progress: RunProgress?

    /// What was done, and whether all of it went well.
    public struct Outcome: Sendable {
        /// Events and reports taken in.
        public var accepted = 0
        /// Events that could not be processed.
        public var failed = 0
        /// Why it ended early.
        public var problem: String?
        /// The exit code: 0, or 65 when data was refused, or 69 or 74.
        public var exitCode: Int32 = 0

        /// Nothing yet.
        public init() {}
    }

    /// A run of a service that is made already.
    public init(_ service: Service, limit: Int) {
        self.service = service
        self.limit = limit
    }

    /// A filter of one worker: results go to standard output.
    public init(_ configuration: ServiceConfiguration, limit: Int = .max) throws(ConfigurationError) {
        var configuration = configuration
        configuration.ack = .relay
        configuration.isOneTime = true
        let log = Log.worker(configuration.name, format: configuration.logFormat, level: max(configuration.logLevel, .warning))
        // Results of a filter go to the next filter, whatever the file says about services.
        let out = Edge(name: "stdout", channel: FileChannel(descriptor: STDOUT_FILENO, name: "standard output"))
        service = try Service(configuration, edges: configuration.entry.family == .output ? [] : [out], log: log)
        self.limit = limit
    }

    /// Runs one round of a collector.
    public func collect() async -> Outcome {
        var outcome = Outcome()
        guard case .collector(let collector) = service.role else { return outcome }
        do {
            try await collector.collect(WorkerContext(stateDirectory: nil, log: service.log)) { report throws(Rejection) in
                try await service.hand(report)
            }
            outcome.accepted = Int(service.metrics.value("intelmq_reports_received_total"))
        } catch {
            outcome.problem = "\(error)"
            outcome.exitCode = 69
        }
        return outcome
    }

    /// Works on one input: packets, one a line, as they come; for a parser also a raw report, which is read whole first.
    /// - Parameter file: its path, which may tell a parser what the report is; `-` is standard input.
    public func run(_ file: String, into outcome: inout Outcome) async {
        let isStandard = file == "-"
        let descriptor = isStandard ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC)
        defer { if descriptor >= 0, !isStandard { close(descriptor) } }
        var lines = LineReader(descriptor)
        let isReport = if case .parser = service.role { !Self.looksLikePackets(lines.peek(1024)) } else { false }
        if isReport, lines.failure == nil {
            await takeReport(&lines, name: isStandard ? nil : file, &outcome)
        } else {
            await takePackets(&lines, shown: isStandard ? "standard input" : file, &outcome)
        }
        if let failure = lines.failure {
            outcome.problem = "cannot read \(isStandard ? "standard input" : file): \(failure)"
            outcome.exitCode = 74
        }
    }

    private func takeReport(_ lines: inout LineReader, name: String?, _ outcome: inout Outcome) async {
        let content: BulkBytes
        do throws(BulkError) { content = try lines.rest(folder: service.folderForLargeReports) } catch {
            outcome.problem = error.description
            outcome.exitCode = 74
            return
        }
        guard lines.failure == nil else { return }
        progress?.begin(content)
        defer { progress?.end() }
        var report = Report(content: content)
        if let file = name?.split(separator: "/").last { report.fields.add(Key<String>.fileName.id, text: String(file)) }
        note(await service.take(report, limit: limit - outcome.accepted), &outcome)
    }

    private func takePackets(_ lines: inout LineReader, shown: String, _ outcome: inout Outcome) async {
        while outcome.exitCode == 0, outcome.accepted < limit, let line = lines.next() {
            progress?.add(line.count + 1)
            if line.allSatisfy({ $0 <= 0x20 }) { continue }
            do {
                var packet = try Packet(decoding: line, eventLimit: .max)
                let room = max(0, limit - outcome.accepted)
                if packet.events.count > room { packet.events.removeLast(packet.events.count - room) }
                note(await service.take(packet, started: .now), &outcome)
            } catch {
                outcome.problem = "\(shown), line \(lines.number): \(error)"
                outcome.exitCode = 65
            }
        }
    }

    /// Events taken so far, from any task.
    public var events: Int {
        max(Int(service.metrics.value("intelmq_events_received_total")), service.metrics.read.load(ordering: .relaxed))
    }

    /// Ends the run.
    public func finish() async { await service.close() }

    private func note(_ answer: Answer, _ outcome: inout Outcome) {
        outcome.accepted += answer.accepted
        outcome.failed += answer.failed.count
        guard !answer.isAccepted else { return }
        outcome.problem = answer.problems.map(\.description).joined(separator: "\n")
        outcome.exitCode = answer.status < 500 ? 65 : answer.problems.first?.code == "next-hop" ? 74 : 69
    }

    /// Packets begin with an object that names the format; reports do not.
    static func looksLikePackets(_ head: some Collection<UInt8>) -> Bool {
        guard head.first(where: { $0 > 0x20 }) == 0x7B else { return false }
        return String(decoding: head.prefix(1024), as: UTF8.self).contains("\"IntelMQ-IDF\"")
    }
}
