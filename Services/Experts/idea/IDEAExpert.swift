import Formats
import IDF
import ServiceKernel

/// Puts the event as an IDEA alert into `intelmq.output`, from where outputs hand it on.
struct IDEAExpert: Expert {
    static let spec = Spec(
        "idea", "Writes the event as an IDEA alert into intelmq.output, for outputs with single-key: intelmq.output.",
        writes: [Key<String>("intelmq.output")], tags: ["converter"])

    @Setting("Adds the category Test, so that receivers take no measures.") var testMode = false
    @Setting("Whether fields that IDEA has no place for travel in the member _IDF.") var carryRest = false

    func process(_ event: inout Event) throws(Rejection) -> Verdict {
        event.removeOutput()
        event.setOutput(IDEA.message(event, carryRest: carryRest, isTest: testMode))
        return .forward
    }
}
