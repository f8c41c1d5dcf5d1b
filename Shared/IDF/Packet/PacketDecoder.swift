internal import CSimdJSON

extension Packet {
    /// Reads one IDF document and checks every value, bringing it into canonical form where that is possible without loss.
    ///
    /// - Parameters:
    ///   - bytes: the JSON text.
    ///   - eventLimit: the largest number of resources accepted.
    ///   - depthLimit: the deepest nesting accepted.
    /// - Throws: `PacketError` with a pointer to each offending member; nothing of the packet is then used.
    public init(decoding bytes: [UInt8], eventLimit: Int = 10_000, depthLimit: Int = 32) throws(PacketError) {
        let source = SourceBytes(bytes)
        self = try JSONTokeniser.borrow { tokeniser throws(PacketError) in
            let tokens: UnsafeBufferPointer<idf_token>
            do throws(JSONError) {
                tokens = try tokeniser.tokens(of: source.view, depth: depthLimit)
            } catch {
                let code = error.message.hasPrefix("nested") ? "too-deep" : "malformed-json"
                throw PacketError([Problem(400, code, "\(error)", line: error.line, column: error.column)])
            }
            var decoder = PacketDecoder(source: source, tokens: tokens, eventLimit: eventLimit)
            return try decoder.packet()
        }
    }
}

/// Walks the tokens of one document.
struct PacketDecoder {
    let source: SourceBytes
    let tokens: UnsafeBufferPointer<idf_token>
    let eventLimit: Int
    let table = FieldTable.shared
    let original = Key<String>.original.id
    /// More problems than this are not told.
    static let problemLimit = 100
    var problems: [Problem] = []
    /// Names of the sub-objects being read, as tokens: for the pointer of a problem.
    var trail: [Int] = []
    var resource = 0
    // Of the event being read; the next one begins with empty ones.
    var members: ContiguousArray<Event.Member> = []
    var own: [UInt8] = []
    var scratch: [UInt8] = []
    var plain: [UInt8] = []
    var usual = 24

    init(source: SourceBytes, tokens: UnsafeBufferPointer<idf_token>, eventLimit: Int) {
        self.source = source
        self.tokens = tokens
        self.eventLimit = eventLimit
    }

    mutating func packet() throws(PacketError) -> Packet {
        guard kind(0) == .object else {
            throw PacketError([
                Problem(422, "not-idf", "found \(kind(0).word); an IDF packet is a JSON object with meta and data")
            ])
        }
        var meta: Packet.Meta?
        var data: Int?
        var at = 1
        while at < Int(tokens[0].next) {
            switch name(at) {
            case "meta": meta = readMeta(at + 1)
            case "data": data = at + 1
            case "jsonapi", "links": break
            case let other:
                report(
                    "unknown-member", "no member \"\(other)\" is known here; an IDF packet has jsonapi, meta and data",
                    "/\(escaped(other))")
            }
            at = Int(tokens[at + 1].next)
        }
        guard let meta, let data else {
            if meta == nil, problems.isEmpty {
                report(
                    "missing-meta",
                    "the packet has no \"meta\": wanted {\"format-name\": \"IntelMQ-IDF\", \"version\": \"3.1\", …}", "")
            } else if data == nil {
                report("missing-data", "the packet has no \"data\": wanted a list of events or reports", "")
            }
            throw PacketError(problems)
        }
        var packet = Packet(meta: meta)
        switch kind(data) {
        case .array:
            packet.events.reserveCapacity(min(1000, (tokens.count - data) / 20))
            var item = data + 1
            while item < Int(tokens[data].next) {
                guard resource < eventLimit else {
                    throw PacketError([
                        Problem(
                            413, "too-many-events",
                            "more than \(eventLimit) events in one packet; send several, or raise limits.events",
                            pointer: "/data")
                    ])
                }
                readResource(item, into: &packet)
                resource += 1
                item = Int(tokens[item].next)
            }
        case .object: readResource(data, into: &packet)
        default: report("wrong-type", "found \(kind(data).word), wanted a list of events or reports", "/data")
        }
        guard problems.isEmpty else { throw PacketError(problems) }
        return packet
    }

    // MARK: tokens

    @inline(__always) func kind(_ index: Int) -> JSONKind { JSONKind(rawValue: tokens[index].kind) ?? .null }

    /// The same as `kind(index) == kind` for what is asked of every token.
    @inline(__always) func isKind(_ index: Int, _ kind: JSONKind) -> Bool { tokens[index].kind == kind.rawValue }

    @inline(__always) func inner(_ token: idf_token) -> ByteView {
        source.view(Int(token.start) + 1, Int(token.end - token.start) - 2)
    }

    func name(_ index: Int) -> String { JSONValue.inner(tokens[index], source.view) }

    func string(_ index: Int) -> String? { kind(index) == .string ? name(index) : nil }

    func escaped(_ name: String) -> String {
        name.contains("~") || name.contains("/")
            ? name.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
                .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1") : name
    }

    mutating func report(_ code: String, _ detail: String, _ pointer: String) {
        if problems.count < Self.problemLimit { problems.append(Problem(422, code, detail, pointer: pointer)) }
    }

    /// Pointer to the member whose name is that token, which stands in the object being read; without one to the object.
    func pointer(to member: Int? = nil) -> String {
        var text = "/data/\(resource)/attributes"
        for index in trail { text += "/" + escaped(name(index)) }
        if let member { text += "/" + escaped(name(member)) }
        return text
    }

    // MARK: resources

    private mutating func readResource(_ index: Int, into packet: inout Packet) {
        guard isKind(index, .object) else {
            return report("wrong-type", "found \(kind(index).word), wanted an event", "/data/\(resource)")
        }
        var id: UUID?
        var isReport = false
        var attributes: Int?
        var typed = false
        var at = index + 1
        while at < Int(tokens[index].next) {
            let key = inner(tokens[at])
            if key.equals("attributes") {
                attributes = at + 1
            } else if key.equals("id") {
                id = isKind(at + 1, .string) ? UUID(inner(tokens[at + 1])) : nil
                if id == nil { report("invalid-value", "the id is no UUID", "/data/\(resource)/id") }
            } else if key.equals("type") {
                typed = true
                isReport = isKind(at + 1, .string) && inner(tokens[at + 1]).equals("report")
                if !isReport, !(isKind(at + 1, .string) && inner(tokens[at + 1]).equals("event")) {
                    report("invalid-value", "wanted \"event\" or \"report\"", "/data/\(resource)/type")
                }
            } else if !key.equals("meta"), !key.equals("links") {
                report(
                    "unknown-member", "no member \"\(name(at))\" is known here; fields stand in \"attributes\"",
                    "/data/\(resource)/\(escaped(name(at)))")
            }
            at = Int(tokens[at + 1].next)
        }
        if !typed {
            report("missing-member", "the resource has no \"type\": wanted \"event\" or \"report\"", "/data/\(resource)")
        }
        guard let attributes, kind(attributes) == .object else {
            return report("missing-member", "the resource has no \"attributes\" object", "/data/\(resource)")
        }
        members.reserveCapacity(usual + 4)
        trail.removeAll(keepingCapacity: true)
        readObject(attributes, node: 0)
        arrange()
        usual = members.count
        var event = Event(id: id ?? .v7(), members: [], own: [], base: source)
        swap(&event.members, &members)
        swap(&event.own, &own)
        event.isWire = true
        if isReport {
            var fields = event
            let content = fields.originalBytes ?? []
            fields.remove(.original)
            fields.remove(.rawBase64)
            packet.reports.append(Report(content: content, fields: fields, id: event.id))
        } else {
            packet.events.append(event)
        }
    }

    private mutating func readObject(_ index: Int, node: Int) {
        let end = Int(tokens[index].next)
        var at = index + 1
        while at < end {
            let token = tokens[at]
            let value = at + 1
            let child: Int?
            if token.flags == 0 {
                child = table.child(of: node, named: inner(token))
            } else {
                let plain = Array(name(at).utf8)
                child = plain.withUnsafeBufferPointer { table.child(of: node, named: $0) }
            }
            if let child {
                let field = table.fieldOf[child]
                if field != FieldTable.none {
                    readField(FieldID(raw: field), value)
                } else if table.packedOf[child] != FieldTable.none, isKind(value, .object) {
                    keepWhole(FieldID(raw: table.packedOf[child]), at)
                } else if isKind(value, .object) {
                    trail.append(at)
                    readObject(value, node: child)
                    trail.removeLast()
                } else if kind(value) != .null {
                    report("wrong-type", "found \(kind(value).word), wanted an object", pointer(to: at))
                }
            } else if table.openOf[node] != FieldTable.none {
                readFree(FieldID(raw: table.openOf[node]), at)
            } else {
                unknown(at, node: node)
            }
            at = Int(tokens[value].next)
        }
    }

    /// Keeps a free root as the one span it came in: most hops do not look into it.
    private mutating func keepWhole(_ field: FieldID, _ at: Int) {
        let object = tokens[at + 1]
        var member = at + 2
        guard member < Int(object.next) else { return }
        var count = 0
        while member < Int(object.next) {
            count += 1
            let length = tokens[member + 1].start - tokens[member].start
            if length > 4096 {
                report("name-too-long", "a member name of \(length) bytes; at most 4096 are allowed", pointer(to: at))
            }
            member = Int(tokens[member + 1].next)
        }
        if count > 4096 {
            return report("too-many-members", "\(count) members in \(name(at)); at most 4096 are allowed", pointer(to: at))
        }
        members.append(
            Event.Member(
                field: field, keyLength: 0, offset: object.start, length: object.end - object.start, kind: object.kind,
                isOwn: false,
                hasEscapes: false))
    }

    private mutating func readFree(_ field: FieldID, _ at: Int) {
        let start = tokens[at].start
        let keyLength = tokens[at + 1].start - start
        guard keyLength <= 4096 else {
            return report(
                "name-too-long", "a member name of \(keyLength) bytes; at most 4096 are allowed", pointer())
        }
        members.append(
            Event.Member(
                field: field, keyLength: UInt16(keyLength), offset: start, length: tokens[at + 1].end - start,
                kind: tokens[at + 1].kind,
                isOwn: false, hasEscapes: tokens[at + 1].flags != 0))
    }

    /// Whether every member is of another field than the one before, and in order.
    private var isArranged: Bool {
        members.withUnsafeBufferPointer { members in
            var last = -1
            for index in members.indices {
                let field = Int(members[index].field.raw)
                if field <= last { return false }
                last = field
            }
            return true
        }
    }

    /// Members come in writing order from our own services; from others they are put in order here.
    private mutating func arrange() {
        if isArranged { return }
        // More than the table has and a free root may have: most are the same field again and again.
        if members.count > 8192 {
            return report("too-many-members", "\(members.count) members in one event", "/data/\(resource)/attributes")
        }
        if members.count > 128, zip(members, members.dropFirst()).contains(where: { $0.field > $1.field }) {
            let order = members.indices.sorted { (members[$0].field.raw, $0) < (members[$1].field.raw, $1) }
            members = ContiguousArray(order.map { members[$0] })
        }
        for index in 1..<members.count {
            let member = members[index]
            var at = index
            while at > 0, members[at - 1].field.raw > member.field.raw {
                members[at] = members[at - 1]
                at -= 1
            }
            members[at] = member
            if at > 0, members[at - 1].field == member.field, member.keyLength == 0 {
                let name = member.field.name
                report(
                    "duplicate-member", "\(name) stands twice in one object",
                    "/data/\(resource)/attributes/" + name.split(separator: ".").joined(separator: "/"))
            }
        }
    }
}
