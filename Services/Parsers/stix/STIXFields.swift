import IDF
import STIX
import ServiceKernel

/// Where the properties of observables go in an event.
enum STIXFields {
    enum Target {
        case field(FieldID)
        /// An address, a network or a name of the source; of the object itself, or of one that it refers to.
        case address(isOwn: Bool)
        /// An end of traffic: of the sender or of the receiver.
        case end(isReceiver: Bool, Part)
        case url, proto
        /// Says what another value is already telling.
        case nothing
    }

    enum Part { case address, port, bytes, packets }

    private static func field(_ name: StaticString) -> Target { .field(Key<String>(name).id) }

    private static let targets: [String: Target] = [
        "ipv4-addr:value": .address(isOwn: true), "ipv6-addr:value": .address(isOwn: true),
        "domain-name:value": .address(isOwn: true), "domain-name:resolves_to_refs.value": .address(isOwn: false),
        "url:value": .url, "artifact:url": .url,
        "ipv4-addr:resolves_to_refs.value": field("source.mac"), "ipv6-addr:resolves_to_refs.value": field("source.mac"),
        "ipv4-addr:belongs_to_refs.number": field("source.as.number"),
        "ipv6-addr:belongs_to_refs.number": field("source.as.number"),
        "ipv4-addr:belongs_to_refs.name": field("source.as.organization.name"),
        "ipv6-addr:belongs_to_refs.name": field("source.as.organization.name"),
        "mac-addr:value": field("source.mac"), "autonomous-system:number": field("source.as.number"),
        "autonomous-system:name": field("source.as.organization.name"), "autonomous-system:rir": field("source.registry"),
        "email-addr:value": field("source.user.email"), "email-addr:display_name": .nothing,
        "email-message:from_ref.value": field("email.from.address"),
        "email-message:sender_ref.value": field("email.from.address"),
        "email-message:to_refs.value": field("email.to.address"), "email-message:subject": field("email.subject"),
        "email-message:message_id": field("email.message_id"),
        "file:hashes.MD5": field("file.hash.md5"), "file:hashes.SHA-1": field("file.hash.sha1"),
        "file:hashes.SHA-256": field("file.hash.sha256"), "file:hashes.SHA-512": field("file.hash.sha512"),
        "file:name": field("file.name"), "file:size": field("file.size"), "file:mime_type": field("file.mime_type"),
        "artifact:mime_type": field("file.mime_type"), "process:image_ref.name": field("file.name"),
        "user-account:user_id": field("source.user.name"), "user-account:account_login": field("source.user.name"),
        "software:name": field("package.name"), "software:vendor": field("package.vendor"),
        "software:version": field("package.version"), "network-traffic:protocols": .proto,
        "network-traffic:src_ref.value": .end(isReceiver: false, .address),
        "network-traffic:dst_ref.value": .end(isReceiver: true, .address),
        "network-traffic:src_port": .end(isReceiver: false, .port), "network-traffic:dst_port": .end(isReceiver: true, .port),
        "network-traffic:src_byte_count": .end(isReceiver: false, .bytes),
        "network-traffic:dst_byte_count": .end(isReceiver: true, .bytes),
        "network-traffic:src_packets": .end(isReceiver: false, .packets),
        "network-traffic:dst_packets": .end(isReceiver: true, .packets),
        "network-traffic:start": field("event.start"), "network-traffic:end": field("event.end"),
        "network-traffic:extensions.http-request-ext.request_method": field("http.request.method"),
        "network-traffic:extensions.http-request-ext.request_header.User-Agent": field("user_agent.original"),
    ]

    /// The same as a tree, by types of objects.
    static let properties = STIXProperty.all(
        targets.map { path, target in (path.split { $0 == ":" || $0 == "." }[...], target) }, path: { "\($0):" })

    /// All fields that events of STIX may have.
    static let written: [any FieldKey] = [
        Key<Timestamp>.timestamp, Key<String>("event.start"), Key<String>("event.end"), Key<String>("event.reference"),
        Key<String>("message"), Key<String>("tags"), Key<String>("threat.feed.accuracy"),
        Key<String>("threat.indicator.provider"),
        Key<String>("threat.indicator.marking.tlp"), Key<String>("threat.indicator.confidence"),
        Key<String>("threat.indicator.type"), Key<String>("threat.indicator.id"), Key<String>("threat.software.name"),
        Key<String>("threat.software.type"), Key<String>("threat.group.name"), Key<String>("threat.technique.id"),
        Key<String>.classificationType, Key<String>("intelmq.comment"), Key<String>("source.mac"), Key<String>("source.registry"),
        Key<String>("source.user.name"), Key<String>("source.user.email"), Key<String>("network.protocol"),
        Key<String>("network.transport"), Key<String>("url.full"), Key<String>("url.original"), Key<String>("file.name"),
        Key<String>("file.size"), Key<String>("file.mime_type"), Key<String>("file.hash.md5"), Key<String>("file.hash.sha1"),
        Key<String>("file.hash.sha256"), Key<String>("file.hash.sha512"), Key<String>("package.name"),
        Key<String>("package.vendor"), Key<String>("package.version"), Key<String>("vulnerability.id"),
        Key<String>("vulnerability.enumeration"), Key<String>("user_agent.original"), Key<String>("http.request.method"),
        Key<String>("email.subject"), Key<String>("email.from.address"), Key<String>("email.to.address"),
        Key<String>("email.message_id"), Key<String>("tls.server.hash.sha1"), Side.source.asNumber, Side.source.asName,
        Key<String>("source.bytes"), Key<String>("source.packets"), Key<String>("destination.bytes"),
        Key<String>("destination.packets"), Side.source.ip, Side.source.port, Side.source.domain, Side.source.network,
        Side.destination.ip, Side.destination.port, Side.destination.domain, Side.destination.network,
    ]

    private static let hashes: [String: Target] = [
        "md5": field("file.hash.md5"), "sha1": field("file.hash.sha1"), "sha256": field("file.hash.sha256"),
        "sha512": field("file.hash.sha512"),
    ]
    private static let hashLengths = [32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"]

    private static let indicatorType = Key<String>("threat.indicator.type").id
    /// The words of ECS for `threat.indicator.type`.
    private static let indicatorTypes: Set<String> = [
        "autonomous-system", "artifact", "directory", "domain-name", "email-addr", "file", "ipv4-addr", "ipv6-addr", "mac-addr",
        "mutex", "port", "process", "software", "url", "user-account", "windows-registry-key", "x509-certificate",
    ]

    /// Puts what is known of one observation into an event.
    ///
    /// A pattern names the end that is malicious: the receiver, unless it names the sender's address only. It is the source.
    /// Of an observation that was made, the sender is the source.
    /// What has no field is kept below `custom.stix`.
    /// - Throws: what is no value of its field, in words.
    static func put(_ facts: [STIXFact], isPattern: Bool, into event: inout Event) throws(Refusal) {
        func names(_ isReceiver: Bool) -> Bool {
            facts.contains { if case .end(isReceiver, .address)? = $0.target { true } else { false } }
        }
        let sourceIsReceiver = isPattern && (names(true) || !names(false))
        var others: [STIXFact] = []
        var lastType: String?
        for fact in facts {
            let text = fact.value.plain
            var type = fact.type
            switch fact.target {
            case .nothing: continue
            case nil:
                others.append(fact)
            case .field(let field): try need(event.append(field, text: text), fact, field)
            case .url:
                if !event.append(url, text: text) { try need(event.append(originalURL, text: text), fact, url) }
            case .proto:
                if text == "ipv4" || text == "ipv6" { continue }
                if !event.append(transport, text: text) { try need(event.append(application, text: text), fact, application) }
                continue
            case .address(let isOwn):
                guard let found = put(address: text, on: .source, into: &event) else { throw refusal(fact, Side.source.ip.id) }
                if isOwn { type = found }
            case .end(let isReceiver, let part):
                let side: Side = isReceiver == sourceIsReceiver ? .source : .destination
                switch part {
                case .address:
                    guard let found = put(address: text, on: side, into: &event) else { throw refusal(fact, side.ip.id) }
                    if side == .source { type = found }
                case .port: try need(event.append(side.port.id, text: text), fact, side.port.id)
                case .bytes: try need(event.append(side == .source ? sent : received, text: text), fact, sent)
                case .packets: try need(event.append(side == .source ? sentPackets : receivedPackets, text: text), fact, sent)
                }
            }
            if type != lastType, indicatorTypes.contains(type) { event.append(indicatorType, text: type) }
            lastType = type
        }
        keep(others, in: &event)
    }

    /// Why a value was not taken.
    struct Refusal: Error {
        var reason: String
    }

    private static let url = Key<String>("url.full").id
    private static let originalURL = Key<String>("url.original").id
    private static let transport = Key<String>("network.transport").id
    private static let application = Key<String>("network.protocol").id
    private static let sent = Key<Int>("source.bytes").id
    private static let received = Key<Int>("destination.bytes").id
    private static let sentPackets = Key<Int>("source.packets").id
    private static let receivedPackets = Key<Int>("destination.packets").id
    private static let certificate = Key<String>("tls.server.hash.sha1").id

    /// Where a property goes that the table does not name: hashes under whatever name, and nothing for types.
    static func target(_ name: String, inHashes: Bool, of type: String, _ value: STIXPattern.Value) -> Target? {
        guard inHashes else { return name == "type" ? .nothing : nil }
        let algorithm = name == "hashes" ? hashLengths[value.plain.utf8.count] ?? "" : name
        let plain = algorithm.lowercased().filter { $0 != "-" && $0 != "_" }
        guard type == "x509-certificate" else { return hashes[plain] }
        return plain == "sha1" ? .field(certificate) : nil
    }

    private static func need(_ isTaken: Bool, _ fact: STIXFact, _ field: FieldID) throws(Refusal) {
        if !isTaken { throw refusal(fact, field) }
    }

    private static func refusal(_ fact: STIXFact, _ field: FieldID) -> Refusal {
        let wanted =
            field == Side.source.ip.id || field == Side.destination.ip.id ? "an address or a domain name" : field.type.wanted
        return Refusal(reason: "\(fact.path) is \"\(fact.value.plain.prefix(80))\", wanted \(wanted)")
    }

    /// Puts an address, a network, an address with a port, or a name, and answers which of them it is.
    private static func put(address text: String, on side: Side, into event: inout Event) -> String? {
        let family = text.utf8.contains(UInt8(ascii: ":")) ? "ipv6-addr" : "ipv4-addr"
        if event.append(side.ip.id, text: text) || event.append(side.network.id, text: text) { return family }
        let parts = family == "ipv6-addr" ? text.split(separator: ":", omittingEmptySubsequences: false) : []
        if parts.count == 2, event.append(side.ip.id, text: String(parts[0])) {
            return event.append(side.port.id, text: String(parts[1])) ? "ipv4-addr" : nil
        }
        return event.append(side.domain.id, text: text) ? "domain-name" : nil
    }

    /// Keeps properties that have no field below `custom.stix`, their names written as the old format wants them.
    private static func keep(_ facts: [STIXFact], in event: inout Event) {
        if facts.isEmpty { return }
        var kept = event[custom: "stix"] ?? .object([])
        for (path, values) in Dictionary(grouping: facts, by: \.path).sorted(by: { $0.key < $1.key }) {
            let names = path.split { $0 == ":" || $0 == "." }.map { name in
                String(decoding: name.utf8.map { $0.isASCIIWord ? $0 : 0x5F }, as: UTF8.self).lowercased()
            }
            insert(values.count == 1 ? values[0].json : .array(values.map(\.json)), names.prefix(16), into: &kept)
        }
        event[custom: "stix"] = kept
    }

    private static func insert(_ value: JSONValue, _ names: ArraySlice<String>, into object: inout JSONValue) {
        guard let name = names.first else {
            object = value
            return
        }
        var members = object.members ?? []
        let at = members.firstIndex { $0.name == name } ?? members.count
        if at == members.count { members.append(.init(name, .object([]))) }
        insert(value, names.dropFirst(), into: &members[at].value)
        object = .object(members)
    }
}

extension UInt8 {
    fileprivate var isASCIIWord: Bool { self &- 0x30 < 10 || (self | 0x20) &- 0x61 < 26 || self == 0x5F }
}
