import IDF

extension N6 {
    /// A category: the classification it becomes, and the identifier that tells it from others of the same type.
    struct Category {
        let type: String
        var identifier: String?
        /// Whether the address is a client, so that the name and the port are those of the other end.
        var isClient = false
        /// Whether the name is that of a malware.
        var namesMalware = false
    }

    static let categories: [String: Category] = [
        "amplifier": Category(type: "ddos-amplifier"), "backdoor": Category(type: "system-compromise"),
        "bots": Category(type: "infected-system", isClient: true, namesMalware: true),
        "cnc": Category(type: "c2-server", namesMalware: true),
        "deface": Category(type: "unauthorised-information-modification"), "dns-query": Category(type: "other", isClient: true),
        "dos-attacker": Category(type: "ddos", isClient: true), "dos-victim": Category(type: "ddos", identifier: "dos-victim"),
        "exposed": Category(type: "potentially-unwanted-accessible"),
        "flow": Category(type: "other", identifier: "flow", isClient: true),
        "flow-anomaly": Category(type: "other", identifier: "flow-anomaly", isClient: true),
        "fraud": Category(type: "masquerade", identifier: "fraud"), "leak": Category(type: "data-leak"),
        "malurl": Category(type: "malware-distribution"),
        "malware-action": Category(type: "malware-configuration", namesMalware: true), "other": Category(type: "other"),
        "phish": Category(type: "phishing"), "proxy": Category(type: "proxy"),
        "sandbox-url": Category(type: "malware", identifier: "sandbox-url"),
        "scam": Category(type: "masquerade", identifier: "scam"), "scanning": Category(type: "scanner", isClient: true),
        "server-exploit": Category(type: "exploit", isClient: true), "spam": Category(type: "spam", isClient: true),
        "spam-url": Category(type: "spam", identifier: "spam-url"), "tor": Category(type: "tor"),
        "vulnerable": Category(type: "vulnerable-system"),
        "webinject": Category(type: "malware-configuration", identifier: "webinject", namesMalware: true),
    ]

    /// The category of a type, where no identifier says more.
    static let categoryOfType: [String: String] = [
        "ddos-amplifier": "amplifier", "system-compromise": "backdoor", "privileged-account-compromise": "backdoor",
        "unprivileged-account-compromise": "backdoor", "application-compromise": "backdoor", "infected-system": "bots",
        "c2-server": "cnc", "unauthorised-information-modification": "deface", "ddos": "dos-attacker", "dos": "dos-attacker",
        "potentially-unwanted-accessible": "exposed", "masquerade": "fraud", "copyright": "fraud",
        "unauthorized-use-of-resources": "fraud", "data-leak": "leak", "data-loss": "leak", "malware-distribution": "malurl",
        "malware-configuration": "malware-action", "phishing": "phish", "proxy": "proxy", "malware": "sandbox-url",
        "scanner": "scanning", "exploit": "server-exploit", "brute-force": "server-exploit", "ids-alert": "server-exploit",
        "spam": "spam", "tor": "tor", "vulnerable-system": "vulnerable", "weak-crypto": "vulnerable",
        "information-disclosure": "vulnerable",
    ]

    /// Keys that are one field each, whatever the category, with the greatest length that n6 takes.
    static let columns: [(key: String, field: StaticString, limit: Int)] = [
        ("dip", "destination.ip", 15), ("proto", "network.transport", 4), ("url", "url.full", 2048),
        ("md5", "file.hash.md5", 32), ("sha1", "file.hash.sha1", 40), ("sha256", "file.hash.sha256", 64),
        ("target", "intelmq.event_description.target", 100), ("origin", "observer.type", 32),
        ("ip_network", "source.network", 18), ("email", "source.user.email", 254), ("filename", "file.name", 3000),
        ("description", "message", 3000), ("action", "event.action", 32), ("user_agent", "user_agent.original", 3000),
        ("referer", "http.request.referrer", 3000), ("method", "http.request.method", 3000),
        ("x509fp_sha1", "tls.server.hash.sha1", 40), ("mac_address", "source.mac", 3000),
        ("vendor", "package.vendor", 3000), ("product", "package.name", 3000), ("version", "package.version", 3000),
        ("internal_ip", "source.local_ip", 3000), ("misp_event_uuid", "misp.event_uuid", 36),
        ("misp_attr_uuid", "misp.attribute_uuid", 36),
    ]

    /// The words of keys that have few.
    static let words: [String: Set<String>] = [
        "proto": ["tcp", "udp", "icmp"],
        "origin": [
            "c2", "dropzone", "proxy", "p2p-crawler", "p2p-drone", "sinkhole", "sandbox", "honeypot", "darknet", "av", "ids",
            "waf",
        ],
    ]

    /// Keys that are lists of texts.
    static let lists: [(key: String, field: StaticString, limit: Int)] = [
        ("client", "organization.id", 32), ("tags", "tags", 3000),
    ]

    /// Keys that are times.
    static let times: Set<String> = ["time", "modified", "until", "expires"]

    /// Keys that are always kept as they came, because what they say decides how the rest is read, or is an identity.
    static let verbatim = ["category", "id", "rid", "source", "restriction", "name"]
}
