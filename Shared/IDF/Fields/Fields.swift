extension Field {
    /// Every field of the data format, declared once. The JSON Schema, the documentation page, the converters
    /// and the typed keys all come from here; `Tests/IDFTests` holds it against the mapping of the old format.
    public static let all: [Field] =
        general + feed + classification + endpoint("source") + endpoint("destination") + url + network + artefacts + ecs

    private static let general: [Field] = [
        Field("@timestamp", .time, "When the event happened.", dho: "time.source", many: false),
        Field("event.created", .time, "When the pipeline first saw the event.", dho: "time.observation", many: false),
        Field(
            "event.kind", .keyword, "What sort of record this is: alert, enrichment, event, state, pipeline_error.", many: false),
        Field("event.category", .keyword, "ECS category derived from the classification."),
        Field("event.type", .keyword, "ECS type derived from the classification."),
        Field("event.hash", .eventHash, "Hash over chosen fields, upper-case hex.", dho: "event_hash", many: false),
        Field("event.reference", .url, "Page that describes the event.", dho: "event_description.url"),
        Field("event.severity", .integer, "Severity as a number: info 10, low 30, medium 50, high 70, critical 90.", many: false),
        Field("event.risk_score", .float, "Risk score given by the source.", many: false),
        Field("event.reason", .keyword, "Reason given by the source.", many: false),
        Field("event.action", .keyword, "Action that the event records.", many: false),
        Field("event.start", .time, "When the activity began.", many: false),
        Field("event.end", .time, "When the activity was last seen.", many: false),
        Field("event.provider", .keyword, "Program that made the event.", many: false),
        Field("event.dataset", .keyword, "Data set the event belongs to.", many: false),
        Field("event.original", .text, "The source line as it came, where it is UTF-8.", dho: "raw", many: false),
        Field("message", .text, "Description of the event for people.", dho: "event_description.text", many: false),
        Field("error.code", .keyword, "Why a service could not process the event, as a stable word.", many: false),
        Field("error.message", .text, "Why a service could not process the event, for people.", many: false),
        Field("tags", .keyword, "Tags."),
        Field("organization.id", .keyword, "Tenant (constituency) the event belongs to.", dho: "constituency"),
        Field("organization.name", .keyword, "Name of the tenant."),
    ]

    private static let feed: [Field] = [
        Field("threat.feed.name", .keyword, "Name of the feed.", dho: "feed.name", many: false),
        Field("threat.feed.code", .keyword, "Short code of the feed.", dho: "feed.code", many: false, .extended),
        Field(
            "threat.feed.url", .url, "Where the feed was fetched, without credentials.", dho: "feed.url", many: false, .extended),
        Field("threat.feed.reference", .keyword, "Documentation of the feed.", dho: "feed.documentation", many: false),
        Field(
            "threat.feed.accuracy", .accuracy, "How far the feed is right, in per cent.", dho: "feed.accuracy", many: false,
            .extended),
        Field("threat.indicator.provider", .keyword, "Who provides the feed.", dho: "feed.provider", many: false),
        Field("threat.indicator.marking.tlp", .tlp, "Traffic Light Protocol label.", dho: "tlp", many: false),
        Field("threat.indicator.marking.tlp_version", .keyword, "Version of the Traffic Light Protocol.", many: false),
        Field("threat.indicator.confidence", .keyword, "Confidence in words: Low, Medium, High.", many: false),
        Field("threat.indicator.type", .keyword, "STIX type of the indicator."),
        Field("threat.indicator.id", .keyword, "Identifiers of the indicator elsewhere."),
        Field("threat.software.name", .printableLowercase, "Name of the malware.", dho: "malware.name"),
        Field("threat.software.version", .printable, "Version of the malware.", dho: "malware.version", .extended),
        Field("threat.software.type", .keyword, "Kind of software: Malware or Tool.", many: false),
        Field("threat.group.name", .keyword, "Name of the actor."),
        Field("threat.technique.id", .keyword, "MITRE ATT&CK technique."),
    ]

    private static let classification: [Field] = [
        Field("intelmq.classification.taxonomy", .taxonomy, "RSIT class.", dho: "classification.taxonomy", .own),
        Field("intelmq.classification.type", .classification, "RSIT type.", dho: "classification.type", .own),
        Field(
            "intelmq.classification.identifier", .keyword, "Free identifier of what was found.", dho: "classification.identifier",
            .own),
        Field(
            "intelmq.event_description.target", .keyword, "Attacked brand or organisation.", dho: "event_description.target", .own
        ),
        Field("intelmq.comment", .text, "Comment of an analyst.", dho: "comment", .own),
        Field(
            "intelmq.severity", .lowercase, "critical, high, medium, low, info or undefined.", dho: "severity", many: false, .own),
        Field("intelmq.status", .keyword, "State of the malicious resource, as online.", dho: "status", many: false, .own),
        Field("intelmq.rtir_id", .integer, "Number of the ticket in RTIR.", dho: "rtir_id", many: false, .own),
        Field("intelmq.screenshot_url", .url, "Screen shot of the resource.", dho: "screenshot_url", .own),
        Field("intelmq.output", .json, "The event in a foreign format, for an output.", dho: "output", many: false, .own),
        Field("intelmq.raw_base64", .base64, "The source line where it is not UTF-8, in base64.", many: false, .own),
        Field("intelmq.file_name", .keyword, "File a report came from.", many: false, .own),
        Field("misp.attribute_uuid", .uuid, "MISP attribute.", dho: "misp.attribute_uuid", .own),
        Field("misp.event_uuid", .uuid, "MISP event.", dho: "misp.event_uuid", .own),
    ]

    private static func endpoint(_ side: String) -> [Field] {
        func row(
            _ leaf: String, _ type: FieldType, _ summary: String, dho: String? = nil, many: Bool = true, _ origin: Origin = .ecs
        ) -> Field {
            Field("\(side).\(leaf)", type, summary, dho: dho.map { "\(side).\($0)" }, many: many, origin)
        }
        let common: [Field] = [
            row("ip", .ip, "Address.", dho: "ip"),
            row("port", .port, "Port.", dho: "port"),
            row("domain", .domain, "Domain name.", dho: "fqdn"),
            row("registered_domain", .domain, "Domain name below the public suffix."),
            row("subdomain", .keyword, "What stands before the registered domain."),
            row("top_level_domain", .domain, "Public suffix of the domain.", dho: "domain_suffix"),
            row("reverse_dns", .domain, "Name that the reverse DNS gives.", dho: "reverse_dns", .extended),
            row("mac", .keyword, "Hardware address."),
            row("bytes", .integer, "Bytes sent by this end.", many: false),
            row("packets", .integer, "Packets sent by this end.", many: false),
            row("network", .network, "Announced prefix of the address.", dho: "network", .extended),
            row("allocated", .time, "When the prefix was allocated.", dho: "allocated", .extended),
            row("registry", .registry, "Regional Internet registry of the prefix.", dho: "registry", .extended),
            row("abuse_contact", .lowercase, "Mail address for abuse.", dho: "abuse_contact", .extended),
            row("local_ip", .ip, "Internal address behind a translation.", dho: "local_ip", .extended),
            row("local_hostname", .keyword, "Internal host name.", dho: "local_hostname", .extended),
            row("tor_node", .boolean, "Whether the address is a Tor node.", dho: "tor_node", many: false, .extended),
            row("as.number", .asn, "Number of the autonomous system.", dho: "asn"),
            row("as.organization.name", .keyword, "Name of the autonomous system.", dho: "as_name"),
            row("user.name", .keyword, "Account.", dho: "account"),
            row("user.email", .keyword, "Account that is a mail address."),
            row("geo.country_iso_code", .countryCode, "Country code.", dho: "geolocation.cc"),
            row("geo.country_name", .keyword, "Country.", dho: "geolocation.country"),
            row("geo.continent_code", .countryCode, "Continent code."),
            row("geo.region_name", .keyword, "Region.", dho: "geolocation.region"),
            row("geo.region_iso_code", .keyword, "Code of the region."),
            row("geo.state_name", .keyword, "State.", dho: "geolocation.state", .extended),
            row("geo.city_name", .keyword, "City.", dho: "geolocation.city"),
            row("geo.postal_code", .keyword, "Postal code."),
            row("geo.location.lat", .latitude, "Degrees north.", dho: "geolocation.latitude"),
            row("geo.location.lon", .longitude, "Degrees east.", dho: "geolocation.longitude"),
        ]
        let opinions: [Field] = [
            row(
                "geo.cymru_country_iso_code", .countryCode, "Country code by Team Cymru.", dho: "geolocation.cymru_cc",
                many: false, .extended),
            row(
                "geo.geoip_country_iso_code", .countryCode, "Country code by MaxMind.", dho: "geolocation.geoip_cc", many: false,
                .extended),
        ]
        // ECS keeps the URL of the source at top level, so only the destination's stands here.
        let address: [Field] = [
            row("url.full", .url, "URL.", dho: "url", .extended),
            row("url.path", .keyword, "Path of the URL.", dho: "urlpath", .extended),
        ]
        return common + (side == "source" ? opinions : address)
    }

    private static let url: [Field] = [
        Field("url.full", .url, "URL of the source.", dho: "source.url"),
        Field("url.original", .keyword, "URL as the source wrote it."),
        Field("url.scheme", .keyword, "Scheme of the URL."),
        Field("url.domain", .keyword, "Host of the URL."),
        Field("url.port", .port, "Port of the URL."),
        Field("url.path", .keyword, "Path of the URL.", dho: "source.urlpath"),
        Field("url.query", .keyword, "Query of the URL."),
        Field("url.registered_domain", .keyword, "Registered domain of the URL."),
        Field("url.top_level_domain", .keyword, "Public suffix of the URL."),
    ]

    private static let network: [Field] = [
        Field("network.protocol", .printableLowercase, "Application protocol.", dho: "protocol.application"),
        Field("network.transport", .transport, "Transport protocol.", dho: "protocol.transport"),
        Field("network.direction", .keyword, "Direction of the traffic.", many: false),
        Field("network.bytes", .integer, "Bytes in both directions.", many: false),
        Field("network.packets", .integer, "Packets in both directions.", many: false),
    ]

    private static let artefacts: [Field] = [
        Field("file.name", .keyword, "Name of the file."),
        Field("file.size", .integer, "Size of the file in bytes.", many: false),
        Field("file.mime_type", .keyword, "Media type of the file."),
        Field("file.hash.md5", .fileHash, "MD5 of the malware.", dho: "malware.hash.md5"),
        Field("file.hash.sha1", .fileHash, "SHA-1 of the malware.", dho: "malware.hash.sha1"),
        Field("file.hash.sha256", .fileHash, "SHA-256 of the malware.", dho: "malware.hash.sha256"),
        Field("file.hash.sha512", .fileHash, "SHA-512 of the malware."),
        Field("package.name", .lowercase, "Name of the product.", dho: "product.name"),
        Field("package.full_name", .keyword, "Full name of the product.", dho: "product.full_name", .extended),
        Field("package.vendor", .lowercase, "Vendor of the product.", dho: "product.vendor", .extended),
        Field("package.version", .lowercase, "Version of the product.", dho: "product.version"),
        Field("vulnerability.id", .keyword, "Vulnerabilities, as CVE-2024-3094.", dho: "product.vulnerabilities"),
        Field("vulnerability.enumeration", .keyword, "Source of the identifiers, as CVE.", many: false),
        Field("vulnerability.score.base", .float, "CVSS base score.", many: false),
        Field("vulnerability.severity", .keyword, "Severity of the vulnerability.", many: false),
    ]

    private static let ecs: [Field] = [
        Field("related.ip", .ip, "All addresses of the event."),
        Field("related.hosts", .keyword, "All host names of the event."),
        Field("related.hash", .keyword, "All hashes of the event."),
        Field("related.user", .keyword, "All users of the event."),
        Field("rule.id", .keyword, "Detection rule."),
        Field("rule.name", .keyword, "Name of the detection rule."),
        Field("observer.name", .keyword, "Sensor.", many: false),
        Field("observer.type", .keyword, "Kind of the sensor.", many: false),
        Field("observer.ip", .ip, "Address of the sensor."),
        Field("observer.vendor", .keyword, "Vendor of the sensor.", many: false),
        Field("observer.product", .keyword, "Product of the sensor.", many: false),
        Field("host.name", .keyword, "Reporting host.", many: false),
        Field("host.ip", .ip, "Address of the reporting host."),
        Field("user_agent.original", .keyword, "User agent of a request."),
        Field("http.request.method", .keyword, "Method of a request.", many: false),
        Field("http.request.referrer", .keyword, "Referrer of a request.", many: false),
        Field("http.response.status_code", .integer, "Status of a response.", many: false),
        Field("dns.question.name", .keyword, "Name asked for.", many: false),
        Field("dns.question.type", .keyword, "Type asked for.", many: false),
        Field("email.subject", .keyword, "Subject of a message.", many: false),
        Field("email.from.address", .keyword, "Sender of a message."),
        Field("email.to.address", .keyword, "Recipients of a message."),
        Field("email.message_id", .keyword, "Message-ID.", many: false),
        Field("tls.client.ja3", .keyword, "JA3 of a client.", many: false),
        Field("tls.server.hash.sha1", .keyword, "SHA-1 of a server's certificate.", many: false),
    ]
}
