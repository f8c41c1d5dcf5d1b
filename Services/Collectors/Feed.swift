import Archive
import Bulk
import IDF
import ServiceKernel
import YAML

/// What a collector says of every report it brings: the setting `feed`.
struct Feed: SettingValue {
    static let writes: [any FieldKey] =
        members.map { Key<String>($0.field) } + [Key<Double>("threat.feed.accuracy"), Key.feedURL, Key.fileName, Key.created]

    /// Names of the setting's members, and the fields they are put into.
    private static let members: [(name: String, field: StaticString)] = [
        (name: "name", field: "threat.feed.name"), (name: "provider", field: "threat.indicator.provider"),
        (name: "code", field: "threat.feed.code"), (name: "documentation", field: "threat.feed.reference"),
        (name: "tlp", field: "threat.indicator.marking.tlp"),
    ]

    private var texts: [(member: String, value: String)] = []
    private var accuracy: Double?

    init() {}

    init(setting node: YAMLNode) throws(SettingProblem) {
        guard let pairs = node.pairs else { throw SettingProblem("wanted a mapping like \(Self.example)", at: node) }
        for pair in pairs {
            let name = pair.key.string ?? ""
            if name == "accuracy" {
                let value = try Double(setting: pair.value)
                guard (0...100).contains(value) else { throw SettingProblem("found \(value), wanted 0 to 100", at: pair.value) }
                accuracy = value
            } else if Self.members.contains(where: { $0.name == name }) {
                let value = try String(setting: pair.value)
                if name == "tlp", EdgeFilter.TLP(value) == nil {
                    throw SettingProblem("found \(value), wanted clear, green, amber, amber+strict or red", at: pair.value)
                }
                texts.append((name, value))
            } else {
                let known = (Self.members.map(\.name) + ["accuracy"]).joined(separator: ", ")
                throw SettingProblem("a feed has no \"\(name)\"; it has \(known)", at: pair.key)
            }
        }
    }

    static let example = "{name: Feodo Tracker, provider: abuse.ch}"
    static let explanation =
        "What every report says of its feed: name, provider, code, documentation (a URL), tlp, accuracy (0 to 100)."

    static var schema: JSONValue {
        var properties = members.map { JSONValue.Member($0.name, String.schema) }
        properties.append(
            .init("accuracy", .object(["type": .string("number"), "minimum": .integer(0), "maximum": .integer(100)])))
        return .object(["type": .string("object"), "additionalProperties": .boolean(false), "properties": .object(properties)])
    }

    var sample: String {
        let parts = texts.map { "\($0.member): \($0.value.sample)" } + (accuracy.map { ["accuracy: \($0)"] } ?? [])
        return "{" + parts.joined(separator: ", ") + "}"
    }

    func report(_ content: BulkBytes, url: String, fileName: String?) -> Report {
        var report = Report(content: content)
        report.fields[.created] = .now()
        for text in texts {
            guard let field = Self.members.first(where: { $0.name == text.member })?.field else { continue }
            report.fields.add(Key<String>(field).id, text: text.value)
        }
        if let accuracy { report.fields[Key<Double>("threat.feed.accuracy")] = accuracy }
        report.fields.add(Key.feedURL.id, text: withoutSecrets(url))
        if let fileName, let last = fileName.split(separator: "/").last { report.fields.add(Key.fileName.id, text: String(last)) }
        return report
    }
}

extension Feed {
    /// Hands on every member of what was fetched. One that is refused must not keep the others back: the last refusal is the answer.
    /// Throws where nobody takes anything now; then there is no need to try them all.
    /// - Parameter shown: what was fetched, as the log may name it.
    func hand(
        _ members: [ArchiveMember], of url: String, shown: String, _ log: Log,
        to hand: @Sendable (Report) async throws(Rejection) -> Void
    ) async throws(Rejection) -> Rejection? {
        var refused: Rejection?
        for member in members where !member.content.isEmpty {
            do throws(Rejection) { try await hand(report(member.content, url: url, fileName: member.name)) } catch {
                guard !error.isTemporary else { throw error }
                log.error("\(member.name) of \(shown) is not taken: \(error)")
                refused = error
            }
        }
        return refused
    }
}

/// Which files or answers have been handed on, kept over restarts in a small file.
struct SeenFiles {
    private let path: String?
    private var versions: [String: String] = [:]

    init(_ stateDirectory: String?) {
        path = stateDirectory.map { "\($0)/seen.json" }
        guard let path, let bytes = readFile(path), let value = try? JSONValue(parsing: bytes) else { return }
        for member in value.members ?? [] { versions[member.name] = member.value.string }
    }

    subscript(_ name: String) -> String? {
        get { versions[name] }
        set { versions[name] = newValue }
    }

    func save() throws(Rejection) {
        guard let path else { return }
        try replaceFile(
            path, with: JSONValue.object(versions.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) }).bytes)
    }
}
