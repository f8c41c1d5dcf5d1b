import Mapping
public import ServiceKernel

/// The parsers, one line each; then those that are mapping files.
public let parsers =
    [
        RosterEntry(CSVParser.self),
        RosterEntry(CymruCAPParser.self),
        RosterEntry(DHOParser.self),
        RosterEntry(HTMLTableParser.self),
        RosterEntry(IDEAParser.self),
        RosterEntry(JSONParser.self),
        RosterEntry(KeyValueParser.self),
        RosterEntry(MappingFileParser.self),
        RosterEntry(N6Parser.self),
        RosterEntry(N6ProgramParser.self),
        RosterEntry(ShadowserverParser.self),
        RosterEntry(SURBLParser.self),
    ] + mappingFiles.map(RosterEntry.init(mapping:))
