public import IDF
public import YAML

extension ConfigurationReader {
    /// A configuration with its variables put in, for people to look at: secrets are `***`, whether they come from a file, stand in a
    /// setting that is never shown, or in a URL. The variables themselves are left out.
    public static func rendered(_ document: YAMLDocument, roster: Roster) throws(ConfigurationError) -> JSONValue {
        let root = try TemplateRenderer.render(document).document.root
        let worker = root["worker"]?.string.flatMap { roster.worker(named: $0) }
        let settings = worker.map { NamedSetting.all(of: $0.make()) } ?? []
        let hidden = Set(settings.filter(\.slot.isSecret).map(\.name))
        guard let pairs = root.pairs else { return json(root, isHidden: false) }
        return .object(
            pairs.compactMap { key, value in
                let name = key.string ?? ""
                guard name != "vars" else { return nil }
                guard name == "settings", let pairs = value.pairs else { return .init(name, json(value, isHidden: false)) }
                return .init(
                    name,
                    .object(
                        pairs.map { key, value in
                            .init(key.string ?? "", json(value, isHidden: hidden.contains(key.string ?? "")))
                        }))
            })
    }

    private static func json(_ node: YAMLNode, isHidden: Bool) -> JSONValue {
        switch node.content {
        case .sequence(let items): return .array(items.map { json($0, isHidden: isHidden) })
        case .mapping(let pairs): return .object(pairs.map { .init($0.key.string ?? "", json($0.value, isHidden: isHidden)) })
        case .scalar(let text, _):
            if node.isNull { return .null }
            if isHidden { return .string("***") }
            if let masked = node.masked { return .string(withoutSecrets(masked)) }
            if let truth = node.bool { return .boolean(truth) }
            if let number = node.int { return .integer(number) }
            if let number = node.double, number.isFinite { return .number(number.description) }
            return .string(text.contains("://") ? withoutSecrets(text) : text)
        }
    }
}
