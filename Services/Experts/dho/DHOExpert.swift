import IDF
import ServiceKernel

/// Puts the event in the old format into `intelmq.output`, from where outputs hand it on.
struct DHOExpert: Expert {
    static let spec = Spec(
        "dho",
        "Writes the event as a message of IntelMQ 1 to 3 (DHO) into intelmq.output, for outputs with single-key: intelmq.output.",
        writes: [Key<String>("intelmq.output")], tags: ["converter"])

    func process(_ event: inout Event) throws(Rejection) -> Verdict {
        event.removeOutput()
        event.setOutput(DHO.message(event))
        return .forward
    }
}

extension Event {
    /// Takes the event in another format away: it is no part of what is converted.
    mutating func removeOutput() { remove(Key<String>("intelmq.output")) }

    /// Keeps the event in another format beside its fields.
    mutating func setOutput(_ message: JSONValue) { setJSON(Key<String>("intelmq.output").id, message) }
}
