import IDF
import STIX
import ServiceKernel

/// Reads threat intelligence in STIX 2.1 and 2.0: bundles, answers of TAXII servers, single objects, one a line.
struct STIXParser: Parser {
    static let spec = Spec(
        "stix", "Reads indicators, observed data and observables in STIX 2.1 and 2.0, as bundles or as TAXII servers give them.",
        writes: STIXFields.written)

    @Setting("Classification types of the source's own labels and indicator types: {\"phish-url\": phishing}.")
    var types: [String: String] = [:]

    mutating func prepare(_ context: WorkerContext) throws(Rejection) {
        for (label, type) in types where ClassificationType(type) == nil {
            throw .malformed("types: \"\(type)\" of \"\(label)\" is no classification type, wanted one as phishing or c2-server")
        }
    }

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        report.content.withBytes { text in
            let bundle = STIXBundle(text: text)
            let own = Dictionary(types.map { ($0.lowercased(), $1) }, uniquingKeysWith: { first, _ in first })
            let reading = STIXReading(bundle: bundle, context: STIXContext(of: bundle), own: own)
            var lines = LineCounter(text)
            var last = 0
            let isWhole = bundle.eachObject { part, number in
                let raw = bundle.bytes(part.range)
                do throws(Rejection) {
                    try read(part, reading, &events)
                } catch {
                    events.reject(raw, line: lines.line(of: part.range.lowerBound), object: number, error)
                }
                last = part.isWhole ? number : -1
                return !events.isFull
            }
            if !isWhole, last >= 0 {
                events.reject(
                    [], line: lines.line(of: text.count),
                    .malformed("the report ends after object \(last) and before its list does: it is cut off"))
            }
        }
    }

    /// One object: an indicator, an observation or an observable makes events, the others tell more of them.
    private func read(_ part: JSONCursor.Part, _ reading: STIXReading, _ events: inout ParsedEvents) throws(Rejection) {
        guard part.isWhole else {
            throw .malformed("the report ends within this object: it is cut off, or a quote or bracket is missing")
        }
        let raw = reading.bundle.bytes(part.range)
        guard let kind = reading.bundle.kind(of: part) else {
            // The reader of JSON says better what is wrong, if it is no JSON.
            _ = try JSONValue(object: raw)
            throw .malformed("found something else than an object with a type")
        }
        switch kind {
        case .indicator: try reading.indicator(try JSONValue(object: raw), raw, &events)
        case .observation: try reading.observation(try JSONValue(object: raw), raw, &events)
        case .observable: try reading.observable(try JSONValue(object: raw), raw, &events)
        case .context: _ = try JSONValue(object: raw)
        case .other: return
        }
    }
}
