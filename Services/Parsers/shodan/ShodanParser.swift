import IDF
import Mapping
import ServiceKernel

/// Reads what Shodan found at one port: the banners of its stream, or the answers of its API with many of them.
struct ShodanParser: Parser {
    static let spec = Spec(
        "shodan", "Reads the banners of Shodan, as its stream and its API give them.",
        writes: [
            Key<Timestamp>.timestamp, Key<IPAddress>.sourceIP, Key<Int>.sourcePort, Key<Int>("source.as.number"),
            Key<String>("network.transport"), Key<String>("network.protocol"), Key<String>.sourceDomain,
            Key<String>("source.reverse_dns"), Key<String>("source.geo.country_iso_code"),
            Key<String>("source.geo.city_name"), Key<Double>("source.geo.location.lat"), Key<Double>("source.geo.location.lon"),
            Key<String>("intelmq.event_description.target"), Key<String>.classificationType,
            Key<String>("intelmq.classification.identifier"),
        ])

    @Setting("Only address, port, network, country and time, and the whole banner as custom.shodan.") var minimalMode = false

    private static let minimal = JSONColumns([
        "ip_str": "source.ip", "ipv6": "source.ip", "asn": "source.as.number", "port": "source.port",
        "transport": "network.transport", "org": "intelmq.event_description.target", "data": "custom.data",
        "location.country_code": "source.geo.country_iso_code", "timestamp": "@timestamp",
    ])

    private static let more = JSONColumns([
        "hash": "custom.shodan.event_hash", "hostnames": "source.reverse_dns", "domains": "source.domain", "isp": "custom.isp",
        "location.city": "source.geo.city_name", "location.latitude": "source.geo.location.lat",
        "location.longitude": "source.geo.location.lon", "location.region_code": "custom.region_code",
        "location.postal_code": "custom.postal_code", "os": "custom.os", "tags": "custom.tags", "product": "custom.product",
        "version": "custom.version", "info": "custom.info", "opts.raw": "custom.raw",
    ])

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        try events.eachObject(of: report) { (row, bytes, events) throws(Rejection) in
            // A search answers {matches: […]}, a host {data: […]}; a banner has a text there.
            guard let list = row["matches"]?.items ?? row["data"]?.items else {
                return try add(row, bytes, &events)
            }
            for (index, banner) in list.enumerated() where !events.isFull {
                do throws(Rejection) {
                    try add(banner, banner.bytes, &events)
                } catch {
                    events.reject(banner.bytes, line: 0, object: index + 1, error)
                }
            }
        }
    }

    private func add(_ banner: JSONValue, _ bytes: [UInt8], _ events: inout ParsedEvents) throws(Rejection) {
        var event = events.newEvent()
        Self.minimal.fill(&event, from: banner)
        guard event[.sourceIP] != nil else { throw .malformed("the banner has no address in \"ip_str\"") }
        let identifier = Key<String>("intelmq.classification.identifier")
        if minimalMode {
            event.setCustom(path: ["shodan"], to: banner)
            event.fill(identifier, "network-scan")
        } else {
            Self.more.fill(&event, from: banner)
            ShodanModules.read(banner, into: &event)
            event.fill(identifier, "shodan-scan")
        }
        event.fill(.classificationType, "other")
        if events.keepsOriginal { event.setOriginal(bytes) }
        events.add(event)
    }
}
