import ASNDatabase
import IDF
import ServiceKernel

/// Names the autonomous system that announces an address.
struct ASNLookup: Expert {
    static let spec = Spec(
        "asn-lookup", "Adds number, name and prefix of the network that announces an address.",
        reads: Side.allCases.map(\.ip), writes: Side.allCases.flatMap { [$0.asNumber, $0.asName, $0.network] as [any FieldKey] },
        lookup: Side.source.ip)

    @Setting(
        "MaxMind ASN database (.mmdb) or a pyasn or pfx2as text file; reopened when the file changes.",
        example: "/var/lib/intelmq/GeoLite2-ASN.mmdb")
    var database: ASNDatabase

    var build: String? { database.build }

    func process(_ event: inout Event) throws(Rejection) -> Verdict {
        let database = database
        for side in Side.allCases {
            event.enrich(from: side.ip) { event, address, place in
                guard let system = database.system(announcing: address) else { return }
                event.fill(side.asNumber, system.number, at: place)
                event.fill(side.asName, system.name, at: place)
                event.fill(side.network, system.network, at: place)
            }
        }
        return .forward
    }
}
