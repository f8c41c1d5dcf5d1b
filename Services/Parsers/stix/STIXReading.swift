import IDF
import STIX
import ServiceKernel

/// One pass over the objects that events are made of.
final class STIXReading {
    let bundle: STIXBundle
    private let context: STIXContext
    private let own: [String: String]

    init(bundle: STIXBundle, context: STIXContext, own: [String: String]) {
        self.bundle = bundle
        self.context = context
        self.own = own
    }

    /// Of a longer object only its first event keeps the whole text: a pattern of ten thousand alternatives is not kept as often.
    private static let longObject = 16_384

    /// More tests joined by AND describe no observation.
    private static let manyTests = 256

    // MARK: indicators

    /// Makes the events of an indicator: one for each alternative of its pattern.
    func indicator(_ object: JSONValue, _ raw: ByteView, _ events: inout ParsedEvents) throws(Rejection) {
        if object["revoked"]?.bool == true { return }
        guard let text = object["pattern"]?.string else { throw .missing("the indicator has no pattern") }
        let related = context.related(to: object)
        var first = events.newEvent()
        try describe(object, related, time: object["valid_from"] ?? object["created"], in: &first)
        if let until = object["valid_until"]?.string { first.setCustom(path: ["stix", "valid_until"], to: .string(until)) }
        let language = object["pattern_type"]?.string ?? "stix"
        guard language == "stix" else {
            first.setCustom(path: ["stix", "pattern_type"], to: .string(language))
            keep(text, in: &first)
            classify(object, related, &first)
            return add(first, raw, isFirst: true, &events)
        }
        let alternatives: [[STIXPattern.Test]]
        let isPlain: Bool
        do throws(STIXPatternError) {
            let pattern = try STIXPattern(text)
            alternatives = try pattern.alternatives()
            isPlain = pattern.isPlain
        } catch {
            throw .malformed(error.description)
        }
        guard !alternatives.isEmpty else { throw .malformed("the pattern matches nothing: IN () has no values") }
        var refusal: STIXFields.Refusal?
        var isFirst = true
        for tests in alternatives where !events.isFull {
            guard tests.count <= Self.manyTests else {
                throw .malformed("the pattern joins \(tests.count) tests of one observation, at most \(Self.manyTests) are read")
            }
            var event = first
            let facts = tests.compactMap { test in test.wanted.map { STIXFact(test.path, $0) } }
            do throws(STIXFields.Refusal) {
                try STIXFields.put(facts, isPattern: true, into: &event)
            } catch {
                refusal = refusal ?? error
                continue
            }
            // What fields do not say the pattern does.
            if !isPlain || facts.count < tests.count { keep(text, in: &event) }
            classify(object, related, &event)
            add(event, raw, isFirst: isFirst, &events)
            isFirst = false
        }
        if let refusal { throw .malformed(refusal.reason) }
    }

    private func keep(_ pattern: String, in event: inout Event) {
        if pattern.utf8.count <= Self.longObject { event.setCustom(path: ["stix", "pattern"], to: .string(pattern)) }
    }

    // MARK: observables

    /// Makes the events of an observation: one for each of its observables that no other of them speaks for.
    func observation(_ object: JSONValue, _ raw: ByteView, _ events: inout ParsedEvents) throws(Rejection) {
        if object["revoked"]?.bool == true { return }
        // Version 2.0 has the observables inside, under names of their own.
        let inside = object["objects"]?.members ?? []
        let local = Dictionary(inside.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        let resolve = { (id: String) in local[id] ?? self.observable(id) }
        let ids = inside.isEmpty ? (object["object_refs"]?.items ?? []).compactMap(\.string) : inside.map(\.name)
        let found = ids.compactMap { id in resolve(id).map { (id, $0) } }
        guard !found.isEmpty else { throw .missing("the observation has no observable: object_refs names none of this report") }
        var spokenFor: Set<String> = []
        for (_, one) in found {
            for member in one.members ?? [] where member.name.utf8.isReference {
                spokenFor.formUnion((member.value.items ?? [member.value]).compactMap(\.string))
            }
        }
        let related = context.related(to: object)
        var first = events.newEvent()
        try describe(object, related, time: object["first_observed"] ?? object["created"], in: &first)
        for (name, field) in [("first_observed", "event.start"), ("last_observed", "event.end")] {
            if let text = object[name]?.string, let field = FieldID(field) { first.append(field, text: text) }
        }
        if let count = object["number_observed"]?.integer, count > 1 {
            first.setCustom(path: ["stix", "number_observed"], to: .integer(count))
        }
        var refusal: STIXFields.Refusal?
        var alone = found.filter { !spokenFor.contains($0.0) }
        // Where they refer to each other in a circle, all of them speak.
        if alone.isEmpty { alone = found }
        for (place, (_, one)) in alone.enumerated() where !events.isFull {
            do throws(STIXFields.Refusal) {
                var event = first
                for label in context.labels(of: one) { event.mark(label) }
                try add(observable: one, of: object, related, event, raw, isFirst: place == 0, resolve, &events)
            } catch {
                refusal = refusal ?? error
            }
        }
        if let refusal { throw .malformed(refusal.reason) }
    }

    /// Makes the event of an observable that stands alone.
    func observable(_ object: JSONValue, _ raw: ByteView, _ events: inout ParsedEvents) throws(Rejection) {
        if let id = object["id"]?.string, context.spokenFor.find(id, in: bundle.text) != nil { return }
        let related = context.related(to: object)
        var first = events.newEvent()
        try describe(object, related, time: nil, in: &first)
        do throws(STIXFields.Refusal) {
            try add(observable: object, of: object, related, first, raw, isFirst: true, observable, &events)
        } catch {
            throw .malformed(error.reason)
        }
    }

    private func observable(_ id: String) -> JSONValue? {
        context.observables.find(id, in: bundle.text).flatMap { try? JSONValue(parsing: bundle.bytes($0)) }
    }

    private func add(
        observable: JSONValue, of object: JSONValue, _ related: [STIXContext.Related], _ event: consuming Event, _ raw: ByteView,
        isFirst: Bool,
        _ resolve: (String) -> JSONValue?, _ events: inout ParsedEvents
    ) throws(STIXFields.Refusal) {
        try STIXFields.put(STIXFact.all(of: observable, resolve), isPattern: false, into: &event)
        classify(object, related, &event)
        add(event, raw, isFirst: isFirst, &events)
    }

    // MARK: what all objects have

    private static let message = Key<String>("message").id
    private static let comment = Key<String>("intelmq.comment").id
    private static let provider = Key<String>("threat.indicator.provider").id
    private static let confidence = Key<String>("threat.indicator.confidence")
    private static let accuracy = Key<Double>("threat.feed.accuracy")
    private static let indicatorType = Key<String>("threat.indicator.type")
    private static let identifier = Key<String>("threat.indicator.id").id
    private static let tags = Key<String>("tags")
    private static let reference = Key<String>("event.reference").id
    private static let vulnerability = Key<String>("vulnerability.id").id
    private static let enumeration = Key<String>("vulnerability.enumeration")
    private static let technique = Key<String>("threat.technique.id").id
    private static let software = Key<String>("threat.software.name").id
    private static let softwareType = Key<String>("threat.software.type")
    private static let group = Key<String>("threat.group.name").id

    private func describe(
        _ object: JSONValue, _ related: [STIXContext.Related], time: JSONValue?, in event: inout Event
    ) throws(Rejection) {
        if let text = time?.plain, time != .null, !event.add(Key<Timestamp>.timestamp.id, text: text) {
            throw .malformed("the time is \"\(text.prefix(60))\", wanted one as 2026-11-20T12:00:00Z")
        }
        if let id = object["id"]?.string { event.append(Self.identifier, text: id) }
        event.fill(Self.message, text: object["name"]?.string)
        event.fill(Self.comment, text: object["description"]?.string)
        if let author = object["created_by_ref"]?.string { event.fill(Self.provider, text: context.identities[author]) }
        if let confidence = object["confidence"]?.integer, (0...100).contains(confidence) {
            event.fill(Self.accuracy, Double(confidence))
            // The scale None, Low, Medium, High of the specification, appendix A.
            event.fill(Self.confidence, confidence == 0 ? "None" : confidence < 30 ? "Low" : confidence < 70 ? "Medium" : "High")
        }
        if !event.has(Self.tags.id), let labels = object["labels"]?.items {
            event.set(Self.tags, to: labels.prefix(256).map { trimmed($0.plain) }.filter { !$0.isEmpty })
        }
        for one in (object["external_references"]?.items ?? []).prefix(64) {
            if let url = one["url"]?.string { event.append(Self.reference, text: url) }
            guard let number = one["external_id"]?.string else { continue }
            if one["source_name"]?.string == "cve" { add(vulnerability: number, to: &event) }
            if one["source_name"]?.string?.hasPrefix("mitre-attack") == true { event.append(Self.technique, text: number) }
        }
        for label in context.labels(of: object) { event.mark(label) }
        for one in related {
            switch one.type {
            case "malware", "tool":
                if let name = one.name, event.append(Self.software, text: name) {
                    event.fill(Self.softwareType, one.type == "tool" ? "Tool" : "Malware")
                }
            case "threat-actor", "intrusion-set": if let name = one.name { event.append(Self.group, text: name) }
            case "attack-pattern":
                for number in one.identifiers where number.hasPrefix("T") { event.append(Self.technique, text: number) }
            case "vulnerability": if let name = one.name { add(vulnerability: name, to: &event) }
            default: continue
            }
        }
    }

    private func add(vulnerability name: String, to event: inout Event) {
        guard name.hasPrefix("CVE-") else { return }
        event.append(Self.vulnerability, text: name)
        event.fill(Self.enumeration, "CVE")
    }

    private func classify(_ object: JSONValue, _ related: [STIXContext.Related], _ event: inout Event) {
        let type = STIXClassification.type(
            of: object, related, isFile: event.all(Self.indicatorType).contains("file"), own: own)
        event.fill(.classificationType, type ?? "undetermined")
    }

    private func add(_ event: consuming Event, _ raw: ByteView, isFirst: Bool, _ events: inout ParsedEvents) {
        if events.keepsOriginal, isFirst || raw.count <= Self.longObject { event.addOriginal(raw) }
        events.add(event)
    }
}
