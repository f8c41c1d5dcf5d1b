import IDF
import YAML

/// The settings of the worker.
extension ConfigurationReader {
    /// Sets the settings from a mapping; what is missing or unknown is noted.
    mutating func apply(_ node: YAMLNode?, to configuration: inout ServiceConfiguration) {
        let settings = NamedSetting.all(of: configuration.worker)
        let name = configuration.entry.name
        for (key, value) in node?.pairs ?? [] {
            guard let setting = settings.first(where: { $0.name == key.string }) else {
                let near = didYouMean(key.string ?? "", in: settings.map(\.name)).map { "\($0)   " } ?? ""
                note(
                    "unknown setting \"\(key.string ?? "")\" in worker \"\(configuration.entry.spec.name)\"", key,
                    near + "(list them: intelmq \(name) sample)")
                continue
            }
            if value.holdsSecret { configuration.maskedSettings[setting.name] = value.maskedFlow }
            do throws(SettingProblem) {
                try setting.slot.set(value)
            } catch {
                note("setting \"\(setting.name)\"", value.holdsSecret ? error.without(secrets) : error, at: value)
            }
        }
        for setting in settings where setting.isRequired && node?[setting.name] == nil {
            let line = "\(setting.name): \(setting.slot.example.map(yamlExample) ?? "…")"
            note(
                "worker \"\(name)\" needs the setting \"\(setting.name)\": \(setting.slot.summary)", node ?? document.root,
                "add below settings:  \(line)")
        }
        configuration.settingsEdition = node?.flow.hashValue ?? 0
    }
}
