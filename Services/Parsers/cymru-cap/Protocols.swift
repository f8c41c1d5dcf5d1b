/// Names of IANA's protocol numbers that reports show.
enum Protocols {
    private static let first = [
        "hopopt", "icmp", "igmp", "ggp", "ipv4", "st", "tcp", "cbt", "egp", "igp", "bbn-rcc-mon", "nvp-ii", "pup", "argus",
        "emcon",
        "xnet", "chaos", "udp", "mux", "dcn-meas", "hmp", "prm", "xns-idp", "trunk-1", "trunk-2", "leaf-1", "leaf-2", "rdp",
        "irtp", "iso-tp4", "netblt", "mfe-nsp", "merit-inp", "dccp", "3pc", "idpr", "xtp", "ddp", "idpr-cmtp", "tp++", "il",
        "ipv6", "sdrp", "ipv6-route", "ipv6-frag", "idrp", "rsvp", "gre", "dsr", "bna", "esp", "ah", "i-nlsp", "swipe", "narp",
        "mobile", "tlsp", "skip", "ipv6-icmp", "ipv6-nonxt", "ipv6-opts",
    ]
    private static let later = [
        88: "eigrp", 94: "ipip", 97: "etherip", 98: "encap", 103: "pim", 108: "ipcomp", 112: "vrrp", 115: "l2tp", 132: "sctp",
        136: "udplite",
    ]

    static func name(_ text: String) -> String? {
        guard let number = Int(text) else { return nil }
        return first.indices.contains(number) ? first[number] : later[number]
    }
}
