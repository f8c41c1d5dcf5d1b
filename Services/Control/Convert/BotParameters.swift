import IDF
import ServiceKernel

/// The parameters of a bot of IntelMQ on their way to the settings of a worker: what is not taken stays, to be named.
package struct BotParameters {
    /// Not taken so far, without those that say nothing: null and the empty text.
    package private(set) var rest: [JSONValue.Member]
    /// Settings of the worker.
    package var settings: [JSONValue.Member] = []
    /// Other members of its configuration.
    var members: [JSONValue.Member] = []
    /// Secrets to be written into files of their own, by the file's path.
    private(set) var secrets: [(path: String, content: String)] = []
    /// What was taken and is not carried over.
    private(set) var notes: [ConversionNote] = []
    /// Parameters of all bots that this one took.
    private(set) var takenCommon: Set<String> = []
    private let common: [JSONValue.Member]
    private let secretPrefix: String?

    /// - Parameters:
    ///   - common: parameters of all bots, which a bot's own come before.
    ///   - secretPrefix: beginning of the paths of secret files; nil leaves secrets where they are.
    package init(_ members: [JSONValue.Member], common: [JSONValue.Member] = [], secretPrefix: String? = nil) {
        rest = members.filter { !Self.isNothing($0.value) }
        self.common = common.filter { !Self.isNothing($0.value) }
        self.secretPrefix = secretPrefix
    }

    private static func isNothing(_ value: JSONValue) -> Bool { value == .null || value == .string("") }

    /// The value of a parameter, which counts as understood; nil when there is none.
    mutating func take(_ name: String) -> JSONValue? {
        if let at = rest.firstIndex(where: { $0.name == name }) { return rest.remove(at: at).value }
        guard let value = common.first(where: { $0.name == name })?.value else { return nil }
        takenCommon.insert(name)
        return value
    }

    /// Takes a parameter for a setting; the name is the same but for hyphens unless another is given.
    mutating func carry(_ name: String, as setting: String? = nil, _ change: (JSONValue) -> JSONValue = { $0 }) {
        guard let value = take(name) else { return }
        set(setting ?? name.replacing("_", with: "-"), change(value))
    }

    /// Sets a setting. Braces in its texts mean themselves.
    mutating func set(_ setting: String, _ value: JSONValue) { settings.append(.init(setting, Self.literal(value))) }

    /// Sets a setting that is a URL: a secret where it holds a user, a password or a key.
    mutating func setAddress(_ name: String, _ value: JSONValue) {
        if let text = value.string, withoutSecrets(text) != text { setSecret(name, value) } else { set(name, value) }
    }

    /// Sets a setting that is a secret.
    mutating func setSecret(_ setting: String, _ value: JSONValue) {
        settings.append(.init(setting, hidden(setting, value)))
    }

    /// Secret settings in a mapping, as headers.
    mutating func setSecrets(_ setting: String, _ members: [JSONValue.Member]) {
        settings.append(
            .init(setting, .object(members.map { .init($0.name, hidden("\(setting)-\(nodeName($0.name))", $0.value)) })))
    }

    private mutating func hidden(_ name: String, _ value: JSONValue) -> JSONValue {
        guard let secretPrefix else { return .string(value.plain) }
        let path = secretPrefix + name
        secrets.append((path, value.plain))
        return .string("{{ file(\"\(path)\") }}")
    }

    /// Takes a parameter of the bot's own that is done in another way here, or not at all.
    mutating func drop(_ names: [String], _ reason: String, _ kind: ConversionNote.Kind = .replaced) {
        for name in names {
            guard let at = rest.firstIndex(where: { $0.name == name }) else { continue }
            note(kind, name, rest.remove(at: at).value, reason)
        }
    }

    mutating func note(_ kind: ConversionNote.Kind, _ name: String, _ value: JSONValue, _ reason: String) {
        notes.append(ConversionNote(kind, parameter: name, value: value, reason))
    }

    /// A text that is not read as a template, whatever it holds.
    private static func literal(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text) where text.contains("{{") || text.contains("{%"):
            .string(
                text.replacing("{{", with: "\u{0}").replacing("{%", with: "{{ \"{%\" }}").replacing("\u{0}", with: "{{ \"{{\" }}")
            )
        case .array(let items): .array(items.map(literal))
        case .object(let members): .object(members.map { .init($0.name, literal($0.value)) })
        default: value
        }
    }
}

/// Something that could not be carried over, or is done in another way.
package struct ConversionNote: Sendable {
    enum Kind: String {
        /// Nobody does it now.
        case lost
        /// It is done in another way, or needs not be done.
        case replaced
    }

    let kind: Kind
    /// The bot; nil: all of them.
    var bot: String?
    let parameter: String?
    /// The value as it may be shown.
    let value: String?
    let reason: String

    init(_ kind: Kind, bot: String? = nil, parameter: String? = nil, value: JSONValue? = nil, _ reason: String) {
        (self.kind, self.bot, self.parameter, self.reason) = (kind, bot, parameter, reason)
        self.value = value.map { Self.shown($0, parameter ?? "") }
    }

    private static func shown(_ value: JSONValue, _ name: String) -> String {
        String(String(decoding: masked(value, name).bytes, as: UTF8.self).prefix(200))
    }

    private static func masked(_ value: JSONValue, _ name: String) -> JSONValue {
        if isSecret(name) { return .string("***") }
        switch value {
        case .string(let text): return .string(text.contains("://") ? withoutSecrets(text) : text)
        case .array(let items): return .array(items.map { masked($0, name) })
        case .object(let members): return .object(members.map { .init($0.name, masked($0.value, $0.name)) })
        default: return value
        }
    }

    /// Whether a parameter of this name is likely to hold a secret.
    static func isSecret(_ name: String) -> Bool {
        let name = name.lowercased()
        if ["filter_key", "single_key", "timestamp_key"].contains(name) { return false }
        let parts = [
            "passw", "secret", "token", "credential", "apikey", "private_key", "connection_string", "http_header", "auth",
        ]
        return parts.contains { name.contains($0) } || ["_key", "_pass"].contains { name.hasSuffix($0) } || name == "key"
    }
}

/// A name as nodes have it: a-z, 0-9 and hyphens.
func nodeName(_ name: String) -> String {
    var text = ""
    for byte in name.lowercased().utf8 {
        let isNamed = byte >= 0x61 && byte <= 0x7A || byte >= 0x30 && byte <= 0x39
        if isNamed { text.unicodeScalars.append(Unicode.Scalar(byte)) } else if text.last != "-", !text.isEmpty { text += "-" }
    }
    while text.last == "-" { text.removeLast() }
    return text.isEmpty ? "node" : text
}
