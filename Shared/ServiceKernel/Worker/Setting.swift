public import IDF
import Synchronization
public import YAML

/// One setting of a worker: declared with its sentence, its type and its default; the kernel reads it from the
/// configuration, checks it, and renders it into help, sample, schema and pages.
///
/// ```swift
/// @Setting("MaxMind ASN database, reopened when the file changes.", example: "/var/lib/intelmq/GeoLite2-ASN.mmdb")
/// var database: ASNDatabase                       // required: it has no initial value
/// @Setting("Seconds between two rounds.") var pause = 60
/// ```
@propertyWrapper
public struct Setting<Value: SettingValue>: Sendable, SettingSlot {
    private let box: SettingBox<Value>
    let summary: String
    let example: String?

    /// A setting with a default.
    public init(wrappedValue: Value, _ summary: String, example: String? = nil) {
        box = SettingBox(wrappedValue)
        self.summary = summary
        self.example = example
    }

    /// A setting that must be given.
    public init(_ summary: String, example: String) {
        box = SettingBox(nil)
        self.summary = summary
        self.example = example
    }

    /// The value; the kernel has set it before a worker runs.
    public var wrappedValue: Value {
        get {
            guard let value = box.value.withLock({ $0 }) else { fatalError("a required setting was read before it was set") }
            return value
        }
        nonmutating set { box.value.withLock { $0 = newValue } }
    }

    var isSet: Bool { box.value.withLock { $0 != nil } }
    var schema: JSONValue { Value.schema }
    var isSecret: Bool { Value.isSecret }
    var defaultText: String? { box.initial?.sample }
    var shown: String? { box.value.withLock { $0?.sample } }

    var madeAt: Int64? { box.value.withLock { $0 }?.madeAt }

    func set(_ node: YAMLNode) throws(SettingProblem) { wrappedValue = try Value(setting: node) }

    func refresh() throws(SettingProblem) -> Bool {
        guard let current = box.value.withLock({ $0 }), let fresh = try current.refreshed() else { return false }
        wrappedValue = fresh
        return true
    }
}

private final class SettingBox<Value: Sendable>: Sendable {
    let value: Mutex<Value?>
    let initial: Value?

    init(_ value: Value?) {
        self.value = Mutex(value)
        initial = value
    }
}

/// A setting whatever its type: how the kernel sees it.
protocol SettingSlot: Sendable {
    var summary: String { get }
    var example: String? { get }
    var isSet: Bool { get }
    var isSecret: Bool { get }
    var schema: JSONValue { get }
    var defaultText: String? { get }
    /// The value as it is written in a configuration file, `***` for a secret.
    var shown: String? { get }
    var madeAt: Int64? { get }
    func set(_ node: YAMLNode) throws(SettingProblem)
    /// Reopens what the setting names if it has changed; answers whether it did.
    func refresh() throws(SettingProblem) -> Bool
}

/// A setting with its name in configuration files.
package struct NamedSetting: Sendable {
    let name: String
    let slot: any SettingSlot
    var isRequired: Bool { !slot.isSet && slot.defaultText == nil }

    /// The names of a worker's settings that are secrets.
    package static func secrets(of entry: RosterEntry) -> Set<String> {
        Set(all(of: entry.make()).filter(\.slot.isSecret).map(\.name))
    }

    /// The settings of a worker in the order of its file.
    static func all(of worker: any Worker) -> [NamedSetting] {
        Mirror(reflecting: worker).children.compactMap { child in
            guard let label = child.label, label.hasPrefix("_"), let slot = child.value as? any SettingSlot else { return nil }
            return NamedSetting(name: kebab(label.dropFirst()), slot: slot)
        }
    }

    /// `fileName` as it is written in files: `file-name`.
    private static func kebab(_ name: some StringProtocol) -> String {
        var text = ""
        for character in name {
            if character.isUppercase, !text.isEmpty, text.last != "-" { text += "-" }
            text += character.lowercased()
        }
        return text
    }
}

/// Why a value in a configuration file will not do.
public struct SettingProblem: Error, Sendable {
    /// What was found and what is wanted.
    public let message: String
    /// The next step.
    public let help: String?
    /// The place, if it is deeper than the setting itself.
    public let node: YAMLNode?

    /// Makes a problem.
    public init(_ message: String, help: String? = nil, at node: YAMLNode? = nil) {
        self.message = message
        self.help = help
        self.node = node
    }
}

/// A type that a setting may have: it reads itself from the configuration and says what it accepts.
public protocol SettingValue: Sendable {
    /// Reads and checks the value; opens or compiles what it stands for.
    init(setting node: YAMLNode) throws(SettingProblem)
    /// JSON Schema (2020-12) of the accepted values.
    static var schema: JSONValue { get }
    /// The value as it is written in a configuration file.
    var sample: String { get }
    /// Whether the value must never be shown.
    static var isSecret: Bool { get }
    /// The value opened anew if the file behind it has changed, else nil.
    func refreshed() throws(SettingProblem) -> Self?
    /// When the data were made that the value has opened, seconds since 1970; nil for values that stand for no database.
    var madeAt: Int64? { get }
}

extension SettingValue {
    /// Most values may be shown.
    public static var isSecret: Bool { false }
    /// Most values stand for nothing that changes.
    public func refreshed() throws(SettingProblem) -> Self? { nil }
    /// Most values have no data of their own.
    public var madeAt: Int64? { nil }
}
