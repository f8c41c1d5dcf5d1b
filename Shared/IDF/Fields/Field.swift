/// One field of the data format: its name, what its values are, and where it comes from.
public struct Field: Sendable {
    /// Whether ECS 9.4.0 knows the field.
    public enum Origin: String, Sendable {
        /// A field of ECS, with ECS's meaning.
        case ecs
        /// A leaf of ours added to a field set of ECS.
        case extended
        /// Outside ECS.
        case own
    }

    /// The full name with dots, as `source.ip`.
    public let name: String
    /// What its values are.
    public let type: FieldType
    /// Whether a list of values is allowed, the most relevant first.
    public let isMany: Bool
    /// Whether ECS knows it.
    public let origin: Origin
    /// The name in the old data harmonisation (DHO), if it had one.
    public let dho: String?
    /// One sentence for people.
    public let summary: String

    init(_ name: String, _ type: FieldType, _ summary: String, dho: String? = nil, many: Bool = true, _ origin: Origin = .ecs) {
        self.name = name
        self.type = type
        self.isMany = many
        self.origin = origin
        self.dho = dho
        self.summary = summary
    }
}

/// The number of a field in the table: small, dense, in the order in which members are written.
public struct FieldID: Hashable, Comparable, Sendable {
    let raw: UInt16

    init(raw: UInt16) { self.raw = raw }

    /// The field with that dotted name, or nil.
    public init?(_ name: some StringProtocol) {
        guard let found = FieldTable.shared.byName[String(name)] else { return nil }
        self = found
    }

    /// The row of the table.
    public var field: Field { FieldTable.shared.fields[Int(raw)] }
    /// What the field's values are.
    public var type: FieldType { FieldTable.shared.types[Int(raw)] }
    /// The dotted name.
    public var name: String { field.name }

    /// Order in which members are written.
    public static func < (a: FieldID, b: FieldID) -> Bool { a.raw < b.raw }
}

/// A field together with the Swift type of its values: what workers read and write events with.
public struct Key<Value: FieldValue>: Sendable, Hashable {
    /// The field.
    public let id: FieldID
    /// The dotted name.
    public var name: String { id.name }

    /// The field of that name. The name is a literal of the program: a wrong one stops it at once.
    public init(_ name: StaticString) {
        guard let id = FieldID(name.description) else { fatalError("no field named \(name) in the table") }
        self.id = id
    }

    init(id: FieldID) { self.id = id }

    /// The field named at run time (a setting), or nil when the table has none.
    public init?(named name: some StringProtocol) {
        guard let id = FieldID(name) else { return nil }
        self.id = id
    }
}

/// The two ends that an event may name.
public enum Side: String, CaseIterable, Sendable {
    case source, destination

    /// Address of this end.
    public var ip: Key<IPAddress> { self == .source ? .sourceIP : .destinationIP }
    /// Number of the network operator.
    public var asNumber: Key<UInt32> { self == .source ? .sourceASNumber : .destinationASNumber }
    /// Name of the network operator.
    public var asName: Key<String> { self == .source ? .sourceASName : .destinationASName }
    /// Announced prefix.
    public var network: Key<IPNetwork> { self == .source ? .sourceNetwork : .destinationNetwork }
    /// Domain name.
    public var domain: Key<String> { self == .source ? .sourceDomain : .destinationDomain }
    /// Port.
    public var port: Key<Int> { self == .source ? .sourcePort : .destinationPort }
}

extension Key<IPAddress> {
    /// `source.ip`
    public static let sourceIP = Key("source.ip")
    /// `destination.ip`
    public static let destinationIP = Key("destination.ip")
}

extension Key<UInt32> {
    /// `source.as.number`
    public static let sourceASNumber = Key("source.as.number")
    /// `destination.as.number`
    public static let destinationASNumber = Key("destination.as.number")
}

extension Key<IPNetwork> {
    /// `source.network`
    public static let sourceNetwork = Key("source.network")
    /// `destination.network`
    public static let destinationNetwork = Key("destination.network")
}

extension Key<Int> {
    /// `source.port`
    public static let sourcePort = Key("source.port")
    /// `destination.port`
    public static let destinationPort = Key("destination.port")
}

extension Key<Timestamp> {
    /// `@timestamp`: when it happened.
    public static let timestamp = Key("@timestamp")
    /// `event.created`: when the pipeline first saw it.
    public static let created = Key("event.created")
}

extension Key<String> {
    /// `source.as.organization.name`
    public static let sourceASName = Key("source.as.organization.name")
    /// `destination.as.organization.name`
    public static let destinationASName = Key("destination.as.organization.name")
    /// `source.domain`
    public static let sourceDomain = Key("source.domain")
    /// `destination.domain`
    public static let destinationDomain = Key("destination.domain")
    /// `intelmq.classification.type`
    public static let classificationType = Key("intelmq.classification.type")
    /// `intelmq.classification.taxonomy`
    public static let classificationTaxonomy = Key("intelmq.classification.taxonomy")
    /// `event.kind`
    public static let eventKind = Key("event.kind")
    /// `event.category`
    public static let eventCategory = Key("event.category")
    /// `event.type`
    public static let eventType = Key("event.type")
    /// `event.original`: the source line.
    public static let original = Key("event.original")
    /// `intelmq.raw_base64`: the source line where it is not UTF-8.
    public static let rawBase64 = Key("intelmq.raw_base64")
    /// `intelmq.file_name`: the file a report came from.
    public static let fileName = Key("intelmq.file_name")
    /// `threat.feed.name`
    public static let feedName = Key("threat.feed.name")
    /// `threat.feed.url`
    public static let feedURL = Key("threat.feed.url")
}
