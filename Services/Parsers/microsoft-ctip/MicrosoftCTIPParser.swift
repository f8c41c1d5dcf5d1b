import IDF
import Mapping
import ServiceKernel

/// Reads what Microsoft's Digital Crimes Unit sees at its sinkholes, as Azure and as Interflow give it.
struct MicrosoftCTIPParser: Parser {
    static let spec = Spec(
        "microsoft-ctip", "Reads Microsoft's Cyber Threat Intelligence Program (CTIP), from Azure and from Interflow.",
        writes: [
            Key<Timestamp>.timestamp, Key<String>("message"), Key<String>.feedName, Key<Double>("threat.feed.accuracy"),
            Key<String>("threat.software.name"), Key<String>("threat.indicator.marking.tlp"), Key<IPAddress>.sourceIP,
            Key<Int>.sourcePort, Key<Int>("source.as.number"), Key<String>("source.as.organization.name"),
            Key<String>("source.geo.country_iso_code"), Key<String>("source.geo.region_name"),
            Key<String>("source.geo.city_name"), Key<Double>("source.geo.location.lat"), Key<Double>("source.geo.location.lon"),
            Key<IPAddress>("destination.ip"), Key<Int>("destination.port"), Key<String>("destination.domain"),
            Key<String>("network.protocol"), Key<String>.classificationType,
        ])

    @Setting("Call the feed what the data call it (CTIP-Infected), not what the collector does.") var feedNameFromData = true

    /// How far Microsoft trusts what it says, in per cent.
    private static let confidence = ["low": 20.0, "medium": 60, "high": 100]

    private static let azure = JSONColumns([
        "SourcedFrom": "message", "Malware": "custom.malware", "ThreatCode": "threat.software.name",
        "TotalEncounters": "custom.total_encounters", "SourceIp": "source.ip", "SourcePort": "source.port",
        "DestinationIp": "destination.ip", "DestinationPort": "destination.port",
        "SourceIpInfo.SourceIpAsnNumber": "source.as.number",
        "SourceIpInfo.SourceIpAsnOrgName": "source.as.organization.name",
        "SourceIpInfo.SourceIpCountryCode": "source.geo.country_iso_code",
        "SourceIpInfo.SourceIpRegion": "source.geo.region_name", "SourceIpInfo.SourceIpCity": "source.geo.city_name",
        "SourceIpInfo.SourceIpPostalCode": "custom.source.geolocation.postal_code",
        "SourceIpInfo.SourceIpLatitude": "source.geo.location.lat",
        "SourceIpInfo.SourceIpLongitude": "source.geo.location.lon",
        "SourceIpInfo.SourceIpConnectionType": "custom.source.connection_type",
        "HttpInfo.HttpHost": "custom.http.host", "HttpInfo.HttpRequest": "custom.http.request",
        "HttpInfo.HttpMethod": "custom.http.method", "HttpInfo.HttpReferrer": "custom.http.referrer",
        "HttpInfo.HttpUserAgent": "custom.user_agent", "HttpInfo.HttpVersion": "custom.http.version",
        "CustomInfo.CustomField1": "custom.custom_field1", "CustomInfo.CustomField2": "custom.custom_field2",
        "CustomInfo.CustomField3": "custom.custom_field3", "CustomInfo.CustomField4": "custom.custom_field4",
        "CustomInfo.CustomField5": "custom.custom_field5",
    ])

    /// Zero means that it is not known.
    private static let areas = JSONColumns([
        "SourceIpMetroCode": "custom.source.geolocation.metro_code", "SourceIpAreaCode": "custom.source.geolocation.area_code",
    ])

    /// In lower case: the names are written in more than one way (`TLPLevel`, `tlpLevel`).
    private static let interflow = JSONColumns([
        "additionalmetadata": "custom.additionalmetadata", "description": "message", "externalid": "threat.software.name",
        "lastreporteddatetime": "@timestamp", "firstreporteddatetime": "@timestamp",
        "indicatorexpirationdatetime": "custom.indicator_expiration_date_time",
        "indicatorprovider": "custom.indicator_provider", "indicatorthreattype": "custom.indicator_threat_type",
        "ispartnershareable": "custom.ispartnershareable", "isproductlicensed": "custom.isproductlicensed",
        "malwarefamilynames": "custom.malware_family_names", "networksourceasn": "source.as.number",
        "networksourceipv6": "source.ip", "networksourceipv4": "source.ip", "networksourceport": "source.port",
        "networkdestinationasn": "destination.as.number", "networkdestinationipv6": "destination.ip",
        "networkdestinationipv4": "destination.ip", "networkdestinationport": "destination.port",
        "domainname": "destination.domain", "hostname": "destination.domain", "severity": "custom.severity",
        "tags": "custom.tags", "threatdetectionproduct": "custom.threat_detection_product",
        "useragent": "custom.user_agent",
    ])

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        try events.eachObject(of: report) { (row, bytes, events) throws(Rejection) in
            var event = events.newEvent()
            if row["DataFeed"] == nil { try readInterflow(row, &event) } else { try readAzure(row, &event) }
            if events.keepsOriginal { event.setOriginal(bytes) }
            events.add(event)
        }
    }

    private func readAzure(_ row: JSONValue, _ event: inout Event) throws(Rejection) {
        Self.azure.fill(&event, from: row)
        guard event[.sourceIP] != nil else { throw .malformed("the row has no address in \"SourceIp\"") }
        if var time = row["DateTimeReceivedUtc"]?.plain, let time = time.withUTF8({ CivilTime.windowsNT($0) }) {
            event.add(Key<Timestamp>.timestamp.id, text: time.description)
        }
        let codes = (row["SourceIpInfo"]?.members ?? []).filter { $0.value != .number("0") }
        Self.areas.fill(&event, from: .object(codes))
        let feed = row["DataFeed"]?.string ?? ""
        if feedNameFromData { event.put(.string(feed), .field(Key<String>.feedName.id)) }
        Self.setColour(row["TLP"]?.string, &event)
        rate(row["ThreatConfidence"]?.string, &event)
        CTIPPayload.read(row["Payload"]?.string ?? "", into: &event)
        event.fill(.classificationType, feed.uppercased().hasSuffix("C2") ? "c2-server" : "infected-system")
    }

    private func readInterflow(_ row: JSONValue, _ event: inout Event) throws(Rejection) {
        let row = JSONValue.object((row.members ?? []).map { .init($0.name.lowercased(), $0.value) })
        Self.interflow.fill(&event, from: row)
        guard event[.sourceIP] != nil || event[Key<IPAddress>("destination.ip")] != nil else {
            throw .malformed("the row has neither \"DataFeed\" (as from Azure) nor \"NetworkSourceIPv4\" (as from Interflow)")
        }
        Self.setColour(row["tlplevel"]?.string, &event)
        event.fill(.classificationType, "infected-system")
    }

    /// The label as it is used elsewhere; others than TLP has are none.
    private static func setColour(_ label: String?, _ event: inout Event) {
        guard let label = label?.uppercased() else { return }
        event.put(.string(label == "YELLOW" ? "AMBER" : label), .field(Key<String>("threat.indicator.marking.tlp").id))
    }

    /// The feed's accuracy holds for what is certain.
    private func rate(_ confidence: String?, _ event: inout Event) {
        guard let share = Self.confidence[confidence?.lowercased() ?? ""] else { return }
        let key = Key<Double>("threat.feed.accuracy")
        event[key] = (event[key] ?? 100) * share / 100
    }
}
