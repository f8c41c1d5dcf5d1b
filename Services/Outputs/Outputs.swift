public import ServiceKernel

/// The outputs, one line each.
public let outputs = [
    RosterEntry(FileOutput.self),
    RosterEntry(SQLOutput.self),
]
