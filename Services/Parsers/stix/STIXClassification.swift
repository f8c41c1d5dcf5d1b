import IDF

/// How types of incidents are read out of STIX, in this order: the first that says something counts.
///
/// 1. labels and `indicator_types`: the operator's own words, then names of types (`phishing`, `c2-server`), then `words`;
/// 2. `infrastructure_types` of related infrastructure;
/// 3. phases of the kill chain;
/// 4. malware that the indicator's file is;
/// 5. `malicious-activity`, which says only that it is bad.
enum STIXClassification {
    /// Of the indicator type vocabulary and labels that are much used.
    private static let words: [String: String] = [
        "anonymization": "proxy", "anonymisation": "proxy", "vpn": "proxy", "tor-exit-node": "tor",
        "compromised": "system-compromise",
        "benign": "other", "anomalous-activity": "other", "attribution": "other", "botnet": "c2-server", "c2": "c2-server",
        "command-and-control": "c2-server", "malware-hosting": "malware-distribution", "malware-download": "malware-distribution",
        "bruteforce": "brute-force", "scanning": "scanner", "exploitation": "exploit", "dga": "dga-domain", "stealer": "malware",
    ]

    private static let infrastructure: [String: String] = [
        "amplification": "ddos-amplifier", "anonymization": "proxy", "botnet": "infected-system",
        "command-and-control": "c2-server",
        "exfiltration": "other", "hosting-malware": "malware-distribution", "phishing": "phishing", "reconnaissance": "scanner",
        "staging": "malware-distribution",
    ]

    private static let phases: [String: String] = [
        "reconnaissance": "scanner", "delivery": "malware-distribution", "exploitation": "exploit",
        "command-and-control": "c2-server",
    ]

    /// The type of incident.
    /// - Parameter own: the operator's words and what they mean.
    static func type(
        of object: JSONValue, _ related: [STIXContext.Related], isFile: @autoclosure () -> Bool, own: [String: String]
    ) -> String? {
        let texts = (object["indicator_types"]?.items ?? []) + (object["labels"]?.items ?? [])
        let found = texts.prefix(256).compactMap { $0.string?.lowercased() }
        for word in found {
            if let type = own[word] ?? ClassificationType(word)?.name ?? words[word], type != "undetermined" { return type }
        }
        for one in related where one.type == "infrastructure" {
            if let type = one.kinds.lazy.compactMap({ infrastructure[$0] }).first { return type }
        }
        for phase in object["kill_chain_phases"]?.items ?? [] {
            if let type = phases[phase["phase_name"]?.string ?? ""] { return type }
        }
        if related.contains(where: { $0.type == "malware" }), isFile() { return "malware" }
        return found.contains("malicious-activity") ? "blacklist" : nil
    }
}
