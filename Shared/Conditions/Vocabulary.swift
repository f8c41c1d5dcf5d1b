import IDF

/// What is known of names and values beside the types of the fields.
enum Vocabulary {
    static let keywords = ["and", "or", "not", "in", "contains", "starts", "ends", "matches", "exists"]

    /// What the same means in languages that look like this one.
    static let foreign: [String: String] = [
        "=": "==", "===": "==", "<>": "!=", "&&": "and", "&": "and", "||": "or", "|": "or", "!": "not", "~": "matches",
        "=~": "matches", "!~": "not … matches", "~=": "matches", "<<": "in", "like": "contains", "like~": "contains",
        "has": "contains",
        "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "is": "==", "regex": "matches",
        "wildcard": "matches",
        "{": "[", "}": "]", "startswith": "starts with", "endswith": "ends with",
    ]

    /// All values a field may have, where they are few; nil elsewhere.
    static func values(of field: FieldID) -> [String]? {
        switch field.type {
        case .registry: ["AFRINIC", "APNIC", "ARIN", "LACNIC", "RIPE"]
        case .taxonomy: TaxonomyClass.allCases.map(\.rawValue)
        case .classification: ClassificationType.all.map(\.name)
        case .tlp: ["CLEAR", "WHITE", "GREEN", "AMBER", "AMBER+STRICT", "RED"]
        default: listed[field.name]
        }
    }

    /// Texts for which a standard says what there is: the categorization fields as ECS 9.4.0 (`Packet.ecsVersion`) lists their allowed
    /// values, <https://www.elastic.co/docs/reference/ecs/ecs-category-field-values-reference>, and IntelMQ's severity. ECS lists expected
    /// values, too, as for `network.direction`; others may stand there.
    private static let listed: [String: [String]] = [
        "event.kind": ["alert", "asset", "enrichment", "event", "metric", "state", "pipeline_error", "signal"],
        "event.category": [
            "api", "authentication", "configuration", "database", "driver", "email", "file", "host", "iam", "intrusion_detection",
            "library", "malware", "network", "package", "process", "registry", "session", "threat", "vulnerability", "web",
        ],
        "event.type": [
            "access", "admin", "allowed", "change", "connection", "creation", "deletion", "denied", "device", "end", "error",
            "group", "indicator", "info", "installation", "protocol", "start", "user",
        ],
        "intelmq.severity": ["critical", "high", "medium", "low", "info", "undefined"],
    ]

    /// What to write instead of a word that is no field.
    static func suggestion(for name: String) -> String? {
        if name.hasPrefix("extra."), name.utf8.count > 6 { return "in IDF it is custom.\(name.dropFirst(6))" }
        if let field = DHO.field(name) { return "in IDF it is \(field.name)" }
        if let place = name.firstIndex(of: ":"), FieldID(name[..<place]) != nil {
            let value = name[name.index(after: place)...]
            let shown = value.isEmpty ? "…" : Literal(word: String(value))?.description ?? Literal.quoted(String(value))
            return "write \(name[..<place]) == \(shown)"
        }
        if name == "custom" || name == "custom." { return "name a member, as custom.colour" }
        let names = Field.all.map(\.name)
        let ends = names.filter { $0.hasSuffix("." + name) || $0.hasPrefix(name + ".") }
        if !ends.isEmpty {
            return "did you mean \(ends.prefix(2).joined(separator: " or "))?"
        }
        return nearest(name, in: names).map { "did you mean \($0)?" }
    }
}

/// How the values of a field may be compared.
enum Kind {
    case text, number, boolean, ip, network, time, json

    init(_ type: FieldType) {
        self =
            switch type {
            case .ip: .ip
            case .network: .network
            case .time: .time
            case .json: .json
            default:
                switch type.jsonKind {
                case .number: .number
                case .boolean: .boolean
                default: .text
                }
            }
    }

    /// What they are, for messages.
    var word: String {
        switch self {
        case .text: "a text"
        case .number: "a number"
        case .boolean: "true or false"
        case .ip: "an address"
        case .network: "a network"
        case .time: "a time"
        case .json: "any JSON"
        }
    }
}
