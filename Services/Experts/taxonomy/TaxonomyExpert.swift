import IDF
import ServiceKernel

/// Derives the class of the RSIT taxonomy and the ECS categorisation from the classification's type.
struct TaxonomyExpert: Expert {
    static let spec = Spec(
        "taxonomy", "Adds the RSIT class and the ECS kind, category and type that belong to a classification type.",
        reads: [Key.classificationType, Key.classificationTaxonomy],
        writes: [Key.classificationTaxonomy, Key.classificationType, Key.eventKind, Key.eventCategory, Key.eventType])

    func process(_ event: inout Event) throws(Rejection) -> Verdict {
        let names = event.all(.classificationType)
        let types = names.isEmpty ? [ClassificationType("undetermined")] : names.map { ClassificationType($0) }
        if names.isEmpty { event[.classificationType] = "undetermined" }
        if event[.classificationTaxonomy] == nil {
            event.set(.classificationTaxonomy, to: types.map { $0?.taxonomy.rawValue ?? "other" })
        }
        // What ECS says of the event comes from the most relevant type.
        if let type = types[0] {
            event.fill(.eventKind, type.eventKind)
            if event[.eventCategory] == nil { event.set(.eventCategory, to: type.eventCategories) }
            event.fill(.eventType, type.eventType)
        }
        return .forward
    }
}
