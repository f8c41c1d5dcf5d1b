public import ServiceKernel

/// The experts, one line each.
public let experts = [
    RosterEntry(ASNLookup.self),
    RosterEntry(Deduplicator.self),
    RosterEntry(DHOExpert.self),
    RosterEntry(IDEAExpert.self),
    RosterEntry(N6Expert.self),
    RosterEntry(TaxonomyExpert.self),
    RosterEntry(TranscoderExpert.self),
]
