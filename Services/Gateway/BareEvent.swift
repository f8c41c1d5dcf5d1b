import IDF

/// An event given as an object of its fields, by dotted names or nested, in names of the data format or of the old one.
enum BareEvent {
    /// A packet with this event alone; every value is checked as in any packet.
    static func packet(_ object: JSONValue) throws(PacketProblems) -> Packet {
        guard let members = object.members, !members.isEmpty else {
            throw PacketProblems([
                Problem(422, "no-event", "wanted an object of fields like {\"source.ip\": \"192.0.2.1\"}, or a packet")
            ])
        }
        var attributes = JSONValue.object([JSONValue.Member]())
        for member in members {
            // A name of the old format is taken where the new one has none of that spelling.
            let name = FieldID(member.name) == nil ? DHO.field(member.name)?.name ?? member.name : member.name
            attributes.put(
                member.value, at: ArraySlice(name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)))
        }
        let document = JSONValue.object([
            "meta": .object([
                "format-name": .string(Packet.formatName), "version": .string(Packet.formatVersion),
            ]),
            "data": .array([
                .object(["type": .string("event"), "id": .string(UUID.v7().description), "attributes": attributes])
            ]),
        ])
        do throws(PacketError) { return try Packet(decoding: document.bytes) } catch {
            throw PacketProblems(
                error.problems.map { problem in
                    var problem = problem
                    // The caller knows nothing of the packet around it.
                    problem.pointer = problem.pointer.map { $0.replacing("/data/0/attributes", with: "") }
                    return problem
                })
        }
    }
}

/// Why an event or a packet is refused.
struct PacketProblems: Error {
    let problems: [Problem]
    init(_ problems: [Problem]) { self.problems = problems }
}

extension JSONValue {
    /// Puts a value where a path of member names leads; objects on the way are made, or kept and added to.
    fileprivate mutating func put(_ value: JSONValue, at path: ArraySlice<String>) {
        guard let name = path.first else {
            if case .object(let old) = self, case .object(let new) = value, !old.isEmpty {
                for member in new { put(member.value, at: [member.name]) }
            } else {
                self = value
            }
            return
        }
        var members = members ?? []
        let place = members.firstIndex { $0.name == name } ?? members.endIndex
        if place == members.endIndex { members.append(.init(name, .object([Member]()))) }
        members[place].value.put(value, at: path.dropFirst())
        self = .object(members)
    }
}
