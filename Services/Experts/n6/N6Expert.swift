import Formats
import IDF
import ServiceKernel

/// Puts the event as n6 has it into `intelmq.output`, from where outputs hand it on.
struct N6Expert: Expert {
    static let spec = Spec(
        "n6", "Writes the event as one of CERT Polska's n6 into intelmq.output, for outputs with single-key: intelmq.output.",
        writes: [Key<String>("intelmq.output")], tags: ["converter"])

    @Setting("Whether fields that n6 has no key for travel in the key intelmq.") var carryRest = true

    func process(_ event: inout Event) throws(Rejection) -> Verdict {
        event.removeOutput()
        event.setOutput(N6.record(event, carryRest: carryRest))
        return .forward
    }
}
