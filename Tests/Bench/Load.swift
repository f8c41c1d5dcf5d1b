import IDF
import ServiceKernel

/// What services are fed with: documentation addresses and names only (RFC 5737, RFC 2606).
enum Load {
    private static let networks = ["192.0.2.", "198.51.100.", "203.0.113."]

    private static func address(_ number: Int) -> String { networks[number % 768 / 256] + String(number % 256) }

    /// Packets of events with 24 fields, about 950 bytes each, as they come from a parser.
    static func packets(count: Int, events: Int) throws(BenchError) -> [[UInt8]] {
        var packets: [[UInt8]] = []
        for packet in 0..<count {
            var made: [Event] = []
            for place in 0..<events { made.append(try event(packet * events + place)) }
            var whole = Packet(events: made)
            whole.meta.source = "bench"
            whole.meta.intakeAt = .now()
            packets.append(whole.encoded())
        }
        return packets
    }

    /// The same packet under a new id, so that a spool takes it for another one.
    static func renamed(_ packet: [UInt8]) -> [UInt8] {
        // The first id of a document is that of its meta.
        let mark = Array("\"id\":\"".utf8)
        var copy = packet
        guard let at = packet.firstRange(of: mark)?.upperBound else { return copy }
        var id: [UInt8] = []
        UUID.v7().append(to: &id)
        copy.replaceSubrange(at..<at + id.count, with: id)
        return copy
    }

    private static func event(_ number: Int) throws(BenchError) -> Event {
        let source = address(number * 7)
        let port = String(40000 + number % 20000)
        let domain = "host-\(number).customers.example.net"
        let time = "2026-11-20T\(two(number / 3600 % 24)):\(two(number / 60 % 60)):\(two(number % 60))Z"
        let values: KeyValuePairs<String, String> = [
            "@timestamp": time, "event.created": "2026-11-20T23:59:59.125Z",
            "event.original":
                "\(time),\(source),\(port),\(domain),avalanche-generic,infected,192.0.2.1,443,tcp,DE,Musterstadt",
            "threat.feed.name": "Sinkhole Events", "threat.feed.url": "https://feeds.example.org/sinkhole/2026-11-20.csv",
            "threat.feed.accuracy": "95.0", "threat.indicator.provider": "Example Foundation",
            "threat.software.name": "avalanche-generic",
            "intelmq.classification.taxonomy": "malicious-code", "intelmq.classification.type": "infected-system",
            "intelmq.classification.identifier": "avalanche", "intelmq.severity": "high", "source.ip": source,
            "source.port": port, "source.domain": domain, "source.geo.country_iso_code": "DE",
            "source.geo.city_name": "Musterstadt", "source.geo.region_name": "Musterland", "destination.ip": "192.0.2.1",
            "destination.port": "443", "network.transport": "tcp", "network.protocol": "http",
            "url.full": "http://\(domain)/index.php?session=\(number)",
        ]
        var event = Event()
        for (name, value) in values {
            guard let field = FieldID(name), event.add(field, text: value) else {
                throw BenchError("\(name) does not take \(value)")
            }
        }
        event[custom: "naics"] = .integer(517_311)
        return event
    }

    /// A Shadowserver report made of the demonstration's rows, every row with another time or address.
    /// - Returns: the header line and the rows, each with its line end.
    static func report(rows count: Int) throws(BenchError) -> (header: [UInt8], rows: [[UInt8]]) {
        let path = try Subject.path(of: Subject.report)
        guard let bytes = readFile(path) else { throw BenchError("cannot read \(path)") }
        let lines = bytes.split(separator: 0x0A)
        guard let header = lines.first, lines.count > 1 else { throw BenchError("\(path) has no rows") }
        guard header.starts(with: #""timestamp","severity","ip","#.utf8) else {
            throw BenchError("\(path) has other columns than it had")
        }
        var rows: [[UInt8]] = []
        rows.reserveCapacity(count)
        for number in 0..<count {
            let line = lines[1 + number % (lines.count - 1)]
            let cells = line.split(separator: 0x2C, maxSplits: 3)
            guard cells.count == 4 else { throw BenchError("\(path) has a row of too few cells") }
            // A day has 86,400 seconds; the same second of the next round has another address.
            let time = "\(two(number / 3600 % 24)):\(two(number / 60 % 60)):\(two(number % 60))"
            rows.append(
                Array("\"2026-11-20 \(time)\",".utf8) + cells[1] + Array(",\"\(address(number))\",".utf8) + cells[3] + [0x0A])
        }
        return (Array(header) + [0x0A], rows)
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
}
