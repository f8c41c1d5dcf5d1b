import IDF
import ServiceKernel

/// What a collector says of every report it brings.
struct Feed {
    static let writes: [any FieldKey] = [
        Key.feedName, Key.feedURL, Key<String>("threat.indicator.provider"), Key.fileName, Key.created,
    ]

    let name: String?
    let provider: String?
    let url: String?

    func report(_ content: [UInt8], fileName: String?) -> Report {
        var report = Report(content: content)
        report.fields[.created] = .now()
        if let name { report.fields.add(Key.feedName.id, text: name) }
        if let provider { report.fields.add(Key<String>("threat.indicator.provider").id, text: provider) }
        if let url { report.fields.add(Key.feedURL.id, text: Self.withoutSecrets(url)) }
        if let fileName, let last = fileName.split(separator: "/").last { report.fields.add(Key.fileName.id, text: String(last)) }
        return report
    }

    /// A URL without user, password and query values that look like keys.
    static func withoutSecrets(_ url: String) -> String {
        let text = withoutUser(url)
        guard let mark = text.firstIndex(of: "?") else { return text }
        let secret = ["key", "token", "secret", "password", "receipt", "auth"]
        let parts = text[text.index(after: mark)...].split(separator: "&").map { part -> String in
            let name = part.prefix { $0 != "=" }
            return secret.contains { name.lowercased().contains($0) } ? "\(name)=***" : String(part)
        }
        return text[...mark] + parts.joined(separator: "&")
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
