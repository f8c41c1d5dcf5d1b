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
        func isBlank(_ line: ArraySlice<UInt8>) -> Bool { line.allSatisfy { $0 <= 0x20 } }
        let lines = report.text.split(separator: 0x0A, omittingEmptySubsequences: false)
        let filled = lines.lazy.filter { !isBlank($0) }
        guard let first = filled.first else { return }
        // Whatever can be read by lines is; another document does not end with its first line.
        if filled.dropFirst().isEmpty || (try? JSONValue(parsing: first)) == nil {
            if let document = try? JSONValue(parsing: report.text) {
                if whole(document, &self) { return }
                guard let items = document.items else { return add(document, line: 1, raw: report.text, fill) }
                for (index, item) in items.enumerated() where !isFull {
                    add(item, line: 0, object: index + 1, raw: item.bytes, fill)
                }
                return
            }
            guard first.first(where: { $0 > 0x20 }) == 0x7B else { throw .malformed("found no JSON, wanted \(wanted)") }
        }
        for (index, line) in lines.enumerated() where !isBlank(line) {
            guard !isFull else { return }
            do throws(JSONError) {
                add(try JSONValue(parsing: line), line: index + 1, raw: line, fill)
            } catch {
                reject(line, line: index + 1, .malformed("\(error)"))
            }
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
