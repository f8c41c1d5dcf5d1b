import Conditions
import IDF
import Testing

/// An event from fields and values as text; a list gives a field several values.
func event(_ fields: KeyValuePairs<String, String>, custom: String = "{}") throws -> Event {
    var attributes = fields.map { name, value in
        let type = FieldID(name)!.type
        func json(_ text: String) -> String {
            type.jsonKind == .string ? String(decoding: JSONValue.string(text).bytes, as: UTF8.self) : text
        }
        let values = value.split(separator: "|").map { json(String($0)) }
        let inner = values.count == 1 ? values[0] : "[\(values.joined(separator: ","))]"
        return name.split(separator: ".").reversed().reduce(inner) { "{\"\($1)\":\($0)}" }
    }
    attributes.append("{\"custom\":\(custom)}")
    // Over the wire, as events come: members are bytes of the packet.
    var members: [JSONValue.Member] = []
    for text in attributes { members = merge(members, try JSONValue(parsing: text.utf8).members ?? []) }
    let body = String(decoding: JSONValue.object(members).bytes, as: UTF8.self)
    let packet = """
        {"meta":{"format-name":"IntelMQ-IDF","version":"3.1"},"data":[{"type":"event",\
        "id":"0198f2c4-7d1e-7a2b-9c3d-4e5f60718293","attributes":\(body)}]}
        """
    let decoded = try Packet(decoding: Array(packet.utf8))
    return try #require(decoded.events.first)
}

private func merge(_ old: [JSONValue.Member], _ new: [JSONValue.Member]) -> [JSONValue.Member] {
    var merged = old
    for member in new {
        if let at = merged.firstIndex(where: { $0.name == member.name }), let left = merged[at].value.members,
            let right = member.value.members
        {
            merged[at].value = .object(merge(left, right))
        } else {
            merged.append(member)
        }
    }
    return merged
}

/// Expects of each condition whether it holds.
func expect(_ event: Event, at place: SourceLocation = #_sourceLocation, _ expected: KeyValuePairs<String, Bool>) throws {
    for (text, answer) in expected {
        let condition = try Condition(text)
        #expect(condition.holds(for: event) == answer, Comment(rawValue: text), sourceLocation: place)
    }
}

/// The error of a condition that must not be.
func failure(_ text: String, at place: SourceLocation = #_sourceLocation) throws -> ConditionError {
    do throws(ConditionError) {
        _ = try Condition(text)
    } catch {
        return error
    }
    Issue.record("no error for \(text.prefix(200))", sourceLocation: place)
    throw CancellationError()
}
