public import YAML

/// The secrets that a configuration takes from files, `{{ file("…") }}`, in its settings and in the variables that these name.
public enum TemplateSecrets {
    /// The paths of the files as they are written, each once; nothing is opened. What cannot be read is left to whoever reads it.
    public static func files(of configuration: YAMLDocument) -> [String] {
        var found: [String] = []
        var seen: Set<[String]> = []
        func walk(_ node: YAMLNode) {
            for (_, value) in node.pairs ?? [] { walk(value) }
            for item in node.array ?? [] { walk(item) }
            guard node.pairs == nil, node.array == nil, let text = node.string, text.contains("{{") else { return }
            for part in (try? TemplateParser.parts(of: text)) ?? [] {
                switch part {
                case .expression(.file(let path), _) where !found.contains(path): found.append(path)
                case .expression(.variable(let path), _) where seen.insert(path).inserted:
                    if let variable = path.reduce(configuration.root["vars"], { $0?[$1] }) { walk(variable) }
                default: break
                }
            }
        }
        if let settings = configuration.root["settings"] { walk(settings) }
        return found
    }
}
