import Conditions
import IDF
import Logging
public import YAML

/// Reads a service's configuration, gathering everything that is wrong before it gives up.
public struct ConfigurationReader {
    let roster: Roster
    private var messages: [Diagnostic] = []
    /// Secrets that were put into the values; no message shows them.
    private var secrets: Set<String> = []
    private var readsSettings = true
    /// More messages help nobody, and each is laid out with its line.
    private static let messageLimit = 100

    /// A reader that knows these workers.
    public init(roster: Roster) { self.roster = roster }

    /// Reads the configuration file of one service.
    /// - Parameters:
    ///   - expected: the worker that the program was called as, if its name says so.
    ///   - settings: whether the settings are read, which opens what they name; without, the worker cannot work.
    public static func read(
        path: String, roster: Roster, expected: RosterEntry? = nil, settings: Bool = true
    ) throws(ConfigurationError) -> ServiceConfiguration {
        let document: YAMLDocument
        do { document = try YAMLDocument.read(path: path) } catch { throw ConfigurationError([error.diagnostic]) }
        return try read(document, roster: roster, expected: expected, settings: settings)
    }

    /// Reads a configuration that is already parsed.
    public static func read(
        _ document: YAMLDocument, roster: Roster, expected: RosterEntry? = nil, settings: Bool = true
    ) throws(ConfigurationError) -> ServiceConfiguration {
        var document = document
        if !settings, let pairs = document.root.pairs {
            let rest = pairs.filter { $0.key.string != "settings" }.map { ($0.key.string ?? "", $0.value) }
            document = document.replacing(root: .mapping(rest, at: document.root))
        }
        let (rendered, secrets) = try TemplateRenderer.render(document)
        var reader = ConfigurationReader(roster: roster)
        reader.readsSettings = settings
        reader.secrets = secrets
        let configuration = reader.service(rendered, rendered.root, expected: expected)
        guard let configuration, reader.messages.isEmpty else { throw ConfigurationError(reader.messages) }
        return configuration
    }

    private static let members = [
        "worker", "settings", "listen", "edges", "ack", "state", "limits", "log", "threads", "insecure", "overwrite",
        "keep-original", "encoding", "producer", "name", "control", "tokens", "tls", "statusd", "vars",
    ]

    private mutating func service(_ document: YAMLDocument, _ root: YAMLNode, expected: RosterEntry?) -> ServiceConfiguration? {
        guard let pairs = root.pairs else {
            note(
                document, "a configuration is a mapping: worker, settings, listen, edges …", root,
                "see a complete one: intelmq WORKER sample")
            return nil
        }
        var type = expected
        if let node = root["worker"] {
            let name = node.string ?? ""
            if let found = roster.worker(named: name) {
                type = found
                if let expected, expected.name != found.name {
                    note(document, "this file configures \(found.name), but \(expected.name) was called", node, nil)
                }
            } else {
                let near = nearest(name, in: roster.names).map { "did you mean \"\($0)\"?   (list them: intelmq list)" }
                note(document, "unknown worker \"\(name)\"", node, near ?? "list them: intelmq list")
            }
        }
        guard let type else {
            if messages.isEmpty {
                note(
                    document, "the configuration does not say which worker it is for", root,
                    "add a line like: worker: asn-lookup-expert")
            }
            return nil
        }
        let file = document.file.split(separator: "/").last.map(String.init) ?? type.name
        let base = file.hasSuffix(".yaml") ? String(file.dropLast(5)) : type.name
        var configuration = ServiceConfiguration(type, name: base)
        for (key, value) in pairs {
            read(document, key, value, &configuration)
        }
        if readsSettings { apply(document, root["settings"], to: configuration, at: root) }
        for edge in configuration.edges where edge.token != nil && edge.to.hasPrefix("http://") && !configuration.isInsecure {
            guard !Self.isLocal(String(edge.to.dropFirst(7))), let node = root["edges"] else { continue }
            note(
                document, "the token of the edge \(edge.name) would travel readable for everybody on the way", node,
                "use https://, or say insecure: true if something else protects this way")
        }
        configuration.edition = root.flow.hashValue
        configuration.settingsEdition = root["settings"]?.flow.hashValue ?? 0
        for (key, value) in root["settings"]?.pairs ?? [] where value.holdsSecret {
            configuration.maskedSettings[key.string ?? ""] = value.maskedFlow
        }
        let isGuarded = !configuration.tokens.isEmpty || configuration.tls?.clientAuthority != nil || configuration.isInsecure
        for (listen, node) in [
            (configuration.listen, root["listen"]), (configuration.statusd.listen, root["statusd"]?["listen"]),
        ] {
            guard let listen, let node, !isGuarded, !Self.isLocal(listen) else { continue }
            note(
                document, "listening on \(listen) opens a door to the network without authentication", node,
                "add tokens: or tls: with client-ca:, or listen on 127.0.0.1 or a Unix socket, or say insecure: true if something else guards this address"
            )
        }
        return configuration
    }

    /// Whether an address is of this machine alone.
    package static func isLocal(_ listen: String) -> Bool {
        listen.hasPrefix("unix:") || listen.hasPrefix("127.") || listen.hasPrefix("[::1]") || listen.hasPrefix("localhost:")
    }

    private mutating func read(
        _ document: YAMLDocument, _ key: YAMLNode, _ value: YAMLNode, _ configuration: inout ServiceConfiguration
    ) {
        let name = key.string ?? ""
        do throws(SettingProblem) {
            switch name {
            case "worker": break
            case "vars":
                guard value.isNull || value.pairs != nil else { throw wanted("a mapping of names to values", value) }
            case "settings":
                guard value.isNull || value.pairs != nil else { throw wanted("a mapping of setting names to values", value) }
            case "name": configuration.name = try String(setting: value)
            case "listen": configuration.listen = try Self.address(value)
            case "control": configuration.control = try String(setting: value)
            case "tokens":
                guard let items = value.array else { throw wanted("a list like [{file: /run/secrets/x, roles: [data]}]", value) }
                for item in items { configuration.tokens.append(try AccessToken(setting: item)) }
            case "tls": configuration.tls = try TLSConfiguration(setting: value)
            case "statusd": configuration.statusd = try statusd(document, value)
            case "edges": configuration.edges = try edges(document, value)
            case "ack":
                guard let mode = value.string.flatMap({ AckMode(rawValue: $0) }) else { throw wanted("relay or durable", value) }
                configuration.ack = mode
            case "state": configuration.state = try String(setting: value)
            case "threads":
                configuration.threads = try Int(setting: value)
                guard (1...256).contains(configuration.threads) else { throw wanted("a number from 1 to 256", value) }
            case "insecure": configuration.isInsecure = try Bool(setting: value)
            case "overwrite": configuration.overwrite = try Bool(setting: value)
            case "encoding": configuration.encoding = try Encoding(setting: value)
            case "keep-original": configuration.keepsOriginal = try Bool(setting: value)
            case "producer": configuration.producer = try String(setting: value)
            case "limits":
                guard value.isNull || value.pairs != nil else { throw wanted("a mapping like {body: 16 MiB}", value) }
                limits(document, value, &configuration.limits)
            case "log":
                guard value.isNull || value.pairs != nil else {
                    throw wanted("a mapping like {level: info, format: json}", value)
                }
                for (key, value) in value.pairs ?? [] {
                    switch key.string {
                    case "level":
                        guard let level = value.string.flatMap({ Logger.Level(rawValue: $0) }) else {
                            throw wanted("one of trace, debug, info, notice, warning, error, critical", value)
                        }
                        configuration.logLevel = level
                    case "format": configuration.logFormat = try LogFormat(setting: value)
                    default: unknown(document, key, ["level", "format"], "in \"log\"")
                    }
                }
            default: unknown(document, key, Self.members, "in the configuration")
            }
        } catch {
            note(document, "\(name): \(error.message)", error.node ?? value, error.help)
        }
    }

    private mutating func edges(_ document: YAMLDocument, _ value: YAMLNode) throws(SettingProblem) -> [EdgeConfiguration] {
        guard let items = value.array else { throw wanted("a list like [{to: \"http://127.0.0.1:8081\"}]", value) }
        var edges: [EdgeConfiguration] = []
        for item in items {
            let node = item["to"] ?? item
            guard let to = node.string, ["http://", "https://", "file:///", "stdout:"].contains(where: to.hasPrefix) else {
                throw wanted("a target beginning with http://, https://, file:/// or stdout:", node)
            }
            let members = ["to", "name", "token", "ca", "when", "tlp-max", "on", "share", "ending"]
            for (key, _) in item.pairs ?? [] where !members.contains(key.string ?? "") {
                unknown(document, key, members, "in an edge")
            }
            var edge = EdgeConfiguration(to: to, name: item["name"]?.string)
            if let token = item["token"] { edge.token = try SecretFile(setting: token["file"] ?? token) }
            edge.filter = try Self.filter(item)
            if edge.filter?.share != nil, edge.name.contains(where: { ",\"\\".contains($0) }) {
                throw SettingProblem(
                    "an edge that takes turns is named without commas and quotes, found \"\(edge.name)\"", at: item)
            }
            if let ending = item["ending"] { edge.isEnding = try Bool(setting: ending) }
            if let authority = item["ca"] { edge.authority = try String(setting: authority) }
            guard !edges.contains(where: { $0.name == edge.name }) else {
                throw SettingProblem("two edges are named \"\(edge.name)\"", help: "give one a name: of its own", at: item)
            }
            edges.append(edge)
        }
        return try Self.routed(edges, value)
    }

    /// Makes edges without a path leave the packets of paths to the others.
    private static func routed(_ edges: [EdgeConfiguration], _ value: YAMLNode) throws(SettingProblem) -> [EdgeConfiguration] {
        var edges = edges
        let hasPaths = edges.contains { $0.filter?.on != nil }
        if hasPaths, edges.allSatisfy({ $0.filter?.on != nil || $0.isEnding }) {
            throw SettingProblem("every edge is for a named path (on:); all other events would go nowhere", at: value)
        }
        for index in edges.indices where hasPaths && edges[index].filter == nil { edges[index].filter = EdgeFilter() }
        return edges
    }

    private static func filter(_ edge: YAMLNode) throws(SettingProblem) -> EdgeFilter? {
        var filter = EdgeFilter()
        if let node = edge["when"] {
            do throws(ConditionError) { filter.when = try Condition(node.string ?? "") } catch {
                let place = String(error.text.utf8.prefix(error.range.lowerBound)) ?? ""
                throw SettingProblem("when: \(error.message), behind \"\(place.suffix(40))\"", help: error.help, at: node)
            }
        }
        if let node = edge["tlp-max"] {
            guard let label = node.string.flatMap({ EdgeFilter.TLP($0) }) else {
                throw wanted("a label of the Traffic Light Protocol: clear, green, amber, amber+strict, red", node)
            }
            filter.ceiling = label
        }
        if let node = edge["on"] {
            let name = node.string ?? ""
            guard name == EdgeFilter.error || name.hasPrefix("path:") && isName(name.dropFirst(5)) else {
                throw wanted("error (events that cannot be processed), or path:NAME with a-z, 0-9 and -", node)
            }
            filter.on = name
        }
        if let node = edge["share"] {
            guard let group = node.string, isName(group) else { throw wanted("the name of a group: a-z, 0-9 and -", node) }
            filter.share = group
        }
        return filter == EdgeFilter() ? nil : filter
    }

    /// Whether a text is a name of a node, a path or a group: a-z, 0-9 and -.
    package static func isName(_ text: some StringProtocol) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { $0 == 0x2D || $0 >= 0x61 && $0 <= 0x7A || $0 >= 0x30 && $0 <= 0x39 }
    }

    private static func address(_ value: YAMLNode) throws(SettingProblem) -> String {
        let text = try String(setting: value)
        guard text.hasPrefix("unix:/") || text.split(separator: ":").last.flatMap({ UInt16($0) }) != nil else {
            throw wanted("address:port like 127.0.0.1:8080, or unix:/run/intelmq/x.sock", value)
        }
        return text
    }

    private mutating func statusd(_ document: YAMLDocument, _ value: YAMLNode) throws(SettingProblem) -> StatusDaemonConfiguration
    {
        guard let pairs = value.pairs else { throw wanted("a mapping like {listen: 127.0.0.1:9080, processes: 2}", value) }
        var configuration = StatusDaemonConfiguration()
        for (key, value) in pairs {
            switch key.string {
            case "listen": configuration.listen = try Self.address(value)
            case "processes":
                configuration.processes = try Int(setting: value)
                guard (1...256).contains(configuration.processes) else { throw wanted("a number from 1 to 256", value) }
            default: unknown(document, key, ["listen", "processes"], "in \"statusd\"")
            }
        }
        return configuration
    }

    private mutating func limits(_ document: YAMLDocument, _ value: YAMLNode, _ limits: inout ServiceConfiguration.Limits) {
        for (key, value) in value.pairs ?? [] {
            do {
                switch key.string {
                case "body": limits.body = try ByteCount(setting: value)
                case "report": limits.report = try ByteCount(setting: value)
                case "events": limits.events = try count(value)
                case "spool": limits.spool = try ByteCount(setting: value)
                case "batch": limits.batch = try count(value)
                case "in-flight": limits.inFlight = try count(value)
                case "connections": limits.connections = try count(value)
                case "timeout": limits.timeout = try Interval(setting: value)
                case "idle": limits.idle = try Interval(setting: value)
                case "drain": limits.drain = try Interval(setting: value)
                default:
                    unknown(
                        document, key,
                        ["body", "report", "events", "spool", "batch", "in-flight", "connections", "timeout", "idle", "drain"],
                        "in \"limits\"")
                }
            } catch {
                note(document, "\(key.string ?? ""): \(error.message)", error.node ?? value, error.help)
            }
        }
    }

    private func count(_ node: YAMLNode) throws(SettingProblem) -> Int {
        let value = try Int(setting: node)
        guard value > 0 else { throw wanted("a number above 0", node) }
        return value
    }

    /// Sets the settings of a worker from a mapping; what is missing or unknown is noted.
    private mutating func apply(
        _ document: YAMLDocument, _ node: YAMLNode?, to configuration: ServiceConfiguration, at root: YAMLNode
    ) {
        let settings = NamedSetting.all(of: configuration.worker)
        let name = configuration.entry.name
        for (key, value) in node?.pairs ?? [] {
            guard let setting = settings.first(where: { $0.name == key.string }) else {
                let near = nearest(key.string ?? "", in: settings.map(\.name)).map { "did you mean \"\($0)\"?   " } ?? ""
                note(
                    document, "unknown setting \"\(key.string ?? "")\" in worker \"\(configuration.entry.spec.name)\"", key,
                    near + "(list them: intelmq \(name) sample)")
                continue
            }
            do {
                try setting.slot.set(value)
            } catch {
                let error = value.holdsSecret ? error.without(secrets) : error
                note(document, "setting \"\(setting.name)\": \(error.message)", error.node ?? value, error.help)
            }
        }
        for setting in settings where setting.isRequired && node?[setting.name] == nil {
            let line = "\(setting.name): \(setting.slot.example.map(yamlExample) ?? "…")"
            note(
                document, "worker \"\(name)\" needs the setting \"\(setting.name)\": \(setting.slot.summary)", node ?? root,
                "add below settings:  \(line)")
        }
    }

    private mutating func unknown(_ document: YAMLDocument, _ key: YAMLNode, _ known: [String], _ place: String) {
        let near = nearest(key.string ?? "", in: known).map { "did you mean \"\($0)\"?" }
        note(
            document, "unknown member \"\(key.string ?? "")\" \(place)", key,
            near ?? "known are: \(known.joined(separator: ", "))")
    }

    private mutating func note(_ document: YAMLDocument, _ message: String, _ node: YAMLNode, _ help: String?) {
        switch messages.count {
        case ..<Self.messageLimit: messages.append(document.diagnostic(message, at: node, help: help))
        case Self.messageLimit: messages.append("error: more is wrong in \(document.file) than these \(Self.messageLimit) places")
        default: break
        }
    }
}
