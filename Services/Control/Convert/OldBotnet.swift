import IDF
import ServiceKernel
import YAML

/// The configuration of an IntelMQ: `runtime.yaml` of 3.x, or `runtime.conf`, `pipeline.conf` and `defaults.conf` of 2.x.
struct OldBotnet {
    struct Bot {
        let id: String
        let module: String
        let description: String
        let isEnabled: Bool
        let isScheduled: Bool
        let parameters: [JSONValue.Member]
        let sourceQueue: String
        /// Queues by the path that leads to them.
        var destinations: [(path: String, queues: [String])]
        let isBalanced: Bool
    }

    private(set) var bots: [Bot] = []
    /// Parameters of all bots.
    private(set) var common: [JSONValue.Member] = []
    private(set) var notes: [ConversionNote] = []
    private var messages: [Diagnostic] = []
    private static let members = [
        "bot_id", "name", "group", "groupname", "module", "description", "enabled", "run_mode", "parameters",
        "destination_queues",
        "source_queue",
    ]

    /// Reads the files; those that are no such configuration are refused with the place.
    init(runtime: YAMLDocument, pipeline: YAMLDocument?, defaults: YAMLDocument?) throws(ConfigurationError) {
        for document in [runtime, pipeline, defaults].compactMap({ $0 }) where document.root.pairs == nil {
            note(document, "a configuration of IntelMQ is a mapping of bots or parameters", document.root, nil)
        }
        common = (defaults?.root.json.members ?? []) + (runtime.root["global"]?.json.members ?? [])
        if let global = runtime.root["global"], !global.isNull, global.pairs == nil {
            note(runtime, "global is no mapping of parameters", global, nil)
        }
        let isBalanced = common.contains { $0.name == "load_balance" && $0.value == .boolean(true) }
        common.removeAll { $0.name == "load_balance" || $0.name == "destination_queues" || $0.name == "source_queue" }
        for (key, value) in runtime.root.pairs ?? [] where key.string != "global" {
            read(runtime, key, value, pipeline, isBalanced)
        }
        for (key, _) in pipeline?.root.pairs ?? [] where runtime.root[key.string ?? ""] == nil {
            notes.append(ConversionNote(.lost, bot: key.string, "it stands in the pipeline, but the runtime has no such bot"))
        }
        if bots.isEmpty, messages.isEmpty {
            note(runtime, "there is no bot in this file", runtime.root, "wanted: runtime.yaml or runtime.conf of IntelMQ")
        }
        if bots.count > 1, bots.allSatisfy(\.destinations.isEmpty) {
            let help = pipeline == nil ? "; for files of 2.x name the other one: --pipeline pipeline.conf" : ""
            notes.append(ConversionNote(.lost, "no bot says where its events go" + help))
        }
        guard messages.isEmpty else { throw ConfigurationError(messages) }
    }

    private mutating func note(_ document: YAMLDocument, _ message: String, _ node: YAMLNode, _ help: String?) {
        if messages.count < 100 { messages.append(document.diagnostic(message, at: node, help: help)) }
    }

    private mutating func read(
        _ document: YAMLDocument, _ key: YAMLNode, _ node: YAMLNode, _ pipeline: YAMLDocument?, _ isBalanced: Bool
    ) {
        let id = key.string ?? ""
        guard let pairs = node.pairs, let module = node["module"]?.string else {
            let help = "a bot is a mapping like {module: intelmq.bots.experts.taxonomy.expert, parameters: {…}}"
            return note(document, "the bot \"\(id)\" names no module", key, help)
        }
        if let parameters = node["parameters"], !parameters.isNull, parameters.pairs == nil {
            return note(document, "the parameters of \"\(id)\" are no mapping", parameters, nil)
        }
        for (member, value) in pairs where !Self.members.contains(member.string ?? "") && !value.isNull {
            notes.append(
                ConversionNote(.lost, bot: id, parameter: member.string, value: value.json, "no bot has a member of this name"))
        }
        var parameters = node["parameters"]?.json.members ?? []
        func take(_ name: String) -> JSONValue? {
            defer { parameters.removeAll { $0.name == name } }
            let pipe = pipeline?.root[id]
            let other = (pipe?[name.replacing("_", with: "-")] ?? pipe?[name])?.json
            return parameters.first { $0.name == name && $0.value != .null }?.value ?? node[name]?.json ?? other
        }
        if let enabled = node["enabled"], !enabled.isNull, enabled.bool == nil {
            notes.append(
                ConversionNote(
                    .lost, bot: id, parameter: "enabled", value: enabled.json, "wanted true or false; the bot is taken as enabled"
                ))
        }
        let queues = take("destination_queues") ?? .null
        var destinations: [(path: String, queues: [String])] = []
        for (path, value) in queues.members.map({ $0.map { ($0.name, $0.value) } }) ?? [("_default", queues)] {
            let names = value.items?.compactMap(\.string) ?? value.string?.split(separator: " ").map(String.init) ?? []
            if names.isEmpty, value != .null, value.items?.isEmpty != true {
                notes.append(
                    ConversionNote(.lost, bot: id, parameter: "destination_queues.\(path)", value: value, "this names no queue"))
            }
            if !names.isEmpty { destinations.append((path, names)) }
        }
        bots.append(
            Bot(
                id: id, module: module, description: node["description"]?.string ?? "",
                isEnabled: node["enabled"]?.bool ?? true, isScheduled: node["run_mode"]?.string == "scheduled",
                parameters: parameters.filter { $0.name != "load_balance" },
                sourceQueue: take("source_queue")?.string ?? "\(id)-queue", destinations: destinations,
                isBalanced: (take("load_balance") ?? .boolean(isBalanced)) == .boolean(true)))
    }
}
