import Formats
import IDF
import ServiceKernel

/// Reads events of n6: of its stream, of its REST API (json, sjson), or of its pipeline.
struct N6Parser: Parser {
    static let spec = Spec(
        "n6",
        "Reads events of CERT Polska's n6 (stream, REST API or pipeline); all addresses of an event stay in one event.",
        writesAny: true, tags: ["converter"])

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        try events.addMessages(of: report, wanted: "events of n6: one a line, or a list") { object, event throws(Problem) in
            try N6.add(object, to: &event)
        }
    }
}
