import Mapping
public import ServiceKernel

/// The parsers, one line each; then those that are mapping files.
public let parsers =
    [
        RosterEntry(CSVParser.self),
        RosterEntry(CymruCAPParser.self),
        RosterEntry(DHOParser.self),
        RosterEntry(DynParser.self),
        RosterEntry(FireEyeParser.self),
        RosterEntry(HTMLTableParser.self),
        RosterEntry(IOCExtractorParser.self),
        RosterEntry(JSONParser.self),
        RosterEntry(KeyValueParser.self),
        RosterEntry(MalwareURLParser.self),
        RosterEntry(MappingFileParser.self),
        RosterEntry(McAfeeATDParser.self),
        RosterEntry(MicrosoftCTIPParser.self),
        RosterEntry(ShadowserverParser.self),
        RosterEntry(ShodanParser.self),
        RosterEntry(SURBLParser.self),
        RosterEntry(ThreatMinerParser.self),
    ] + mappingFiles.map(RosterEntry.init(mapping:))
