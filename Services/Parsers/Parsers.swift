import Mapping
public import ServiceKernel

/// The parsers, one line each; then those that are mapping files.
public let parsers =
    [
        RosterEntry(CSVParser.self),
        RosterEntry(CymruCAPParser.self),
        RosterEntry(HTMLTableParser.self),
        RosterEntry(JSONParser.self),
        RosterEntry(KeyValueParser.self),
        RosterEntry(MappingFileParser.self),
        RosterEntry(MISPParser.self),
        RosterEntry(ShadowserverParser.self),
        RosterEntry(STIXParser.self),
        RosterEntry(SURBLParser.self),
    ] + mappingFiles.map(RosterEntry.init(mapping:))
