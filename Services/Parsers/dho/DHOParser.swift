import IDF
import ServiceKernel

/// Reads what IntelMQ 1 to 3 writes: messages in the old format.
struct DHOParser: Parser {
    static let spec = Spec(
        "dho",
        "Reads messages of IntelMQ 1 to 3 (DHO): one a line, a JSON list, or a dump file; flat or hierarchical.",
        writesAny: true, tags: ["converter"])

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        let lines = report.content.split(separator: 0x0A, omittingEmptySubsequences: false)
        guard let first = lines.first(where: { !Self.isBlank($0) }) else { return }
        // A document that does not end with its first line is a list, a dump file or one message; whatever can be read by lines is.
        let isByLines =
            lines.lazy.filter { !Self.isBlank($0) }.dropFirst().first != nil && (try? JSONValue(parsing: first)) != nil
        if !isByLines {
            if let document = try? JSONValue(parsing: report.content) { return add(document, &events) }
            guard first.first(where: { $0 > 0x20 }) == 0x7B else {
                throw .malformed("found no JSON, wanted messages of IntelMQ: one a line, a list, or a dump file")
            }
        }
        for (index, line) in lines.enumerated() where !Self.isBlank(line) {
            guard !events.isFull else { return }
            do throws(JSONError) {
                add(try JSONValue(parsing: line), line: index + 1, raw: line, &events)
            } catch {
                events.reject(line, line: index + 1, .malformed("\(error)"))
            }
        }
    }

    private static func isBlank(_ line: ArraySlice<UInt8>) -> Bool { line.allSatisfy { $0 <= 0x20 } }

    private func add(_ document: JSONValue, _ events: inout ParsedEvents) {
        if let items = document.items {
            for (index, item) in items.enumerated() where !events.isFull { add(item, line: index + 1, raw: item.bytes, &events) }
        } else if DHO.isDump(document), let entries = try? DHO.dump(document) {
            for (index, (time, entry)) in entries.enumerated() where !events.isFull {
                let raw = DHO.dump((try? entry.get()).map { [$0] } ?? []).bytes
                do throws(Problem) {
                    let entry = try entry.get()
                    guard case .text(let text) = entry.content, let message = try? JSONValue(parsing: text.utf8) else {
                        throw Problem(422, "not-dho", "the message is no JSON")
                    }
                    add(message, line: index + 1, raw: Array(text.utf8), &events)
                } catch {
                    events.reject(raw, line: index + 1, .malformed("the entry \(time): \(error.detail)"))
                }
            }
        } else {
            add(document, line: 1, raw: document.bytes, &events)
        }
    }

    private func add(_ message: JSONValue, line: Int, raw: some Collection<UInt8>, _ events: inout ParsedEvents) {
        guard let members = message.members else {
            return events.reject(raw, line: line, .malformed("found something else than a JSON object"))
        }
        if let type = message["__type"]?.plain, type != "Event" {
            let help =
                type == "Report"
                ? "found a report, which the parser of its feed must read: intelmq WORKER dead-letters import FILE.dump"
                : "found a message of the type \"\(type.prefix(80))\", wanted Event"
            return events.reject(raw, line: line, .malformed(help))
        }
        var event = events.newEvent()
        do throws(Problem) {
            for member in members where member.name != "__type" { try DHO.add(member.name, member.value, to: &event) }
        } catch {
            return events.reject(raw, line: line, .malformed(error.detail))
        }
        events.add(event)
    }
}
