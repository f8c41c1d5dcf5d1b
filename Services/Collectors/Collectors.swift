public import ServiceKernel

/// The collectors, one line each.
public let collectors = [
    RosterEntry(FileCollector.self),
    RosterEntry(HTTPCollector.self),
]
