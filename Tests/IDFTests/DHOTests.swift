import Testing

@testable import IDF

/// One field of the old format: its name, its place in the new one, a value, and whether it may have several.
private struct Row: Sendable, CustomTestStringConvertible {
    let old: String, new: String, value: JSONValue, isMany: Bool
    var testDescription: String { old }
    init(_ old: String, _ new: String, _ value: JSONValue, _ isMany: Bool) {
        (self.old, self.new, self.value, self.isMany) = (old, new, value, isMany)
    }
}

/// Every field of the old format's harmonisation (version 3.5).
private let rows: [Row] = [
    Row("classification.identifier", "intelmq.classification.identifier", .string("Some text"), true),
    Row("classification.taxonomy", "intelmq.classification.taxonomy", .string("malicious-code"), true),
    Row("classification.type", "intelmq.classification.type", .string("c2-server"), true),
    Row("comment", "intelmq.comment", .string("Some text"), true),
    Row("constituency", "organization.id", .string("Some text"), true),
    Row("destination.abuse_contact", "destination.abuse_contact", .string("a@a.example,b@b.example"), true),
    Row("destination.account", "destination.user.name", .string("Some text"), true),
    Row("destination.allocated", "destination.allocated", .string("2026-11-20T12:00:00+00:00"), true),
    Row("destination.as_name", "destination.as.organization.name", .string("Some text"), true),
    Row("destination.asn", "destination.as.number", .number("64496"), true),
    Row("destination.domain_suffix", "destination.top_level_domain", .string("a.example"), true),
    Row("destination.fqdn", "destination.domain", .string("a.example"), true),
    Row("destination.geolocation.cc", "destination.geo.country_iso_code", .string("AT"), true),
    Row("destination.geolocation.city", "destination.geo.city_name", .string("Some text"), true),
    Row("destination.geolocation.country", "destination.geo.country_name", .string("Some text"), true),
    Row("destination.geolocation.latitude", "destination.geo.location.lat", .number("12.5"), true),
    Row("destination.geolocation.longitude", "destination.geo.location.lon", .number("12.5"), true),
    Row("destination.geolocation.region", "destination.geo.region_name", .string("Some text"), true),
    Row("destination.geolocation.state", "destination.geo.state_name", .string("Some text"), true),
    Row("destination.ip", "destination.ip", .string("192.0.2.1"), true),
    Row("destination.local_hostname", "destination.local_hostname", .string("Some text"), true),
    Row("destination.local_ip", "destination.local_ip", .string("192.0.2.1"), true),
    Row("destination.network", "destination.network", .string("192.0.2.0/24"), true),
    Row("destination.port", "destination.port", .number("80"), true),
    Row("destination.registry", "destination.registry", .string("RIPE"), true),
    Row("destination.reverse_dns", "destination.reverse_dns", .string("a.example"), true),
    Row("destination.tor_node", "destination.tor_node", .boolean(true), false),
    Row("destination.url", "destination.url.full", .string("http://a.example/x"), true),
    Row("destination.urlpath", "destination.url.path", .string("Some text"), true),
    Row("event_description.target", "intelmq.event_description.target", .string("Some text"), true),
    Row("event_description.text", "message", .string("Some text"), false),
    Row("event_description.url", "event.reference", .string("http://a.example/x"), true),
    Row("event_hash", "event.hash", .string("ABCDEF0123"), false),
    Row("feed.accuracy", "threat.feed.accuracy", .number("75.0"), false),
    Row("feed.code", "threat.feed.code", .string("Some text"), false),
    Row("feed.documentation", "threat.feed.reference", .string("Some text"), false),
    Row("feed.name", "threat.feed.name", .string("Some text"), false),
    Row("feed.provider", "threat.indicator.provider", .string("Some text"), false),
    Row("feed.url", "threat.feed.url", .string("http://a.example/x"), false),
    Row("malware.hash.md5", "file.hash.md5", .string("Some text"), true),
    Row("malware.hash.sha1", "file.hash.sha1", .string("Some text"), true),
    Row("malware.hash.sha256", "file.hash.sha256", .string("Some text"), true),
    Row("malware.name", "threat.software.name", .string("low"), true),
    Row("malware.version", "threat.software.version", .string("Some text"), true),
    Row("misp.attribute_uuid", "misp.attribute_uuid", .string("0198f000-0000-7000-8000-00000000000a"), true),
    Row("misp.event_uuid", "misp.event_uuid", .string("0198f000-0000-7000-8000-00000000000a"), true),
    Row("output", "intelmq.output", .string("{\"a\":1}"), false),
    Row("product.full_name", "package.full_name", .string("Some text"), true),
    Row("product.name", "package.name", .string("low"), true),
    Row("product.vendor", "package.vendor", .string("low"), true),
    Row("product.version", "package.version", .string("low"), true),
    Row("product.vulnerabilities", "vulnerability.id", .string("cve-2024-3094;cve-2023-1"), true),
    Row("protocol.application", "network.protocol", .string("low"), true),
    Row("protocol.transport", "network.transport", .string("tcp"), true),
    Row("raw", "event.original", .string("cmF3"), false),
    Row("rtir_id", "intelmq.rtir_id", .number("80"), false),
    Row("screenshot_url", "intelmq.screenshot_url", .string("http://a.example/x"), true),
    Row("severity", "intelmq.severity", .string("high"), false),
    Row("source.abuse_contact", "source.abuse_contact", .string("a@a.example,b@b.example"), true),
    Row("source.account", "source.user.name", .string("Some text"), true),
    Row("source.allocated", "source.allocated", .string("2026-11-20T12:00:00+00:00"), true),
    Row("source.as_name", "source.as.organization.name", .string("Some text"), true),
    Row("source.asn", "source.as.number", .number("64496"), true),
    Row("source.domain_suffix", "source.top_level_domain", .string("a.example"), true),
    Row("source.fqdn", "source.domain", .string("a.example"), true),
    Row("source.geolocation.cc", "source.geo.country_iso_code", .string("AT"), true),
    Row("source.geolocation.city", "source.geo.city_name", .string("Some text"), true),
    Row("source.geolocation.country", "source.geo.country_name", .string("Some text"), true),
    Row("source.geolocation.cymru_cc", "source.geo.cymru_country_iso_code", .string("AT"), false),
    Row("source.geolocation.geoip_cc", "source.geo.geoip_country_iso_code", .string("AT"), false),
    Row("source.geolocation.latitude", "source.geo.location.lat", .number("12.5"), true),
    Row("source.geolocation.longitude", "source.geo.location.lon", .number("12.5"), true),
    Row("source.geolocation.region", "source.geo.region_name", .string("Some text"), true),
    Row("source.geolocation.state", "source.geo.state_name", .string("Some text"), true),
    Row("source.ip", "source.ip", .string("192.0.2.1"), true),
    Row("source.local_hostname", "source.local_hostname", .string("Some text"), true),
    Row("source.local_ip", "source.local_ip", .string("192.0.2.1"), true),
    Row("source.network", "source.network", .string("192.0.2.0/24"), true),
    Row("source.port", "source.port", .number("80"), true),
    Row("source.registry", "source.registry", .string("RIPE"), true),
    Row("source.reverse_dns", "source.reverse_dns", .string("a.example"), true),
    Row("source.tor_node", "source.tor_node", .boolean(true), false),
    Row("source.url", "url.full", .string("http://a.example/x"), true),
    Row("source.urlpath", "url.path", .string("Some text"), true),
    Row("status", "intelmq.status", .string("Some text"), false),
    Row("time.observation", "event.created", .string("2026-11-20T12:00:00+00:00"), false),
    Row("time.source", "@timestamp", .string("2026-11-20T12:00:00+00:00"), false),
    Row("tlp", "threat.indicator.marking.tlp", .string("AMBER"), false),
]

@Suite struct DHOTests {
    @Test(arguments: rows) fileprivate func hasItsField(_ row: Row) throws {
        let field = try #require(DHO.field(row.old), "the table has no field for \(row.old)")
        #expect(field.name == row.new)
        #expect(field.field.dho == row.old)
        #expect(field.field.isMany || !row.isMany)
    }

    /// There and back, through the wire.
    @Test(arguments: rows) fileprivate func converts(_ row: Row) throws {
        let event = try DHO.event(.object([.init(row.old, row.value), .init("__type", .string("Event"))]))
        #expect(event.has(try #require(FieldID(row.new))))
        let read = try Packet(decoding: Packet(events: [event]).encoded()).events[0]
        let back = DHO.message(read)
        #expect(back[row.old] == row.value)
        #expect(back["__type"] == .string("Event"))
        #expect(back.members?.count == 2)
    }

    @Test func everyOldNameOfTheTableIsKnown() {
        let named = Set(Field.all.compactMap(\.dho))
        #expect(named == Set(rows.map(\.old)))
        #expect(Field.all.compactMap(\.dho).count == named.count, "an old name stands for two fields")
    }

    @Test func extrasBecomeCustom() throws {
        let message = try JSONValue(
            parsing: Array(#"{"extra.a":1,"extra.b.c":[true],"extra":"{\"d\":null,\"e\":{\"f\":2.50}}"}"#.utf8))
        let event = try DHO.event(message)
        #expect(event[custom: "a"] == .integer(1))
        #expect(event[custom: "b"] == .object(["c": .array([.boolean(true)])]))
        #expect(event[custom: "e"] == .object(["f": .number("2.50")]))
        #expect(DHO.message(event)["extra.a"] == .integer(1))
    }

    @Test func accountsAndMailAddresses() throws {
        let mail = try DHO.event(.object(["source.account": .string("u@a.example")]))
        #expect(mail[Key<String>("source.user.email")] == "u@a.example")
        #expect(DHO.message(mail)["source.account"] == .string("u@a.example"))
    }

    @Test func rawIsBytes() throws {
        for (raw, bytes) in [("/w==", [0xFF]), ("YQ==", [0x61])] as [(String, [UInt8])] {
            let event = try DHO.event(.object(["raw": .string(raw)]))
            #expect(event.originalBytes == bytes)
            #expect(DHO.message(event)["raw"] == .string(raw))
        }
    }

    @Test func listsGiveTheirFirstValue() {
        var event = Event()
        event.set(.sourceASNumber, to: [nil, 64496, 64497])
        event.set(Key<String>("source.abuse_contact"), to: ["a@a.example", "b@b.example"])
        #expect(DHO.message(event)["source.asn"] == .integer(64496))
        #expect(DHO.message(event)["source.abuse_contact"] == .string("a@a.example,b@b.example"))
    }

    @Test(arguments: [
        (#"{"nonsense":1}"#, "nonsense"), (#"{"source.ip":"x"}"#, "source.ip"), (#"{"raw":"*"}"#, "base64"), (#"[]"#, "object"),
        (#"{"extra":"[]"}"#, "extra"), (#"{"source.ip":["192.0.2.1"]}"#, "source.ip"), (#"{"":1}"#, "old format"),
        (#"{"source.asn":-1}"#, "source.asn"),
    ]) func refuses(_ text: String, _ part: String) throws {
        let message = try JSONValue(parsing: Array(text.utf8))
        let problem = #expect(throws: Problem.self) { try DHO.event(message) }
        #expect(problem?.detail.contains(part) == true)
    }

    @Test func nullsAndBlankExtrasAreNoValues() throws {
        let event = try DHO.event(.object(["source.ip": .null, "extra.": .integer(1), "__type": .string("Event")]))
        #expect(!event.has(Key<IPAddress>.sourceIP.id))
        _ = try Packet(decoding: Packet(events: [event]).encoded())
    }
}
