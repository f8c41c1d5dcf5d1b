import IDF
import Mapping
import ServiceKernel

/// Where the values of attributes go, by the attribute's type.
enum MISPFields {
    private static func fields(_ names: StaticString...) -> [FieldID] { names.map { Key<String>($0).id } }

    /// The fields of a type; those of a composite type are joined by `|` in the value.
    private static let types: [String: [FieldID]] = [
        "ip-src": fields("source.ip"), "ip-dst": fields("source.ip"), "ip-src|port": fields("source.ip", "source.port"),
        "ip-dst|port": fields("source.ip", "source.port"), "domain": fields("source.domain"), "hostname": fields("source.domain"),
        "domain|ip": fields("source.domain", "source.ip"), "hostname|port": fields("source.domain", "source.port"),
        "url": fields("url.full"), "uri": fields("url.path"), "AS": fields("source.as.number"),
        "mac-address": fields("source.mac"),
        "email": fields("source.user.email"), "email-src": fields("source.user.email"), "email-dst": fields("email.to.address"),
        "email-subject": fields("email.subject"), "email-message-id": fields("email.message_id"),
        "md5": fields("file.hash.md5"), "sha1": fields("file.hash.sha1"), "sha256": fields("file.hash.sha256"),
        "sha512": fields("file.hash.sha512"), "filename": fields("file.name"),
        "filename|md5": fields("file.name", "file.hash.md5"),
        "filename|sha1": fields("file.name", "file.hash.sha1"), "filename|sha256": fields("file.name", "file.hash.sha256"),
        "filename|sha512": fields("file.name", "file.hash.sha512"), "malware-sample": fields("file.name", "file.hash.md5"),
        "user-agent": fields("user_agent.original"), "x509-fingerprint-sha1": fields("tls.server.hash.sha1"),
        "ja3-fingerprint-md5": fields("tls.client.ja3"), "vulnerability": fields("vulnerability.id"),
    ]

    /// All fields that events of MISP may have.
    static let written: [any FieldKey] =
        Set(types.values.joined()).sorted().compactMap { Key<String>(named: $0.name) } + [
            Key<Timestamp>.timestamp, Key<String>("event.reference"), Key<Int>("event.severity"), Key<String>("event.start"),
            Key<String>("event.end"), Key<String>("message"), Key<String>("tags"), Key<String>("threat.indicator.marking.tlp"),
            Key<String>("threat.software.name"), Key<String>("threat.group.name"), Key<String>.classificationType,
            Key<String>("intelmq.comment"), Key<String>("misp.event_uuid"), Key<String>("misp.attribute_uuid"),
            Side.source.network,
        ]

    /// Puts the value of an attribute into an event; false where no field is for the type.
    static func put(_ value: String, type: String, into event: inout Event) throws(Rejection) -> Bool {
        guard let fields = types[type] else { return false }
        var parts = [value[...]]
        // Names of files may hold the mark, what follows them not.
        if fields.count == 2 {
            guard let mark = value.lastIndex(of: "|") else { throw .malformed("the \(type) \"\(value.prefix(80))\" has no |") }
            parts = [value[..<mark], value[value.index(after: mark)...]]
        }
        for (field, part) in zip(fields, parts) {
            // Who shares a name often takes its teeth out first.
            let text = [.domain, .url, .ip].contains(field.field.type) ? String(part).refanged : String(part)
            if event.add(field, text: text) { continue }
            guard field == Side.source.ip.id, event.add(Side.source.network.id, text: text) else {
                throw .malformed("the \(type) is \"\(part.prefix(80))\", wanted \(field.type.wanted)")
            }
        }
        return true
    }
}
