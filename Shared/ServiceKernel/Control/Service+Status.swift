import Glibc
import IDF
import Spool

extension Service {
    /// State and accounts, as `GET /v1/status` answers them.
    ///
    /// `accounts` holds for every edge of the spool, to the event and across kills:
    /// accepted = delivered + dead-lettered + dropped + lost + in-spool, where lost are those a damaged disk has cost.
    public var status: JSONValue {
        var members: [JSONValue.Member] = [
            .init("worker", .string(configuration.entry.name)), .init("name", .string(configuration.name)),
            .init("state", .string("\(phase)")), .init("ack", .string(configuration.ack.rawValue)),
            .init("version", .string(Version.current)), .init("pid", .integer(Int(getpid()))),
            .init("started", .integer(Int(metrics.value("intelmq_start_timestamp_seconds")))),
        ]
        // Since this process started. Parsers take reports, collectors fetch them.
        let counts = ["received", "sent", "dropped", "dead_lettered"].map { name in
            JSONValue.Member(
                name.replacing("_", with: "-"), .integer(Int(metrics.value("intelmq_events_\(name)_total"))))
        }
        members.append(.init("events", .object(counts)))
        members.append(.init("errors", .integer(Int(metrics.value("intelmq_errors_total")))))
        members.append(
            .init(
                "edges",
                .array(
                    (edges + ending).map { edge in
                        .object([
                            "name": .string(edge.name),
                            "sent": .integer(Int(metrics.value("intelmq_events_sent_total", [("edge", edge.name)]))),
                            "is-ending": .boolean(edge.isEnding),
                            "is-down": .boolean(edge.isDown.load(ordering: .relaxed)),
                            "last-success": .integer(edge.lastSuccess.load(ordering: .relaxed)),
                            "concurrency": .integer(edge.gate.limit),
                        ])
                    })))
        if let status = deadLetterSpool?.status() {
            members.append(
                .init(
                    "spool",
                    .object([
                        "packets": .integer(status.packets), "bytes": .integer(Int(status.bytes)),
                        "limit-bytes": .integer(Int(status.limitBytes)), "dead-letters": .integer(status.deadLetters),
                        "oldest-seconds": .integer(Int(status.oldestAgeSeconds)),
                        "refusal": status.refusal.map { .string($0) } ?? .null,
                    ])))
            members.append(.init("accounts", .array(status.edges.map(\.account))))
        }
        return .object(members)
    }
}

extension SpoolStatus.Edge {
    fileprivate var account: JSONValue {
        .object([
            "edge": .string(name), "accepted": .integer(acceptedEvents),
            "delivered": .integer(acknowledgedEvents - deadLetteredEvents - droppedEvents),
            "dead-lettered": .integer(deadLetteredEvents), "dropped": .integer(droppedEvents), "lost": .integer(lostEvents),
            "in-spool": .integer(backlogEvents), "is-balanced": .boolean(isBalanced),
        ])
    }
}
