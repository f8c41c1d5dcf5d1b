import IDF
import ServiceKernel

extension ParsedEvents {
    /// Makes an event of each JSON object of a report: one a line, a list, or one document over several lines.
    /// - Parameters:
    ///   - wanted: what the objects are, for whoever sent something else.
    ///   - whole: takes a whole document that is something else than a list or one object; answers whether it has.
    ///   - fill: reads one object into a new event. Throwing refuses the object, and the rest goes on.
    mutating func addMessages(
        of report: Report, wanted: String, whole: (JSONValue, inout ParsedEvents) -> Bool = { _, _ in false },
        fill: (JSONValue, inout Event) throws(Problem) -> Void
    ) throws(Rejection) {
        // Programs that have nothing to say send nothing.
        if report.content.withBytes({ JSONCursor($0).isAtEnd }) { return }
        do throws(Rejection) {
            try eachValue(of: report) { item, value, raw, events in
                if item.isAlone, whole(value, &events) { return }
                events.add(value, line: item.line, object: item.object, raw: raw, fill)
            }
        } catch {
            throw .malformed("\(error.detail); wanted \(wanted)")
        }
    }

    /// Makes an event of one object.
    mutating func add(
        _ object: JSONValue, line: Int, object number: Int? = nil, raw: some Collection<UInt8>,
        _ fill: (JSONValue, inout Event) throws(Problem) -> Void
    ) {
        guard object.members != nil else {
            return reject(raw, line: line, object: number, .malformed("found something else than a JSON object"))
        }
        var event = newEvent()
        do throws(Problem) {
            try fill(object, &event)
        } catch {
            return reject(raw, line: line, object: number, .malformed(error.detail))
        }
        if keepsOriginal, event.originalBytes == nil { event.setOriginal(Array(raw)) }
        add(event)
    }
}
