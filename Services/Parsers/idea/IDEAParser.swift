import Formats
import IDF
import ServiceKernel

/// Reads alerts of Warden and other programs that speak IDEA.
struct IDEAParser: Parser {
    static let spec = Spec(
        "idea", "Reads IDEA alerts, as CESNET's Warden hands them out: one a line, a JSON list, or an answer of getEvents.",
        writesAny: true, tags: ["converter"])

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        try events.addMessages(of: report, wanted: "IDEA alerts: one a line, or a list", whole: Self.addAnswer, fill: Self.fill)
    }

    /// `{"events": […], "lastid": …}`
    private static func addAnswer(_ document: JSONValue, _ events: inout ParsedEvents) -> Bool {
        guard document["Category"] == nil, let items = document["events"]?.items else { return false }
        for (index, item) in items.enumerated() where !events.isFull {
            events.add(item, line: 0, object: index + 1, raw: item.bytes, fill)
        }
        return true
    }

    private static func fill(_ object: JSONValue, _ event: inout Event) throws(Problem) { try IDEA.add(object, to: &event) }
}
