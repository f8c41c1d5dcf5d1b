extension FieldType {
    static func text(_ value: ByteView, into out: inout [UInt8]) -> Bool {
        guard value.count > 0 else { return false }
        JSONText.appendQuoted(value, to: &out)
        return true
    }

    static func lowercase(_ value: ByteView, into out: inout [UInt8]) -> Bool {
        guard value.isASCII else {
            return wide(String(decoding: value, as: UTF8.self).lowercased(), into: &out)
        }
        return mapped(value, into: &out) { $0.lowercasedASCII }
    }

    static func uppercase(_ value: ByteView, into out: inout [UInt8]) -> Bool {
        guard value.isASCII else {
            return wide(String(decoding: value, as: UTF8.self).uppercased(), into: &out)
        }
        return mapped(value, into: &out) { $0.uppercasedASCII }
    }

    private static func wide(_ text: String, into out: inout [UInt8]) -> Bool {
        var copy = text
        return copy.withUTF8 { self.text($0, into: &out) }
    }

    /// Quotes ASCII text, then changes its letters where they lie: escapes hold no letter that case would change but `\u00xx`.
    @inline(__always)
    private static func mapped(_ value: ByteView, into out: inout [UInt8], _ change: (UInt8) -> UInt8) -> Bool {
        let mark = out.count
        JSONText.appendQuoted(value, to: &out)
        if out.count - mark == value.count + 2 {
            for index in mark..<out.count { out[index] = change(out[index]) }
            return true
        }
        out.removeLast(out.count - mark)
        let changed = value.map(change)
        changed.withUnsafeBufferPointer { JSONText.appendQuoted($0, to: &out) }
        return true
    }

    static func printable(_ value: ByteView, limit: Int, lowercased: Bool, into out: inout [UInt8]) -> Bool {
        guard value.count <= limit, value.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { return false }
        return lowercased ? lowercase(value, into: &out) : text(value, into: &out)
    }

    static func eventHash(_ value: ByteView, into out: inout [UInt8]) -> Bool {
        guard value.count <= 40 else { return false }
        for byte in value {
            guard byte.hexValue < 16 || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "/") else { return false }
        }
        return uppercase(value, into: &out)
    }

    static func uuid(_ value: ByteView, into out: inout [UInt8]) -> Bool {
        guard value.count == 36 else { return false }
        for index in 0..<36 {
            let byte = value[index]
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == UInt8(ascii: "-") else { return false }
            } else {
                guard byte.isDigit || byte.isLetter else { return false }
            }
        }
        return lowercase(value, into: &out)
    }

    static func countryCode(_ value: ByteView, into out: inout [UInt8]) -> Bool {
        guard value.count == 2, value.allSatisfy({ $0.isDigit || $0.isLetter }) else { return false }
        return uppercase(value, into: &out)
    }

    static func transport(_ value: ByteView, into out: inout [UInt8]) -> Bool {
        guard let name = TransportProtocol.name(value) else { return false }
        appendPlain(name, to: &out)
        return true
    }

    static func registry(_ value: ByteView, into out: inout [UInt8]) -> Bool {
        let name: StaticString
        if value.equalsIgnoringCase("ripe") || value.equalsIgnoringCase("ripencc") || value.equalsIgnoringCase("ripe-ncc") {
            name = "RIPE"
        } else if value.equalsIgnoringCase("arin") {
            name = "ARIN"
        } else if value.equalsIgnoringCase("apnic") {
            name = "APNIC"
        } else if value.equalsIgnoringCase("lacnic") {
            name = "LACNIC"
        } else if value.equalsIgnoringCase("afrinic") {
            name = "AFRINIC"
        } else {
            return false
        }
        appendPlain(name, to: &out)
        return true
    }

    static func taxonomy(_ value: ByteView, into out: inout [UInt8]) -> Bool {
        guard let found = TaxonomyClass(value) else { return false }
        appendPlain(found.nameText, to: &out)
        return true
    }

    static func classification(_ value: ByteView, into out: inout [UInt8]) -> Bool {
        guard let found = ClassificationType(value) else { return false }
        appendPlain(found.nameText, to: &out)
        return true
    }

    private static let labels: [(text: StaticString, label: StaticString)] = [
        ("red", "RED"), ("amber", "AMBER"), ("green", "GREEN"), ("white", "WHITE"), ("clear", "CLEAR"),
        ("amber+strict", "AMBER+STRICT"), ("yellow", "AMBER"),
    ]

    static func tlp(_ value: ByteView, into out: inout [UInt8]) -> Bool {
        var label = value
        if label.count > 3, label.part(0, 3).equalsIgnoringCase("tlp") {
            label = label.from(label[3] == UInt8(ascii: ":") ? 4 : 3).trimmed()
        }
        for index in labels.indices where label.equalsIgnoringCase(labels[index].text) {
            appendPlain(labels[index].label, to: &out)
            return true
        }
        return false
    }

    static func base64(_ value: ByteView, into out: inout [UInt8]) -> Bool {
        guard value.count % 4 == 0 else { return false }
        var end = value.count
        if value[end - 1] == UInt8(ascii: "=") { end -= 1 }
        if value[end - 1] == UInt8(ascii: "=") { end -= 1 }
        for index in 0..<end {
            let byte = value[index]
            guard byte.isLetter || byte.isDigit || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/") else { return false }
        }
        appendPlain(value, to: &out)
        return true
    }

    /// A JSON text is taken over without its white space, any other text as a string, blanks and all.
    static func json(_ value: ByteView, into out: inout [UInt8]) -> Bool {
        if JSONText.appendCompact(value, to: &out) { return true }
        return text(value, into: &out)
    }
}

/// The protocols that travel directly on IP.
enum TransportProtocol {
    /// The name in lower case; `nil` for a text that is none, in any case.
    static func name(_ text: ByteView) -> StaticString? {
        for index in names.indices where text.equalsIgnoringCase(names[index]) { return names[index] }
        return nil
    }

    /// IANA's registry of protocol numbers, preceded by the common ones, followed by the older names of the Unix tables.
    private static let names: [StaticString] = [
        "tcp", "udp", "icmp", "ipv6-icmp", "sctp", "gre", "esp", "ah", "igmp", "ospf",
        "hopopt", "ggp", "ipv4", "st", "cbt", "egp", "igp", "bbn-rcc-mon", "nvp-ii", "pup", "argus", "emcon", "xnet", "chaos",
        "mux", "dcn-meas", "hmp", "prm", "xns-idp", "trunk-1", "trunk-2", "leaf-1", "leaf-2", "rdp", "irtp", "iso-tp4", "netblt",
        "mfe-nsp", "merit-inp", "dccp", "3pc", "idpr", "xtp", "ddp", "idpr-cmtp", "tp++", "il", "ipv6", "sdrp", "ipv6-route",
        "ipv6-frag", "idrp", "rsvp", "dsr", "bna", "i-nlsp", "swipe", "narp", "min-ipv4", "mobile", "tlsp", "skip",
        "ipv6-nonxt", "ipv6-opts", "cftp", "sat-expak", "kryptolan", "rvd", "ippc", "sat-mon", "visa", "ipcv", "cpnx", "cphb",
        "wsn", "pvp", "br-sat-mon", "sun-nd", "wb-mon", "wb-expak", "iso-ip", "vmtp", "secure-vmtp", "vines", "ttp", "iptm",
        "nsfnet-igp", "dgp", "tcf", "eigrp", "ospfigp", "sprite-rpc", "larp", "mtp", "ax.25", "ipip", "micp", "scc-sp",
        "etherip", "encap", "gmtp", "ifmp", "pnni", "pim", "aris", "scps", "qnx", "a/n", "ipcomp", "snp", "compaq-peer",
        "ipx-in-ip", "vrrp", "pgm", "l2tp", "ddx", "iatp", "stp", "srp", "uti", "smp", "sm", "ptp", "isis", "fire", "crtp",
        "crudp", "sscopmce", "iplt", "sps", "pipe", "fc", "rsvp-e2e-ignore", "mobility", "udplite", "mpls-in-ip", "manet",
        "shim6", "wesp", "rohc", "ethernet", "aggfrag", "nsh",
        "ip", "ipencap", "st2", "bbn-rcc", "nvp", "dcn", "sep", "mhrp", "crdup", "divert", "hip",
    ]
}
