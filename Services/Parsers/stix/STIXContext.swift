import IDF
import STIX

/// What objects say that others refer to: collected before the first event is made, because bundles have no order.
struct STIXContext {
    /// An object that tells more of an indicator or observable.
    struct Related {
        var type: String
        var name: String?
        /// `malware_types`, `infrastructure_types`.
        var kinds: [String]
        /// Numbers of others for it: of a technique, of a vulnerability.
        var identifiers: [String]
    }

    /// Names of identities.
    private(set) var identities: [String: String] = [:]
    private var labels: [String: String] = [:]
    private var related: [String: Related] = [:]
    private var links: [String: [String]] = [:]
    /// Where observables stand in the report.
    private(set) var observables: [String: Range<Int>] = [:]
    /// Observables that an observation, another observable or an indicator speaks for.
    private(set) var spokenFor: Set<String> = []

    /// The cyber-observable objects of STIX 2.1.
    static let observableTypes: Set<String> = [
        "artifact", "autonomous-system", "directory", "domain-name", "email-addr", "email-message", "file", "ipv4-addr",
        "ipv6-addr", "mac-addr", "mutex", "network-traffic", "process", "software", "url", "user-account",
        "windows-registry-key", "x509-certificate",
    ]

    private static let relatedTypes: Set<String> = [
        "attack-pattern", "infrastructure", "intrusion-set", "malware", "threat-actor", "tool", "vulnerability",
    ]

    private static let relationships: Set<String> = [
        "indicates", "related-to", "based-on", "consists-of", "communicates-with", "beacons-to", "exfiltrates-to", "hosts",
        "downloads", "drops", "attributed-to",
    ]

    /// Whether objects of that type are read for what they say of others, and no events are made of them.
    static func isContext(_ type: String) -> Bool {
        relatedTypes.contains(type) || ["identity", "marking-definition", "relationship"].contains(type)
    }

    /// Remembers what an object of the context says.
    mutating func add(_ object: JSONValue, type: String) {
        guard let id = object["id"]?.string, object["revoked"]?.bool != true else { return }
        switch type {
        case "identity": identities[id] = object["name"]?.string
        case "marking-definition": labels[id] = STIXMarking.label(id) ?? Self.label(object)
        case "relationship":
            guard let source = object["source_ref"]?.string, let target = object["target_ref"]?.string,
                let kind = object["relationship_type"]?.string, Self.relationships.contains(kind)
            else { return }
            if kind == "based-on" { spokenFor.insert(target) }
            if Self.relatedTypes.contains(Self.type(of: target)) { links[source, default: []].append(target) }
            if Self.relatedTypes.contains(Self.type(of: source)) { links[target, default: []].append(source) }
        default:
            let references = object["external_references"]?.items ?? []
            related[id] = Related(
                type: type, name: object["name"]?.string,
                kinds: (object["\(type)_types"]?.items ?? []).compactMap(\.string),
                identifiers: references.compactMap { $0["external_id"]?.string })
        }
    }

    /// Remembers an observable, and which others it speaks for.
    mutating func addObservable(_ range: Range<Int>, in text: ByteView) {
        if let id = JSONCursor.member("id", of: range, in: text) { observables[Self.inner(id)] = range }
        addReferences(of: range, in: text)
    }

    /// Remembers what the members `…_ref` and `…_refs` of an object refer to.
    mutating func addReferences(of range: Range<Int>, in text: ByteView) {
        var cursor = JSONCursor(text, in: range)
        cursor.step()
        while let name = cursor.name() {
            let isReference = name.hasSuffix("_ref") || name.hasSuffix("_refs")
            if isReference, !name.elementsEqual("object_marking_refs".utf8), cursor.peek() == UInt8(ascii: "[") {
                _ = cursor.eachItem { item in
                    spokenFor.insert(Self.inner(ByteView(rebasing: text[item.range])))
                    return true
                }
            } else if let value = cursor.part(), isReference, !name.elementsEqual("created_by_ref".utf8) {
                spokenFor.insert(Self.inner(ByteView(rebasing: text[value.range])))
            }
        }
    }

    /// The labels of the Traffic Light Protocol among the markings of an object.
    func labels(of object: JSONValue) -> [String] {
        (object["object_marking_refs"]?.items ?? []).compactMap { reference in
            reference.string.flatMap { STIXMarking.label($0) ?? labels[$0] }
        }
    }

    /// What is related to an object.
    func related(to object: JSONValue) -> [Related] {
        guard let id = object["id"]?.string else { return [] }
        return (links[id] ?? []).prefix(256).compactMap { related[$0] }
    }

    /// The label in a definition with an id of its own: version 1 in `definition`, version 2 in an extension or the name.
    private static func label(_ object: JSONValue) -> String? {
        if let label = object["definition"]?["tlp"]?.string { return label }
        for extension_ in object["extensions"]?.members ?? [] {
            if let label = extension_.value["tlp_2_0"]?.string { return label }
        }
        return object["name"]?.string.flatMap { $0.uppercased().hasPrefix("TLP:") ? $0 : nil }
    }

    private static func type(of id: String) -> String {
        guard let end = id.firstRange(of: "--") else { return "" }
        return String(id[..<end.lowerBound])
    }

    private static func inner(_ quoted: ByteView) -> String {
        quoted.count > 2 ? String(decoding: quoted[1..<(quoted.count - 1)], as: UTF8.self) : ""
    }
}

extension ByteView {
    fileprivate func hasSuffix(_ text: StaticString) -> Bool {
        count >= text.utf8CodeUnitCount
            && self[(count - text.utf8CodeUnitCount)...].elementsEqual(
                ByteView(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
