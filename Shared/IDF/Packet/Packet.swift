public import Bulk

/// One IDF document: the unit of transport. Up to a few thousand events, or reports, under one `meta`.
public struct Packet: Sendable {
    /// What is said about the packet as a whole.
    public struct Meta: Sendable {
        /// Identity of the packet: sent twice it has one effect.
        public var id: UUID
        /// Identity of the emitter.
        public var source: String?
        /// Organisation that produced the data.
        public var producer: String?
        /// When the packet was made.
        public var createdAt: Timestamp
        /// How many services the events have passed.
        public var hops: Int
        /// When the first service acknowledged the events: what latency since intake is counted from.
        public var intakeAt: Timestamp?
        /// The trace the packet belongs to; services begin one where there is none.
        public var trace: TraceParent?
        /// The named path by which the packet leaves the service it is in, as `error` or `path:NAME`; nil: the usual one.
        public var path: String?
        /// Edges of the service that the packet is in over which it does not go: it was the turn of others.
        public var notFor: [String] = []

        /// Meta data of a new packet.
        public init(source: String? = nil, producer: String? = nil) {
            id = .v7()
            self.source = source
            self.producer = producer
            createdAt = .now()
            hops = 0
        }
    }

    /// Name of the format in `meta.format-name`.
    public static let formatName = "IntelMQ-IDF"
    /// Version of the format.
    public static let formatVersion = "3.1"
    /// Address of the format's JSON Schema.
    public static let formatURL = "https://intelmq.org/schemas/idf-3.1.schema.json"
    /// Version of ECS whose names are used.
    public static let ecsVersion = "9.4.0"
    /// Media type of a packet.
    public static let mediaType = "application/vnd.api+json"

    /// What is said about the packet.
    public var meta: Meta
    /// The events, in order.
    public var events: [Event]
    /// The reports, in order.
    public var reports: [Report]

    /// Makes a packet.
    public init(meta: Meta = Meta(), events: [Event] = [], reports: [Report] = []) {
        self.meta = meta
        self.events = events
        self.reports = reports
    }
}

/// Raw data of a feed together with where it came from.
public struct Report: Sendable {
    /// Identity of the report.
    public var id: UUID
    /// Fields of the feed (`threat.feed.*`, `event.created`, `custom`…), which the report's events inherit.
    public var fields: Event
    /// The bytes as they came.
    public var content: BulkBytes

    /// Makes a report.
    public init(content: BulkBytes, fields: Event = Event(), id: UUID = .v7()) {
        self.id = id
        self.fields = fields
        self.content = content
    }

    /// Makes a report of bytes in memory.
    public init(content: [UInt8], fields: Event = Event(), id: UUID = .v7()) {
        self.init(content: BulkBytes(content), fields: fields, id: id)
    }

    /// Name of the file the report came from.
    public var fileName: String? { fields[.fileName] }

    /// The id of a report that its sender gives a name: the same name for the same bytes gives the same id, and no other.
    /// A name that is a UUID gives the id its time.
    public static func id(named name: String, _ content: BulkBytes) -> UUID {
        let (high, low) = digest(of: content)
        if let given = UUID(name) { return given.part(Int(truncatingIfNeeded: high ^ low)) }
        return .derived(from: Array(name.utf8) + UUID(high: high, low: low).bytes)
    }
}

extension Packet {
    /// Appends the packet as one JSON:API document.
    public func encode(into out: inout [UInt8]) {
        let size = events.indices.reduce(0) { $0 + events[$1].encodedLimit + 1 }
        out.reserveCapacity(out.count + reports.reduce(size + 512) { $0 + $1.content.count * 4 / 3 + 512 })
        appendMeta(to: &out)
        out.append(atMost: size) { writer in
            for index in events.indices {
                if index > 0 { writer.append(0x2C) }
                events[index].write(to: &writer)
            }
        }
        for (index, report) in reports.enumerated() {
            if index > 0 || !events.isEmpty { out.append(0x2C) }
            report.encode(into: &out)
        }
        out.append(contentsOf: "]}".utf8)
    }

    /// The packet as one JSON:API document, without a line end.
    public func encoded() -> [UInt8] {
        var out: [UInt8] = []
        encode(into: &out)
        return out
    }

    private func appendMeta(to out: inout [UInt8]) {
        func text(_ name: StaticString, _ value: String) {
            out.append(contentsOf: ",\"\(name)\":".utf8)
            JSONText.appendQuoted(value, to: &out)
        }
        out.append(contentsOf: #"{"jsonapi":{"version":"1.1"},"meta":{"format-name":"IntelMQ-IDF","version":"3.1","url":""#.utf8)
        out.append(contentsOf: Self.formatURL.utf8)
        out.append(contentsOf: "\",\"id\":\"".utf8)
        meta.id.append(to: &out)
        out.append(0x22)
        // Here, where TraceParent(inPacket:) looks for it.
        if let trace = meta.trace { text("traceparent", trace.description) }
        // Here, where Packet.path(of:) and notFor(of:) look for it.
        if let path = meta.path { text("path", path) }
        if !meta.notFor.isEmpty { text("not-for", meta.notFor.joined(separator: ",")) }
        // Here, where TraceParent(inPacket:) looks for it.
        if let state = meta.trace?.state { text("tracestate", state) }
        if let source = meta.source { text("source", source) }
        if let producer = meta.producer { text("producer", producer) }
        text("created-at", meta.createdAt.description)
        if let intake = meta.intakeAt { text("intake-at", intake.description) }
        out.append(contentsOf: ",\"ecs\":{\"version\":\"9.4.0\"},\"hops\":\(meta.hops)},\"data\":[".utf8)
    }
}

extension Event {
    /// Appends the event as a JSON:API resource object.
    public func encode(into out: inout [UInt8]) {
        out.append(atMost: encodedLimit) { write(to: &$0) }
    }

    /// Not fewer bytes than `encode` appends.
    fileprivate var encodedLimit: Int { sizeLimit + 80 }

    @inline(__always)
    fileprivate func write(to out: inout ByteWriter) {
        out.append(#"{"type":"event","id":""#)
        id.append(to: &out)
        out.append(#"","attributes":"#)
        writeAttributes(to: &out)
        out.append(0x7D)
    }

    /// Not fewer bytes than `encodeAttributes` appends, and not many more.
    public var sizeLimit: Int {
        let rows = FieldTable.shared.rows
        var size = 2
        for member in members { size += Int(member.length) + Int(rows[Int(member.field.raw)].frame) }
        return size
    }

    /// Appends the members as one nested object.
    ///
    /// What came over the wire and was not touched goes on in runs: where as many bytes stand between two neighbours as would be
    /// written between them, they are the bytes that would be written, for JSON cannot say it shorter; one copy takes both.
    public func encodeAttributes(into out: inout [UInt8]) {
        out.append(atMost: sizeLimit) { writeAttributes(to: &$0) }
    }

    @inline(__always)
    private func writeAttributes(to out: inout ByteWriter) {
        own.withUnsafeBufferPointer { own in
            members.withUnsafeBufferPointer { writeAttributes(of: $0, own, to: &out) }
        }
    }

    @inline(__always)
    private func writeAttributes(of members: UnsafeBufferPointer<Member>, _ own: ByteView, to out: inout ByteWriter) {
        let table = FieldTable.shared
        out.append(0x7B)
        var open: FieldTable.Row.Above = (FieldTable.none, FieldTable.none, FieldTable.none, FieldTable.none)
        var depth = 0
        var comma = 0
        // Bytes of the packet that are still to be copied.
        var run = 0..<0
        for member in members {
            let row = table.rows + Int(member.field.raw)
            let below = Int(row.pointee.depth)
            var shared = depth
            var between = comma + row.pointee.key.count
            if depth != below || open != row.pointee.above {
                shared = row.pointee.shared(with: open, depth)
                between += depth - shared
                for level in shared..<below { between += table.openings[row.pointee.node(level)].count }
            }
            let start = Int(member.offset)
            let end = start + Int(member.length)
            if !run.isEmpty, !member.isOwn, start == run.upperBound + between {
                run = run.lowerBound..<end
            } else {
                copy(run, to: &out)
                for _ in shared..<depth { out.append(0x7D) }
                if comma > 0 { out.append(0x2C) }
                for level in shared..<below { out.append(contentsOf: table.openings[row.pointee.node(level)]) }
                out.append(contentsOf: row.pointee.key)
                if isWire, !member.isOwn {
                    run = start..<end
                } else {
                    run = 0..<0
                    out.append(contentsOf: member.isOwn ? own.part(start, end) : base!.view(start, end - start))
                }
            }
            open = row.pointee.above
            depth = below
            comma = 1
        }
        copy(run, to: &out)
        for _ in 0..<depth { out.append(0x7D) }
        out.append(0x7D)
    }

    @inline(__always)
    private func copy(_ run: Range<Int>, to out: inout ByteWriter) {
        if let base, !run.isEmpty { out.append(contentsOf: base.view(run.lowerBound, run.count)) }
    }

    /// The event as JSON: `{"type":"event","id":…,"attributes":{…}}`.
    public func encoded() -> [UInt8] {
        var out: [UInt8] = []
        encode(into: &out)
        return out
    }
}

extension Report {
    func encode(into out: inout [UInt8]) {
        out.append(contentsOf: #"{"type":"report","id":""#.utf8)
        id.append(to: &out)
        out.append(contentsOf: #"","attributes":"#.utf8)
        var fields = fields
        content.withBytes { fields.setOriginal($0) }
        fields.encodeAttributes(into: &out)
        out.append(0x7D)
    }
}

extension Event {
    /// Keeps source bytes: as text in `event.original` where they are UTF-8, else in base64 in `intelmq.raw_base64`.
    public mutating func setOriginal(_ bytes: some Collection<UInt8>) {
        if let text = String(validating: bytes, as: UTF8.self), !text.isEmpty {
            self[.original] = text
            remove(.rawBase64)
        } else if !bytes.isEmpty {
            self[.rawBase64] = Base64.encode(bytes)
            remove(.original)
        }
    }

    /// Keeps the source bytes as `setOriginal` does: the way of parsers, which do it thousands of times.
    public mutating func addOriginal(_ bytes: ByteView) {
        guard JSONText.isText(bytes) else { return setOriginal(bytes) }
        let start = own.count
        JSONText.appendQuotedText(bytes, to: &own)
        adopt(Key<String>.original.id, from: start, kind: .string, hasEscapes: own.count - start != bytes.count + 2)
    }

    /// The source bytes that `setOriginal` kept, or nil.
    public var originalBytes: [UInt8]? {
        if let text = self[.original] { return Array(text.utf8) }
        return self[.rawBase64].flatMap { Base64.decode($0.utf8) }
    }
}

extension Packet {
    /// Moves what its events have set so far into one block that all of them share, so that copying an event copies little:
    /// for packets that go on in the same process.
    public mutating func settle() {
        let size = events.reduce(0) { $0 + $1.own.count }
        guard size > events.count * 256, size < Int(UInt32.max) else { return }
        var block: [UInt8] = []
        block.reserveCapacity(size)
        // An event has one base only; one that came over the wire and was changed since keeps its own bytes.
        let free = events.indices.filter { events[$0].base == nil }
        for index in free { block.append(contentsOf: events[index].own) }
        let shared = SourceBytes(block)
        var start = 0
        for index in free {
            let length = events[index].own.count
            events[index].settle(in: shared, at: start)
            start += length
        }
    }
}

extension Event {
    fileprivate mutating func settle(in shared: SourceBytes, at start: Int) {
        for index in members.indices {
            members[index].offset += UInt32(start)
            members[index].isOwn = false
        }
        base = shared
        own = []
    }
}
