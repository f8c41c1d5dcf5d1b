import IDF
import Mapping
import ServiceKernel

/// Reads alerts of FireEye's appliances in OpenIOC: the file is one event, each place it talks to another.
struct FireEyeParser: Parser {
    static let spec = Spec(
        "fireeye", "Reads the alerts of FireEye's Malware Analysis System in OpenIOC.",
        writes: [
            Key<String>("file.hash.md5"), Key<String>("file.hash.sha1"), Key<String>("file.hash.sha256"),
            Key<String>.destinationDomain, Key<IPAddress>.destinationIP, Key<Int>.destinationPort,
            Key<String>("destination.url.full"), Key<String>("destination.url.path"), Key<String>.classificationType,
        ])

    private static let hashes: [String: FieldID] = [
        "FileItem/Md5sum": Key<String>("file.hash.md5").id, "FileItem/Sha1sum": Key<String>("file.hash.sha1").id,
        "FileItem/Sha256sum": Key<String>("file.hash.sha256").id,
    ]

    /// What an indicator says besides the indicators in it: texts by what they are about (`Network/DNS`).
    private typealias Group = [String: String]

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        let groups = try report.content.withBytes { (bytes) throws(Rejection) in
            try Self.groups(Markup(bytes, isXML: true))
        }
        var file = events.newEvent()
        if events.keepsOriginal { report.content.withBytes { file.setOriginal($0) } }
        for (name, field) in Self.hashes {
            if let value = groups.lazy.compactMap({ $0[name] }).first { file.add(field, text: value) }
        }
        if Self.hashes.values.contains(where: file.has) {
            var event = Event(copying: file)
            event.fill(.classificationType, "malware")
            events.add(event)
        }
        for group in groups where !events.isFull && group.keys.contains(where: { $0.hasPrefix("Network/") }) {
            var event = Event(copying: file)
            event.fill(.classificationType, "malware-distribution")
            Self.fill(&event, from: group)
            events.add(event)
        }
    }

    /// Goes through the document once; indicators may stand in each other.
    private static func groups(_ document: Markup) throws(Rejection) -> [Group] {
        var groups: [Group] = []
        var open: [(end: Int, group: Int)] = []
        var index = 0
        while index < document.tokens.count {
            while let last = open.last, last.end <= index { open.removeLast() }
            defer { index += 1 }
            guard case .open(let name, _) = document.tokens[index] else { continue }
            if name == "Indicator" {
                open.append((document.inside(index).upperBound, groups.count))
                groups.append([:])
            } else if name == "IndicatorItem", let group = open.last?.group {
                let inside = document.inside(index)
                if let context = document.elements("Context", in: inside).first,
                    let content = document.elements("Content", in: inside).first,
                    let about = document.attribute("search", of: context), groups[group][about] == nil
                {
                    groups[group][about] = trimmed(document.text(of: content))
                }
                index = max(index, inside.upperBound - 1)
            }
        }
        guard !groups.isEmpty else { throw .malformed("the report has no \"Indicator\", wanted OpenIOC in XML") }
        return groups
    }

    private static func fill(_ event: inout Event, from group: Group) {
        let path = group["Network/HTTP/RequestURI"]
        let host = group["Network/HTTP/Host"] ?? group["Network/DNS"]
        let port = group["Network/Connection/RemotePort"]
        if let host, !event.add(Key<IPAddress>.destinationIP.id, text: host) {
            event.add(Key<String>.destinationDomain.id, text: host)
        }
        if let address = group["Network/Connection/RemoteIP"] { event.add(Key<IPAddress>.destinationIP.id, text: address) }
        if let port { event.add(Key<Int>.destinationPort.id, text: port) }
        guard let path else { return }
        event.add(Key<String>("destination.url.path").id, text: path)
        if let host {
            event.add(Key<String>("destination.url.full").id, text: (port == "443" ? "https://" : "http://") + host + path)
        }
    }
}
