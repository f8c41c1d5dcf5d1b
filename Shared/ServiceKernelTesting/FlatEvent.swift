import IDF
import YAML

/// An event as flat names with values: `source.ip`, `custom.a.b`.
package struct FlatEvent {
    var members: [(name: String, value: JSONValue)] = []

    /// - Parameter folder: a path that stands as `{tmp}` in a case, because it is another one every time.
    package init(_ event: Event, folder: String? = nil) {
        for field in event.fields {
            if FieldID(field.name) == nil {
                for member in event.freeMembers(field.name) { flatten("\(field.name).\(member.name)", member.value) }
            } else if let value = event.json(field) {
                members.append((field.name, value))
            }
        }
        guard let folder else { return }
        for index in members.indices {
            if case .string(let text) = members[index].value {
                members[index].value = .string(text.replacing(folder, with: "{tmp}"))
            }
        }
    }

    private mutating func flatten(_ name: String, _ value: JSONValue) {
        guard let inner = value.members, !inner.isEmpty else { return members.append((name, value)) }
        for member in inner { flatten("\(name).\(member.name)", member.value) }
    }

    subscript(_ name: String) -> JSONValue? { members.first { $0.name == name }?.value }

    /// What differs from the expected mapping, each in a sentence.
    /// - Parameter isPartial: whether other fields may be there.
    package func differences(from expected: YAMLNode, id: UUID, isPartial: Bool = false) -> [String] {
        var wanted: [(name: String, node: YAMLNode)] = []
        func flatten(_ name: String, _ node: YAMLNode) {
            guard let pairs = node.pairs, !pairs.isEmpty else { return wanted.append((name, node)) }
            for (key, value) in pairs { flatten("\(name).\(key.string ?? "")", value) }
        }
        for (key, value) in expected.pairs ?? [] { flatten(key.string ?? "", value) }
        var found: [String] = []
        for (name, node) in wanted {
            if name == "id" {
                if node.string != id.description { found.append("id is \(id), expected \(shown(node))") }
            } else if let value = self[name] {
                if !matches(value, node) { found.append("\(name) is \(shown(value)), expected \(shown(node))") }
            } else {
                found.append("\(name) is not there, expected \(shown(node))")
            }
        }
        // What every event carries says nothing about the worker, unless the case names it.
        let silent = ["event.created", "event.original", "intelmq.raw_base64"]
        if isPartial { return found }
        for (name, value) in members where !silent.contains(name) && !wanted.contains(where: { $0.name == name }) {
            found.append("\(name) is \(shown(value)), expected nothing")
        }
        return found
    }
}

/// Whether a value is what a case says. Texts of fields need no quotes in a case: `1.2` is a fine version.
func matches(_ value: JSONValue, _ node: YAMLNode) -> Bool {
    switch (value, node.content) {
    case (.array(let items), .sequence(let nodes)): items.count == nodes.count && zip(items, nodes).allSatisfy { matches($0, $1) }
    case (.object(let members), .mapping(let pairs)):
        members.count == pairs.count
            && pairs.allSatisfy { key, node in value[key.string ?? ""].map { matches($0, node) } ?? false }
    case (.null, .scalar): node.isNull
    case (.boolean(let truth), .scalar): node.bool == truth
    case (.string(let text), .scalar(let wanted, _)): text == wanted
    case (.number(let text), .scalar(let wanted, plain: true)):
        text == wanted || node.double != nil && node.double == value.double
    default: false
    }
}

func shown(_ value: JSONValue) -> String { String(decoding: value.bytes, as: UTF8.self) }

func shown(_ node: YAMLNode) -> String { shown(json(node)) }

/// A value of a case as JSON; the core schema of YAML says what is a number.
func json(_ node: YAMLNode, asText: Bool = false) -> JSONValue {
    switch node.content {
    case .sequence(let items): return .array(items.map { json($0, asText: asText) })
    case .mapping(let pairs): return .object(pairs.map { .init($0.key.string ?? "", json($0.value)) })
    case .scalar(let text, _):
        if node.isNull { return .null }
        if asText { return .string(text) }
        if let number = node.int { return .integer(number) }
        if let truth = node.bool { return .boolean(truth) }
        if let number = node.double, number.isFinite { return .number(number.description) }
        return .string(text)
    }
}

/// Flow form of a node that means the same in any place; `place` changes texts (`{here}`).
func flow(_ node: YAMLNode, _ place: (String) -> String = { $0 }) -> String {
    switch node.content {
    case .sequence(let items): "[" + items.map { flow($0, place) }.joined(separator: ", ") + "]"
    case .mapping(let pairs): "{" + pairs.map { "\(flow($0.key, place)): \(flow($0.value, place))" }.joined(separator: ", ") + "}"
    case .scalar(let text, let plain):
        plain && (node.isNull || node.int != nil || node.double != nil || node.bool != nil)
            ? (text.isEmpty ? "null" : text) : shown(.string(place(text)))
    }
}

/// Events given by a case, through the door that real packets come in by.
package func events(_ node: YAMLNode, type: String = "event") throws(CaseError) -> Packet {
    var resources: [JSONValue] = []
    for item in node.array ?? [node] {
        guard let pairs = item.pairs else { throw CaseError("given holds \(shown(item)), wanted a mapping of fields") }
        var attributes: [JSONValue.Member] = []
        var members: [JSONValue.Member] = [.init("type", .string(type))]
        for (key, value) in pairs {
            let name = key.string ?? ""
            if name == "id" {
                members.append(.init("id", json(value, asText: true)))
                continue
            }
            let isText = FieldID(name).map { $0.field.type.jsonKind == .string } ?? false
            insert(name.split(separator: ".").map(String.init)[...], json(value, asText: isText), into: &attributes)
        }
        members.append(.init("attributes", .object(attributes)))
        resources.append(.object(members))
    }
    let document = JSONValue.object([
        "meta": .object(["format-name": .string(Packet.formatName), "version": .string(Packet.formatVersion)]),
        "data": .array(resources),
    ])
    do throws(PacketError) { return try Packet(decoding: document.bytes) } catch {
        throw CaseError("given is no event: \(error)")
    }
}

private func insert(_ path: ArraySlice<String>, _ value: JSONValue, into members: inout [JSONValue.Member]) {
    guard let name = path.first else { return }
    let at = members.firstIndex { $0.name == name }
    var inner = value
    if path.count > 1 {
        var below = at.flatMap { members[$0].value.members } ?? []
        insert(path.dropFirst(), value, into: &below)
        inner = .object(below)
    }
    if let at { members[at].value = inner } else { members.append(.init(name, inner)) }
}
