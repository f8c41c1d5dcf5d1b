import IDF
public import YAML

/// Reads a service's configuration, gathering everything that is wrong before it gives up.
public struct ConfigurationReader {
    let document: YAMLDocument
    let roster: Roster
    /// Secrets that were put into the values; no message shows them.
    let secrets: Set<String>
    private let readsSettings: Bool
    private var messages: [Diagnostic] = []
    /// More messages help nobody, and each is laid out with its line.
    private static let messageLimit = 100

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
        var reader = ConfigurationReader(document: rendered, roster: roster, secrets: secrets, readsSettings: settings)
        let configuration = reader.service(expected: expected)
        guard let configuration, reader.messages.isEmpty else { throw ConfigurationError(reader.messages) }
        return configuration
    }

    private mutating func service(expected: RosterEntry?) -> ServiceConfiguration? {
        let root = document.root
        guard let pairs = root.pairs else {
            note(
                "a configuration is a mapping: worker, settings, listen, edges …", root,
                "see a complete one: intelmq WORKER sample")
            return nil
        }
        guard let entry = entry(expected: expected) else { return nil }
        let file = document.file.split(separator: "/").last.map(String.init) ?? entry.name
        var configuration = ServiceConfiguration(
            entry, name: file.hasSuffix(".yaml") ? String(file.dropLast(5)) : entry.name)
        for (key, value) in pairs { read(key, value, &configuration) }
        if readsSettings { apply(root["settings"], to: &configuration) }
        checkDoors(configuration)
        configuration.edition = root.flow.hashValue
        return configuration
    }

    /// The worker that the configuration names, or the one that the program was called as.
    private mutating func entry(expected: RosterEntry?) -> RosterEntry? {
        guard let node = document.root["worker"] else {
            if expected == nil {
                note(
                    "the configuration does not say which worker it is for", document.root,
                    "add a line like: worker: asn-lookup-expert")
            }
            return expected
        }
        let name = node.string ?? ""
        guard let found = roster.worker(named: name) else {
            let near = didYouMean(name, in: roster.names).map { "\($0)   (list them: intelmq list)" }
            note("unknown worker \"\(name)\"", node, near ?? "list them: intelmq list")
            return expected
        }
        if let expected, expected.name != found.name {
            note("this file configures \(found.name), but \(expected.name) was called", node)
        }
        return found
    }

    // MARK: messages

    /// Notes a member that nobody reads.
    mutating func unknown(_ key: YAMLNode, _ known: [String], _ place: String) {
        let name = key.string ?? ""
        note("unknown member \"\(name)\" \(place)", key, advice(on: name, known: known))
    }

    /// Notes why the value of a member cannot be used.
    mutating func note(_ name: String, _ error: SettingProblem, at value: YAMLNode) {
        note("\(name): \(error.message)", error.node ?? value, error.help)
    }

    /// Notes what is wrong, where, and what to do.
    mutating func note(_ message: String, _ node: YAMLNode, _ help: String? = nil) {
        switch messages.count {
        case ..<Self.messageLimit: messages.append(document.diagnostic(message, at: node, help: help))
        case Self.messageLimit: messages.append("error: more is wrong in \(document.file) than these \(Self.messageLimit) places")
        default: break
        }
    }
}
