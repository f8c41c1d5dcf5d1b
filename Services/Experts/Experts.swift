public import ServiceKernel

/// The experts, one line each.
public let experts = [
    RosterEntry(ASNLookup.self),
    RosterEntry(Deduplicator.self),
    RosterEntry(DHOExpert.self),
    RosterEntry(TaxonomyExpert.self),
]
