import HTTP
import IDF
import ServiceKernelTesting
import Synchronization
import Testing
import YAML

@testable import ServiceKernel

/// An expert for tests: what it does stands in the event's `message`.
struct ObedientExpert: Expert {
    static let spec = Spec(
        "obedient", "Does what the message of an event says.", reads: [Key<String>("message")],
        writes: [Key<String>("event.reason")],
        lookup: Key<IPAddress>.sourceIP)
    @Setting("Words that are written.") var words = "done"
    @Setting("A length of time.") var pause = Interval(seconds: 5)
    @Setting("How much.") var amount = ByteCount.mebibytes(1)
    @Setting("Some fields.") var fields: [FieldID] = []
    @Setting("A table.") var table: [String: Int] = [:]
    @Setting("A secret.") var token: Secret? = nil

    let released = ReleaseCount()
    var build: String? { "build-1" }

    func process(_ event: inout Event) throws(Rejection) -> Verdict {
        switch event[Key<String>("message")] {
        case "malformed": throw .malformed("the event says so")
        case "missing": throw .missing("the event lacks something")
        case "unavailable": throw .unavailable("the database is away")
        case "limited": throw .limited("slowly", retryAfter: 7)
        case "drop": return .drop("told-to")
        case "side", "nowhere": return .path(event[Key<String>("message")] ?? "")
        case "undeclared": event[Key<String>("event.action")] = "surprise"
        default: break
        }
        if event[.sourceIP]?.description == "192.0.2.99" { return .forward }
        event.fill(Key<String>("event.reason"), words)
        return .forward
    }

    func release(_ event: Event) { released.add() }
}

/// A counter shared by copies.
final class ReleaseCount: Sendable {
    private let count = Atomic<Int>(0)
    func add() { count.add(1, ordering: .relaxed) }
    var value: Int { count.load(ordering: .relaxed) }
}

/// An expert that cannot be used without a setting.
struct NeedyExpert: Expert {
    static let spec = Spec("asn-lookup", "Needs a setting.")
    @Setting("The database.", example: "/var/lib/x.mmdb") var database: String
    func process(_ event: inout Event) throws(Rejection) -> Verdict { .forward }
}

/// A parser for tests: one message a line; `bad` is a bad row, `stop` a bad report.
struct LineParser: Parser {
    static let spec = Spec("line", "Reads one message a line.", writes: [Key<String>("message")])

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        for (index, line) in report.content.array.split(separator: 0x0A).enumerated() where !events.isFull {
            let text = String(decoding: line, as: UTF8.self)
            if text == "stop" { throw .malformed("the report ends here") }
            if text == "bad" {
                events.reject(line, line: index + 1, .malformed("a bad row"))
                continue
            }
            var event = events.newEvent()
            event[Key<String>("message")] = text
            if events.keepsOriginal { event.setOriginal(line) }
            events.add(event)
        }
    }
}

/// An output that keeps what it is given.
struct MemoryOutput: Output {
    static let spec = Spec("memory", "Keeps events in memory.")
    @Setting("A file to write messages to.") var path = ""

    func write(_ events: [Event]) async throws(Rejection) -> [RejectedEvent] {
        var text = ""
        var rejected: [RejectedEvent] = []
        for (index, event) in events.enumerated() {
            let message = event[Key<String>("message")] ?? ""
            if message == "away" { throw .unavailable("the store is away") }
            if message == "bad" {
                rejected.append(RejectedEvent(index: index, .malformed("no room for it")))
            } else {
                text += message + "\n"
            }
        }
        if !path.isEmpty { try replaceFile(path, with: Array(text.utf8)) }
        return rejected
    }
}

let testRoster = Roster([
    RosterEntry(ObedientExpert.self), RosterEntry(NeedyExpert.self), RosterEntry(LineParser.self), RosterEntry(MemoryOutput.self),
])

func entry(_ name: String) -> RosterEntry { testRoster.worker(named: name) ?? testRoster.workers[0] }

/// Reads a configuration as if it were a file.
func configuration(_ text: String, file: String = "etc/config.d/test.yaml") throws(ConfigurationError) -> ServiceConfiguration {
    let document: YAMLDocument
    do throws(YAMLError) { document = try YAMLDocument.parse(Array(text.utf8), file: file) } catch {
        throw ConfigurationError([error.diagnostic])
    }
    return try ConfigurationReader.read(document, roster: testRoster)
}

/// What is said about a wrong configuration; empty when it is accepted.
func complaint(_ text: String, file: String = "etc/config.d/test.yaml") -> String {
    do throws(ConfigurationError) {
        _ = try configuration(text, file: file)
        return ""
    } catch {
        return error.description
    }
}

/// A service with in-memory edges.
func service(
    _ name: String, edges: [(String, any OutChannel)] = [], state: TemporaryFolder? = nil,
    lines: RecordedLines = RecordedLines(),
    change: (inout ServiceConfiguration) -> Void = { _ in }
) throws -> Service {
    var configuration = ServiceConfiguration(entry(name))
    configuration.state = state?.path
    configuration.ack = .relay
    configuration.listen = "127.0.0.1:0"
    configuration.edges = edges.map { EdgeConfiguration(to: "http://127.0.0.1:1", name: $0.0) }
    change(&configuration)
    return try Service(configuration, edges: edges.map { Edge(name: $0.0, channel: $0.1) }, log: .recording(lines))
}

/// A packet of events with these messages.
func packet(_ messages: String...) -> Packet {
    Packet(
        events: messages.map { message in
            var event = Event()
            event[Key<String>("message")] = message
            return event
        })
}

extension Service {
    func take(_ packet: Packet) async -> Answer { await take(packet, started: .now) }
}

extension RecordingChannel {
    var messages: [String] { events.compactMap { $0[Key<String>("message")] } }
}
