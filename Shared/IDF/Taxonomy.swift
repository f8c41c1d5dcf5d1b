/// A type of incident: the Reference Security Incident Taxonomy (RSIT, version 1003) and what IntelMQ adds to it.
///
/// Names are IntelMQ's; the only one that RSIT spells otherwise is `unauthorized-use-of-resources`.
public struct ClassificationType: Hashable, Sendable {
    /// Position in `all`.
    let index: UInt8

    /// All types, class by class in the order of RSIT, then those of IntelMQ's own.
    public static let all: [ClassificationType] = rows.indices.map { ClassificationType(index: UInt8($0)) }

    /// Reads the name of a type in any case, as IntelMQ or RSIT spell it, or one of the older names (`c&c`, `botnet drone`).
    /// Blanks around it do no harm. `nil` for any other text.
    public init?(_ text: ByteView) {
        guard let found = ClassificationType.find(text.trimmed()) else { return nil }
        self = found
    }

    /// Reads the name of a type as `init(_: ByteView)` does.
    public init?(_ text: some StringProtocol) {
        var copy = String(text)
        guard let found = copy.withUTF8({ ClassificationType($0) }) else { return nil }
        self = found
    }

    /// The name, `c2-server`.
    public var name: String { nameText.description }
    /// The name for people, `C2 Server`.
    public var title: String { row.title.description }
    /// The class the type belongs to.
    public var taxonomy: TaxonomyClass { row.taxonomy }
    /// True for types of RSIT, false for the five that only IntelMQ has.
    public var isRSIT: Bool { Int(index) < ClassificationType.rsitCount }
    /// The name as RSIT spells it.
    public var rsitName: String { nameText == "unauthorized-use-of-resources" ? "unauthorised-use-of-resources" : name }
    /// The MISP machine tag, `rsit:malicious-code="c2-server"`; `nil` for types of IntelMQ's own.
    public var machineTag: String? { isRSIT ? "rsit:\(taxonomy.rawValue)=\"\(rsitName)\"" : nil }
    /// ECS `event.kind`: alert, enrichment, state or event.
    public var eventKind: String { ClassificationType.words[Int(index)].kind }
    /// ECS `event.category`, none to two values.
    public var eventCategories: [String] { ClassificationType.words[Int(index)].categories }
    /// ECS `event.type`: info or indicator; `nil` where none fits.
    public var eventType: String? { ClassificationType.words[Int(index)].type }
    /// The category of IDEA, `Intrusion.Botnet`.
    public var ideaCategory: String { row.idea.description }

    init(index: UInt8) {
        self.index = index
    }

    var nameText: StaticString { row.name }

    private var row: Row { ClassificationType.rows[Int(index)] }

    private static let rsitCount = 39

    /// The ECS words as strings, made once: the taxonomy expert asks for them with every event.
    private static let words: [(kind: String, categories: [String], type: String?)] = rows.map { row in
        let type = row.type.description
        return (row.kind.description, row.category.description.split(separator: "|").map(String.init), type.isEmpty ? nil : type)
    }

    static func find(_ text: ByteView) -> ClassificationType? {
        if text.count < byLength.count {
            for index in byLength[text.count] where text.equalsIgnoringCase(rows[index].name) {
                return ClassificationType(index: UInt8(index))
            }
        }
        for index in legacy.indices where text.equalsIgnoringCase(legacy[index].old) {
            let name = legacy[index].new
            return ClassificationType(ByteView(start: name.utf8Start, count: name.utf8CodeUnitCount))
        }
        return nil
    }

    /// The places of the names of each length: every event is asked for one at every hop.
    private static let byLength: [[Int]] = {
        let lengths = rows.map(\.name.utf8CodeUnitCount)
        return (0...(lengths.max() ?? 0)).map { length in rows.indices.filter { lengths[$0] == length } }
    }()

    private struct Row: Sendable {
        var taxonomy: TaxonomyClass
        var name: StaticString
        var title: StaticString
        var kind: StaticString
        var category: StaticString
        var type: StaticString
        var idea: StaticString

        init(
            _ taxonomy: TaxonomyClass, _ name: StaticString, _ title: StaticString, _ kind: StaticString,
            _ category: StaticString, _ type: StaticString, _ idea: StaticString
        ) {
            self.taxonomy = taxonomy
            self.name = name
            self.title = title
            self.kind = kind
            self.category = category
            self.type = type
            self.idea = idea
        }
    }

    /// Class, name, title; ECS event.kind, event.category, event.type; IDEA category.
    private static let rows: [Row] = [
        Row(.abusiveContent, "spam", "Spam", "alert", "email", "info", "Abusive.Spam"),
        Row(.abusiveContent, "harmful-speech", "Harmful Speech", "alert", "", "", "Abusive.Harassment"),
        Row(
            .abusiveContent, "violence", "(Child) Sexual Exploitation/Sexual/Violent Content",
            "alert", "", "", "Abusive.Violence"),
        Row(.maliciousCode, "infected-system", "Infected System", "alert", "malware", "info", "Malware"),
        Row(.maliciousCode, "c2-server", "C2 Server", "enrichment", "threat", "indicator", "Intrusion.Botnet"),
        Row(.maliciousCode, "malware-distribution", "Malware Distribution", "enrichment", "threat", "indicator", "Malware"),
        Row(.maliciousCode, "malware-configuration", "Malware Configuration", "enrichment", "threat", "indicator", "Malware"),
        Row(.informationGathering, "scanner", "Scanning", "alert", "intrusion_detection|network", "info", "Recon.Scanning"),
        Row(.informationGathering, "sniffing", "Sniffing", "alert", "network", "info", "Recon.Sniffing"),
        Row(.informationGathering, "social-engineering", "Social Engineering", "alert", "", "", "Recon.SocialEngineering"),
        Row(
            .intrusionAttempts, "ids-alert", "Exploitation of Known Vulnerabilities",
            "alert", "intrusion_detection", "info", "Attempt.Exploit"),
        Row(
            .intrusionAttempts, "brute-force", "Login Attempts",
            "alert", "authentication|intrusion_detection", "info", "Attempt.Login"),
        Row(.intrusionAttempts, "exploit", "New Attack Signature", "alert", "intrusion_detection", "info", "Attempt.Exploit"),
        Row(
            .intrusions, "privileged-account-compromise", "Privileged Account Compromise",
            "alert", "iam|intrusion_detection", "info", "Intrusion.AdminCompromise"),
        Row(
            .intrusions, "unprivileged-account-compromise", "Unprivileged Account Compromise",
            "alert", "iam|intrusion_detection", "info", "Intrusion.UserCompromise"),
        Row(
            .intrusions, "application-compromise", "Application Compromise",
            "alert", "intrusion_detection", "info", "Intrusion.AppCompromise"),
        Row(
            .intrusions, "system-compromise", "System Compromise",
            "alert", "intrusion_detection", "info", "Intrusion.AdminCompromise"),
        Row(.intrusions, "burglary", "Burglary", "alert", "", "", "Intrusion"),
        Row(.availability, "dos", "Denial of Service", "alert", "network", "info", "Availability.DoS"),
        Row(.availability, "ddos", "Distributed Denial of Service", "alert", "network", "info", "Availability.DDoS"),
        Row(.availability, "misconfiguration", "Misconfiguration", "state", "configuration", "info", "Availability.Outage"),
        Row(.availability, "sabotage", "Sabotage", "alert", "host", "info", "Availability.Sabotage"),
        Row(.availability, "outage", "Outage", "state", "host", "info", "Availability.Outage"),
        Row(
            .informationContentSecurity, "unauthorised-information-access", "Unauthorised Access to Information",
            "alert", "intrusion_detection", "info", "Information.UnauthorizedAccess"),
        Row(
            .informationContentSecurity, "unauthorised-information-modification", "Unauthorised Modification of Information",
            "alert", "intrusion_detection|web", "info", "Information.UnauthorizedModification"),
        Row(.informationContentSecurity, "data-loss", "Data Loss", "alert", "", "", "Information"),
        Row(.informationContentSecurity, "data-leak", "Leak of Confidential Information", "alert", "", "", "Information"),
        Row(.fraud, "unauthorized-use-of-resources", "Unauthorised Use of Resources", "alert", "", "", "Fraud.UnauthorizedUsage"),
        Row(.fraud, "copyright", "Copyright", "alert", "", "", "Fraud.Copyright"),
        Row(.fraud, "masquerade", "Masquerade", "alert", "", "", "Fraud.Scam"),
        Row(.fraud, "phishing", "Phishing", "enrichment", "threat", "indicator", "Fraud.Phishing"),
        Row(.vulnerable, "weak-crypto", "Weak Cryptography", "state", "vulnerability", "info", "Vulnerable.Config"),
        Row(.vulnerable, "ddos-amplifier", "DDoS Amplifier", "state", "vulnerability", "info", "Intrusion.Botnet"),
        Row(
            .vulnerable, "potentially-unwanted-accessible", "Potentially Unwanted Accessible Services",
            "state", "vulnerability", "info", "Vulnerable.Open"),
        Row(
            .vulnerable, "information-disclosure", "Information Disclosure",
            "state", "vulnerability", "info", "Information.UnauthorizedAccess"),
        Row(.vulnerable, "vulnerable-system", "Vulnerable System", "state", "vulnerability", "info", "Vulnerable.Config"),
        Row(.other, "other", "Uncategorised", "event", "", "", "Other"),
        Row(.other, "undetermined", "Undetermined", "event", "", "", "Other"),
        Row(.test, "test", "Test", "event", "", "", "Test"),
        Row(.other, "blacklist", "Blacklist", "enrichment", "threat", "indicator", "Other"),
        Row(.other, "dga-domain", "DGA Domain", "enrichment", "threat", "indicator", "Anomaly.Behaviour"),
        Row(.other, "malware", "Malware", "enrichment", "threat", "indicator", "Malware"),
        Row(.other, "proxy", "Proxy", "enrichment", "threat", "indicator", "Vulnerable.Config"),
        Row(.other, "tor", "Tor Node", "enrichment", "threat", "indicator", "Other"),
    ]

    /// Names of earlier versions, the spelling of RSIT where it differs, and what they are now.
    private static let legacy: [(old: StaticString, new: StaticString)] = [
        ("unauthorised-use-of-resources", "unauthorized-use-of-resources"),
        ("botnet drone", "infected-system"), ("infected system", "infected-system"), ("ransomware", "infected-system"),
        ("ids alert", "ids-alert"), ("c&c", "c2-server"), ("c2server", "c2-server"),
        ("malware configuration", "malware-configuration"), ("leak", "data-leak"),
        ("vulnerable client", "vulnerable-system"), ("vulnerable service", "vulnerable-system"),
        ("unknown", "undetermined"), ("dga domain", "dga-domain"),
        ("unauthorized-login", "system-compromise"), ("unauthorized-command", "system-compromise"),
        ("compromised", "system-compromise"), ("backdoor", "system-compromise"),
        ("defacement", "unauthorised-information-modification"), ("dropzone", "other"),
    ]
}

extension StaticString {
    static func == (left: StaticString, right: StaticString) -> Bool {
        ByteView(start: left.utf8Start, count: left.utf8CodeUnitCount).equals(right)
    }
}

/// A class of the taxonomy; raw values are the names.
public enum TaxonomyClass: String, Sendable, CaseIterable {
    /// Abusive Content.
    case abusiveContent = "abusive-content"
    /// Malicious Code.
    case maliciousCode = "malicious-code"
    /// Information Gathering.
    case informationGathering = "information-gathering"
    /// Intrusion Attempts.
    case intrusionAttempts = "intrusion-attempts"
    /// Intrusions.
    case intrusions
    /// Availability.
    case availability
    /// Information Content Security.
    case informationContentSecurity = "information-content-security"
    /// Fraud.
    case fraud
    /// Vulnerable.
    case vulnerable
    /// Other.
    case other
    /// Test.
    case test

    /// Reads the name of a class in any case, also with blanks for the hyphens where earlier versions had them.
    /// Blanks around it do no harm. `nil` for any other text.
    public init?(_ text: ByteView) {
        let trimmed = text.trimmed()
        for index in TaxonomyClass.names.indices where trimmed.equalsIgnoringCase(TaxonomyClass.names[index].name) {
            self = TaxonomyClass.names[index].taxonomy
            return
        }
        return nil
    }

    /// The types of this class.
    public var types: [ClassificationType] { ClassificationType.all.filter { $0.taxonomy == self } }

    var nameText: StaticString {
        switch self {
        case .abusiveContent: "abusive-content"
        case .maliciousCode: "malicious-code"
        case .informationGathering: "information-gathering"
        case .intrusionAttempts: "intrusion-attempts"
        case .intrusions: "intrusions"
        case .availability: "availability"
        case .informationContentSecurity: "information-content-security"
        case .fraud: "fraud"
        case .vulnerable: "vulnerable"
        case .other: "other"
        case .test: "test"
        }
    }

    private static let names: [(name: StaticString, taxonomy: TaxonomyClass)] =
        allCases.map { ($0.nameText, $0) } + [
            ("abusive content", .abusiveContent), ("information gathering", .informationGathering),
            ("intrusion attempts", .intrusionAttempts), ("malicious code", .maliciousCode),
        ]
}
