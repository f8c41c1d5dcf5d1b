import IDF
import ServiceKernel

extension Event {
    /// Adds a value to those of a field, once, up to as many as a packet may carry; of a field that takes one the first stays.
    /// Returns false when the text is no value of the field's type.
    @discardableResult
    mutating func append(_ field: FieldID, text: String) -> Bool {
        guard has(field) else { return add(field, text: text) }
        var probe = Event()
        guard probe.add(field, text: text), let value = probe.json(field) else { return false }
        guard field.field.isMany, let old = json(field) else { return true }
        let values = old.items ?? [old]
        if !values.contains(value), values.count < 256 { setJSON(field, .array(values + [value])) }
        return true
    }

    /// Gives a field its value unless it has one (see `fill`); what is no value of the field's type is ignored.
    mutating func fill(_ field: FieldID, text: String?) {
        if let text, fillOverwrites || !has(field) { add(field, text: text) }
    }

    /// Marks the event with a label of the Traffic Light Protocol unless its label is as strict; what is no label is ignored.
    mutating func mark(_ label: String) {
        var name = trimmed(label.uppercased())
        if name.hasPrefix("TLP:") { name = trimmed(String(name.dropFirst(4))) }
        guard let new = EdgeFilter.TLP(name) else { return }
        let labels = EdgeFilter.TLP.allCases
        if let old = self[Marking.key].flatMap({ EdgeFilter.TLP($0) }), labels.firstIndex(of: old)! >= labels.firstIndex(of: new)!
        {
            return
        }
        self[Marking.key] = name
    }
}

private enum Marking {
    static let key = Key<String>("threat.indicator.marking.tlp")
}
