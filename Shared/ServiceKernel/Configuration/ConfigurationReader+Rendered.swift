public import IDF
public import YAML

extension ConfigurationReader {
    /// A configuration with its variables put in, for people to look at: secrets are `***`, whether they come from a file, stand in a
    /// setting that is never shown, or in a URL. The variables themselves are left out.
    public static func rendered(_ document: YAMLDocument, roster: Roster) throws(ConfigurationError) -> YAMLNode {
        let root = try TemplateRenderer.render(document).document.root
        guard let pairs = root.pairs else { return root }
        let worker = root["worker"]?.string.flatMap { roster.worker(named: $0) }
        let settings = worker.map { NamedSetting.all(of: $0.make()) } ?? []
        let hidden = Set(settings.filter(\.slot.isSecret).map(\.name))
        let shown = pairs.filter { $0.key.string != "vars" }.map { key, value in
            let name = key.string ?? ""
            guard name == "settings", let settings = value.pairs else { return (name, masked(value, isHidden: false)) }
            let values = settings.map { masked($0.value, isHidden: hidden.contains($0.key.string ?? "")) }
            return (name, value.replacingValues(values))
        }
        return .mapping(shown, at: root)
    }

    private static func masked(_ node: YAMLNode, isHidden: Bool) -> YAMLNode {
        node.mapScalars { scalar in
            guard let text = scalar.string else { return scalar }
            if isHidden { return .text("***", at: scalar) }
            let shown = withoutSecrets(scalar.masked ?? text)
            return shown == text ? scalar : .text(shown, at: scalar)
        }
    }
}

extension YAMLNode {
    /// The value as JSON; the core schema of YAML says what is a number.
    public var json: JSONValue {
        switch content {
        case .sequence(let items): return .array(items.map(\.json))
        case .mapping(let pairs): return .object(pairs.map { .init($0.key.string ?? "", $0.value.json) })
        case .scalar(let text, _):
            if isNull { return .null }
            if let truth = bool { return .boolean(truth) }
            if let number = int { return .integer(number) }
            if let number = double, number.isFinite { return .number(number.description) }
            return .string(text)
        }
    }
}
