import IDF
import ServiceKernel

/// Reads what IntelMQ 1 to 3 writes: messages in the old format.
struct DHOParser: Parser {
    static let spec = Spec(
        "dho",
        "Reads messages of IntelMQ 1 to 3 (DHO): one a line, a JSON list, or a dump file; flat or hierarchical.",
        writesAny: true, tags: ["converter"])

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        try events.addMessages(
            of: report, wanted: "messages of IntelMQ: one a line, a list, or a dump file", whole: Self.addDump, fill: Self.fill)
    }

    private static func addDump(_ document: JSONValue, _ events: inout ParsedEvents) -> Bool {
        guard DHO.isDump(document), let entries = try? DHO.dump(document) else { return false }
        for (index, (time, entry)) in entries.enumerated() where !events.isFull {
            guard let entry = try? entry.get(), case .text(let text) = entry.content,
                let message = try? JSONValue(parsing: text.utf8)
            else {
                events.reject(
                    (document[time] ?? .null).bytes, line: 0, object: index + 1,
                    .malformed("the message of the entry \(time) is no JSON"))
                continue
            }
            events.add(message, line: 0, object: index + 1, raw: text.utf8, fill)
        }
        return true
    }

    private static func fill(_ message: JSONValue, _ event: inout Event) throws(Problem) {
        if let type = message["__type"]?.plain, type != "Event" {
            throw Problem(
                422, "not-dho",
                type == "Report"
                    ? "found a report, which the parser of its feed must read: intelmq WORKER dead-letters import FILE.dump"
                    : "found a message of the type \"\(type.prefix(80))\", wanted Event")
        }
        for member in message.members ?? [] where member.name != "__type" { try DHO.add(member.name, member.value, to: &event) }
    }
}
