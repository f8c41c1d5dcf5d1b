import Glibc
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
    private(set) var observables = STIXIndex()
    /// Observables that an observation, another observable or an indicator speaks for.
    private(set) var spokenFor = STIXIndex()

    private static let relatedTypes: Set<String> = [
        "attack-pattern", "infrastructure", "intrusion-set", "malware", "threat-actor", "tool", "vulnerability",
    ]

    private static let relationships: Set<String> = [
        "indicates", "related-to", "based-on", "consists-of", "communicates-with", "beacons-to", "exfiltrates-to", "hosts",
        "downloads", "drops", "attributed-to",
    ]

    /// All objects of a report that events are not made of, and what the others refer to.
    init(of bundle: STIXBundle) {
        _ = bundle.eachObject { part, _ in
            switch bundle.kind(of: part) {
            case .context: addContext(part.range, of: bundle)
            case .observable:
                if let id = JSONCursor.place("id", of: part.range, in: bundle.text) {
                    observables.add(id, part.range, in: bundle.text)
                }
                addReferences(of: part.range, in: bundle.text)
            case .observation: addReferences(of: part.range, in: bundle.text)
            case .indicator, .other, nil: break
            }
            return true
        }
        observables.sort()
        spokenFor.sort()
    }

    /// Remembers what an object of the context says.
    private mutating func addContext(_ range: Range<Int>, of bundle: STIXBundle) {
        guard let object = try? JSONValue(parsing: bundle.bytes(range)), let type = object["type"]?.string,
            let id = object["id"]?.string, object["revoked"]?.bool != true
        else { return }
        switch type {
        case "identity": identities[id] = object["name"]?.string
        case "marking-definition": labels[id] = STIXMarking.label(id) ?? Self.label(object)
        case "relationship":
            guard let source = object["source_ref"]?.string, let target = object["target_ref"]?.string,
                let kind = object["relationship_type"]?.string, Self.relationships.contains(kind)
            else { return }
            if kind == "based-on", let place = JSONCursor.place("target_ref", of: range, in: bundle.text) {
                spokenFor.add(place, range, in: bundle.text)
            }
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

    private static func mentionsReference(_ object: ByteView) -> Bool {
        guard let start = object.baseAddress else { return false }
        var at = 0
        while at < object.count, let found = memchr(start + at, 0x5F, object.count - at) {
            let place = UnsafeRawPointer(found) - UnsafeRawPointer(start)
            if object.count - place >= 4, memcmp(found, "_ref", 4) == 0 { return true }
            at = place + 1
        }
        return false
    }

    /// Remembers what the members `…_ref` and `…_refs` of an object refer to.
    private mutating func addReferences(of range: Range<Int>, in text: ByteView) {
        // Most observables refer to nothing.
        guard Self.mentionsReference(ByteView(rebasing: text[range])) else { return }
        var cursor = JSONCursor(text, in: range)
        cursor.step()
        while let name = cursor.name() {
            let isReference = name.isReference
            if isReference, !name.elementsEqual("object_marking_refs".utf8), cursor.peek() == UInt8(ascii: "[") {
                _ = cursor.eachItem { item in
                    spokenFor.add(item.range, range, in: text)
                    return true
                }
            } else if let value = cursor.part(), isReference, !name.elementsEqual("created_by_ref".utf8) {
                spokenFor.add(value.range, range, in: text)
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
        guard !links.isEmpty, let id = object["id"]?.string else { return [] }
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
}
