import IDF
import Mapping
import ServiceKernel
import YAML

/// Reads the reports of Team Cymru's CSIRT Assistance Program, in the form of today and in that of before 2019.
struct CymruCAPParser: Parser {
    static let spec = Spec(
        "cymru-cap", "Reads the reports of Team Cymru's CSIRT Assistance Program, in the form of today and in the older one.",
        writes: [
            Key<Timestamp>.timestamp, Key<IPAddress>.sourceIP, Key<Int>("source.as.number"),
            Key<String>("source.as.organization.name"),
            Key<String>("source.geo.country_iso_code"), Key<Int>.sourcePort, Key<String>.sourceDomain,
            Key<String>("source.user.name"),
            Key<String>("url.full"), Key<IPAddress>("destination.ip"), Key<Int>("destination.port"),
            Key<String>("network.transport"), Key<String>("network.protocol"), Key<String>("threat.software.name"),
            Key<String>.classificationType, Key<String>("intelmq.classification.identifier"), Key<String>("message"),
        ])

    /// Type and identifier of a category; without an identifier it is the malware's name, or none.
    private static let categories: [String: (type: String, identifier: String?)] = [
        "bot": ("infected-system", nil), "bots": ("infected-system", nil), "bruteforce": ("brute-force", nil),
        "conficker": ("infected-system", "conficker"), "controller": ("c2-server", nil), "darknet": ("scanner", "darknet"),
        "honeypot": ("scanner", nil), "openresolver": ("vulnerable-system", "dns-open-resolver"),
        "openresolvers": ("vulnerable-system", "dns-open-resolver"), "phishing": ("phishing", "phishing"),
        "proxy": ("proxy", "openproxy"), "scanner": ("scanner", "scanner"), "spam": ("spam", "spam"), "tor": ("tor", "tor"),
    ]

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        var isNew = true
        report.content.eachLine { line, number in
            let text = trimmed(String(decoding: line, as: UTF8.self))
            if text.hasPrefix("#") {
                // The first line tells which form it is.
                if text.contains("Data file written at") { isNew = false }
            } else if !text.isEmpty {
                do throws(Rejection) { try add(text, isNew, &events) } catch { events.reject(line, line: number, error) }
            }
            return !events.isFull
        }
    }

    private func add(_ line: String, _ isNew: Bool, _ events: inout ParsedEvents) throws(Rejection) {
        let cells = line.split(separator: "|", omittingEmptySubsequences: false).map { trimmed(String($0)) }
        guard cells.count == 6 else { throw .malformed("the row has \(cells.count) cells, wanted 6") }
        guard let category = Self.categories[cells[0].lowercased()] else {
            let known = Self.categories.keys.sorted().joined(separator: ", ")
            throw .malformed("found the category \"\(cells[0])\", wanted one of \(known)")
        }
        var event = events.newEvent()
        try set("source.ip", cells[1], &event)
        if cells[2] != "0", !cells[2].isEmpty { try set("source.as.number", cells[2], &event) }
        try set("@timestamp", cells[3], &event)
        try setOperator(cells[5], isNew, &event)
        try set("intelmq.classification.type", category.type, &event)
        if let identifier = category.identifier { try set("intelmq.classification.identifier", identifier, &event) }
        switch cells[0] {
        case "openresolver", "openresolvers": try set("network.protocol", "dns", &event)
        case "conficker": try set("threat.software.name", "conficker", &event)
        default: break
        }
        var ports: [String] = []
        for (key, value) in Self.pairs(cells[4], isNew) {
            try put(key, value, category: cells[0], isNew, &event, &ports)
        }
        // One event for each port.
        for port in ports.isEmpty ? [""] : ports {
            var one = Event(copying: event)
            if !port.isEmpty { try set("destination.port", port, &one) }
            if events.keepsOriginal { one.setOriginal(Array(line.utf8)) }
            events.add(one)
        }
    }

    /// The name of the operator; today's reports have the country behind a comma.
    private func setOperator(_ text: String, _ isNew: Bool, _ event: inout Event) throws(Rejection) {
        var name = text
        if isNew, let comma = text.lastIndex(of: ",") {
            let country = trimmed(String(text[comma...].dropFirst()))
            if country.utf8.count == 2 {
                try set("source.geo.country_iso_code", country, &event)
                name = trimmed(String(text[..<comma]))
            }
        }
        if !name.isEmpty { try set("source.as.organization.name", name, &event) }
    }

    /// What the comment says: `key: value;` of today, `key value` of before; a text without a key has an empty one.
    private static func pairs(_ comment: String, _ isNew: Bool) -> [(key: String, value: String)] {
        guard comment.contains(";") || !comment.contains(" ") else { return words(comment) }
        var found: [(String, String)] = []
        for part in comment.split(separator: ";") {
            let part = trimmed(String(part))
            guard !part.contains("://"), let colon = part.firstIndex(of: ":") else {
                if !part.isEmpty { found.append(("", part)) }
                continue
            }
            let key = trimmed(String(part[..<colon]))
            let value = trimmed(String(part[colon...].dropFirst()))
            // Some reports lack the semicolon between a host name and its port.
            if key == "hostname", let end = value.firstRange(of: "port:") {
                found.append((key, String(value[..<end.lowerBound])))
                found.append(("port", trimmed(String(value[end.upperBound...]))))
            } else {
                found.append((key, value))
            }
        }
        return found
    }

    private static func words(_ comment: String) -> [(key: String, value: String)] {
        let keys = ["srcport", "mwtype", "destaddr", "dstaddr"]
        var found: [(key: String, value: String)] = []
        for word in comment.split(separator: " ").map(String.init) {
            if keys.contains(word) {
                found.append((word == "srcport" ? "old-srcport" : word, ""))
            } else if let last = found.last, last.value.isEmpty || last.key == "mwtype" || last.key.isEmpty {
                found[found.count - 1].value += (last.value.isEmpty ? "" : " ") + word
            } else {
                found.append(("", word))
            }
        }
        return found
    }

    private func put(
        _ key: String, _ value: String, category: String, _ isNew: Bool, _ event: inout Event, _ ports: inout [String]
    ) throws(Rejection) {
        switch key {
        case "family", "mwtype":
            try set("threat.software.name", value, &event)
            try set("intelmq.classification.identifier", value.lowercased(), &event)
        case "dest_addr", "destaddr", "dstaddr": try set("destination.ip", value, &event)
        case "dest_port": try set("destination.port", value, &event)
        case "destination_port_numbers", "ports_scanned", "honeypot_port", "darknet_port":
            let list = value.split(separator: "(").first ?? ""
            ports += list.split(separator: ",").map { trimmed(String($0)) }.filter { !$0.isEmpty }
        case "port", "srcport": try set("source.port", value, &event)
        case "old-srcport": event[custom: "source_port"] = Int(value).map { .integer($0) } ?? .string(value)
        case "protocol":
            if let name = Protocols.name(value) {
                try set("network.transport", name, &event)
            } else {
                event.setCustom(path: ["protocol", "transport"], to: Int(value).map { .integer($0) } ?? .string(value))
            }
        // An address is no name.
        case "hostname": event.add(Key<String>.sourceDomain.id, text: value)
        case "username": try set("source.user.name", value, &event)
        case "additional_asns":
            let own = event[Key<Int>("source.as.number")].map { [$0] } ?? []
            let all = own + value.split(separator: ",").compactMap { Int(trimmed(String($0))) }
            event.setCustom(path: ["source", "asns"], to: .array(all.map { .integer($0) }))
        case "proxy_type": try proxy(value, &event)
        case "": try putText(value, category: category, isNew, &event)
        default: event[custom: key] = .string(value)
        }
    }

    private func putText(_ text: String, category: String, _ isNew: Bool, _ event: inout Event) throws(Rejection) {
        switch category {
        case "phishing": try set("url.full", text, &event)
        case "proxy" where isNew: try proxy(text, &event)
        case "proxy": event[custom: "request"] = .string(text)
        case "bruteforce":
            try set("network.protocol", text, &event)
            try set("intelmq.classification.identifier", text.lowercased(), &event)
        case "tor" where Int(text) != nil: try set("source.port", text, &event)
        default: try set("message", text, &event)
        }
    }

    /// The kind of a proxy, and its port behind a hyphen.
    private func proxy(_ text: String, _ event: inout Event) throws(Rejection) {
        let parts = text.split(separator: "-", maxSplits: 1).map(String.init)
        try set("network.protocol", parts.first ?? text, &event)
        if parts.count > 1 { try set("source.port", parts[1], &event) }
    }

    private func set(_ name: String, _ value: String, _ event: inout Event) throws(Rejection) {
        guard let field = FieldID(name) else { return }
        guard event.add(field, text: value) else {
            throw .malformed("\(name): found \"\(value.prefix(60))\", wanted \(field.field.type.wanted)")
        }
    }
}
