import IDF
import ServiceKernel

/// Reads events of MISP: as exported, as a feed publishes them, and as the server's searches answer.
struct MISPParser: Parser {
    static let spec = Spec(
        "misp", "Reads events of MISP, as exported, from feeds, and as searches on a server answer.",
        writes: MISPFields.written)

    @Setting("Take only attributes that the source has marked for detection (to_ids).") var toIds = false
    @Setting("Categories of the attributes that make events; an empty list: all.") var categories = [
        "Payload delivery", "Artifacts dropped", "Payload installation", "Network activity",
    ]

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        try report.content.withBytes { (text) throws(Rejection) in
            var cursor = JSONCursor(text)
            var place = Place(lines: LineCounter(text))
            while !events.isFull, let part = cursor.part() {
                try read(part, text, report.fields[.feedURL], 0, &place, &events)
            }
        }
    }

    /// How far the reading has come.
    private struct Place {
        /// Attributes so far.
        var number = 0
        var lines: LineCounter
    }

    /// A document: one event, several in a list or in `response`, or attributes that carry their event.
    private func read(
        _ part: JSONCursor.Part, _ text: ByteView, _ feed: String?, _ depth: Int, _ place: inout Place,
        _ events: inout ParsedEvents
    ) throws(Rejection) {
        // `response`, a list, `Event`: events stand no deeper.
        guard depth < 5 else { throw .malformed("found lists or objects in each other and no event of MISP in them") }
        var cursor = JSONCursor(text, in: part.range)
        switch cursor.peek() {
        case UInt8(ascii: "["):
            var items: [JSONCursor.Part] = []
            let isClosed = cursor.eachItem { item in
                items.append(item)
                return true
            }
            for item in items where !events.isFull {
                do throws(Rejection) {
                    try read(item, text, feed, depth + 1, &place, &events)
                } catch {
                    events.reject(
                        ByteView(rebasing: text[item.range]), line: place.lines.line(of: item.range.lowerBound),
                        object: place.number + 1, error)
                }
            }
            if !isClosed, items.last?.isWhole != false {
                events.reject(
                    [], line: place.lines.line(of: part.range.upperBound),
                    .malformed("the report ends within a list: it is cut off"))
            }
        case UInt8(ascii: "{"):
            let members = MISPDocument.members(of: part.range, in: text)
            if let inner = members["Event"] ?? members["response"], members["value"] == nil {
                try read(inner, text, feed, depth + 1, &place, &events)
            } else if members["Attribute"] != nil || members["Object"] != nil || members["info"] != nil {
                add(MISPDocument(members, text), part, feed, &place, &events)
            } else if !members.isEmpty, members.values.allSatisfy({ text[$0.range.lowerBound] == UInt8(ascii: "{") }) {
                throw .malformed("this is the manifest of a feed, wanted one of the files of events that it names")
            } else if !members.isEmpty {
                throw .malformed("found no event of MISP: no member Event, response, Attribute or Object")
            }
        default:
            // The reader of JSON says what is wrong.
            do throws(JSONError) { _ = try JSONValue(parsing: ByteView(rebasing: text[part.range])) } catch {
                throw .malformed("\(error)")
            }
            throw .malformed("found something else than an event of MISP")
        }
    }

    private func add(
        _ document: MISPDocument, _ part: JSONCursor.Part, _ feed: String?, _ place: inout Place, _ events: inout ParsedEvents
    ) {
        let attributes = document.attributes
        let title = document.malware(attributes)
        for attribute in attributes where !events.isFull {
            place.number += 1
            let raw = document.bytes(attribute.range)
            do throws(Rejection) {
                guard attribute.isWhole else { throw .malformed("the report ends within this attribute: it is cut off") }
                let object = try JSONValue(object: raw)
                guard isWanted(object) else { continue }
                let event = object["Event"].map { MISPEvent(of: $0, feed: feed) } ?? MISPEvent(of: document.head, feed: feed)
                guard var made = try event.event(of: object, from: events.newEvent(), malware: title) else { continue }
                if events.keepsOriginal { made.addOriginal(raw) }
                events.add(made)
            } catch {
                // An attribute means nothing without its event.
                events.reject(
                    document.alone(raw), line: place.lines.line(of: attribute.range.lowerBound), object: place.number, error)
            }
        }
        if !part.isWhole, attributes.last?.isWhole != false {
            events.reject(
                document.alone(ByteView(start: nil, count: 0)), line: place.lines.line(of: part.range.upperBound),
                .malformed("the report ends after attribute \(place.number) and before its event does: it is cut off"))
        }
    }

    private func isWanted(_ attribute: JSONValue) -> Bool {
        if attribute["deleted"]?.bool == true || toIds && attribute["to_ids"]?.bool != true { return false }
        return categories.isEmpty || categories.contains(attribute["category"]?.string ?? "")
    }
}
