import IDF
public import ServiceKernel
import YAML

/// What every worker must do, whatever it is for. A new worker has these tests before it has one.
public struct Conformance: Sendable {
    let entry: RosterEntry
    private let example: YAMLNode?
    let here: String

    /// The suite for a worker.
    /// - Parameters:
    ///   - example: a case whose settings work; without one the examples of the required settings are taken.
    ///   - here: the worker's folder, `{here}` in its settings.
    public init(_ entry: RosterEntry, example: Case? = nil, here: String) {
        self.entry = entry
        self.example = example?.settings
        self.here = here
    }

    /// Runs the suite and answers what went wrong, each in a sentence.
    public func check() async -> [String] {
        let folder = TemporaryFolder()
        var failures = documents() + sample(folder) + mistakes(folder)
        failures += await service(folder)
        return failures.map { "\(entry.name): \($0)" }
    }

    // MARK: documents

    /// Names and schemas of the settings, from the worker's own schema.
    var declared: [(name: String, schema: JSONValue)] {
        Renderer.schema(of: entry)["properties"]?["settings"]?["properties"]?.members?.map { ($0.name, $0.value) } ?? []
    }

    private func documents() -> [String] {
        var failures: [String] = []
        let help = Renderer.help(of: entry)
        let readme = Renderer.readme(of: entry)
        let man = Renderer.man(of: entry)
        for setting in declared {
            if !help.contains(setting.name) { failures.append("the help does not name the setting \(setting.name)") }
            if !readme.contains("`\(setting.name)`") { failures.append("the README does not name the setting \(setting.name)") }
            if (setting.schema["description"]?.string ?? "").isEmpty {
                failures.append("the setting \(setting.name) has no sentence")
            }
            if setting.schema["type"] == nil, setting.schema["enum"] == nil, setting.schema["anyOf"] == nil,
                setting.schema["oneOf"] == nil
            {
                failures.append("the schema of the setting \(setting.name) says nothing about its values")
            }
        }
        if !man.hasPrefix(".TH ") { failures.append("the manual page does not begin with .TH") }
        if entry.spec.summary.last != "." { failures.append("the summary is no sentence: \(entry.spec.summary)") }
        let schema = Renderer.schema(of: entry)
        failures += schemaShape(schema, at: "schema")
        if schema["$schema"]?.string != "https://json-schema.org/draft/2020-12/schema" {
            failures.append("the schema does not name its draft")
        }
        let names = declared.map(\.name)
        for required in schema["properties"]?["settings"]?["required"]?.items ?? [] where !names.contains(required.string ?? "") {
            failures.append("the schema requires \(shown(required)), which it does not describe")
        }
        return failures + openAPI()
    }

    private func schemaShape(_ schema: JSONValue, at place: String) -> [String] {
        guard schema.members != nil else { return schema.bool != nil ? [] : ["\(place) is no JSON Schema: \(shown(schema))"] }
        let types = ["object", "array", "string", "integer", "number", "boolean", "null"]
        var failures: [String] = []
        if let type = schema["type"] {
            for one in type.items ?? [type] where !types.contains(one.string ?? "") {
                failures.append("\(place) has the type \(shown(one))")
            }
        }
        if let choice = schema["enum"], choice.items?.isEmpty ?? true { failures.append("\(place) has an enum without values") }
        for member in schema["properties"]?.members ?? [] { failures += schemaShape(member.value, at: "\(place).\(member.name)") }
        for name in ["items", "additionalProperties"] {
            if let inner = schema[name] { failures += schemaShape(inner, at: "\(place).\(name)") }
        }
        for name in ["anyOf", "oneOf", "allOf"] {
            for inner in schema[name]?.items ?? [] { failures += schemaShape(inner, at: "\(place).\(name)") }
        }
        return failures
    }

    private func openAPI() -> [String] {
        let document = Renderer.openAPI(of: entry)
        guard let read = try? JSONValue(parsing: Array(document.pretty().utf8)), read == document else {
            return ["the OpenAPI document is not valid JSON"]
        }
        var failures: [String] = []
        if document["openapi"]?.string != "3.1.0" { failures.append("the OpenAPI document does not say openapi: 3.1.0") }
        var operations: [String] = []
        for path in document["paths"]?.members ?? [] {
            for operation in path.value.members ?? [] {
                let name = "\(operation.name) \(path.name)"
                operations.append(operation.value["operationId"]?.string ?? "")
                if operation.value["responses"]?.members?.isEmpty ?? true { failures.append("\(name) documents no answer") }
                let parameters = (operation.value["parameters"]?.items ?? []).filter { $0["in"]?.string == "path" }.compactMap {
                    $0["name"]?.string
                }
                let wanted = path.name.split(separator: "/").filter { $0.hasPrefix("{") }.map {
                    String($0.dropFirst().dropLast())
                }
                if parameters.sorted() != wanted.sorted() {
                    failures.append("\(name) describes the path parameters \(parameters)")
                }
            }
        }
        if operations.isEmpty { failures.append("the OpenAPI document has no operation") }
        if Set(operations).count != operations.count {
            failures.append("two operations have the same operationId: \(operations)")
        }
        return failures
    }

    // MARK: configuration

    /// The settings of a working configuration, each in YAML's flow form.
    func settings(_ folder: TemporaryFolder) -> [(name: String, text: String)] {
        if let pairs = example?.pairs {
            return pairs.map { ($0.key.string ?? "", flow($0.value) { placed($0, here: here, folder: folder) }) }
        }
        let required = Renderer.schema(of: entry)["properties"]?["settings"]?["required"]?.items?.compactMap(\.string) ?? []
        return declared.filter { required.contains($0.name) }.map { name, schema in
            var text = schema["examples"]?.items?.first?.string ?? ""
            // No test writes outside its folder.
            if text.hasPrefix("/var/") { text = "\(folder.path)/\(text.split(separator: "/").last ?? "x")" }
            let isText = (schema["type"]?.items ?? [schema["type"] ?? .null]).contains { $0.string == "string" }
            return (name, isText ? shown(.string(text)) : text)
        }
    }

    /// The sample, with the required settings filled in and every default taken at its word, is a configuration that works.
    private func sample(_ folder: TemporaryFolder) -> [String] {
        let text = Renderer.sample(of: entry)
        var lines: [String] = []
        var given = settings(folder)
        for line in text.split(separator: "\n") {
            let isDefault = line.hasPrefix("#settings:") || line.hasPrefix("  #") && line.dropFirst(3).first?.isLowercase == true
            let plain = isDefault ? String(line).replacing("#", with: "", maxReplacements: 1) : String(line)
            let name = plain.hasPrefix("  ") ? String(plain.dropFirst(2).prefix { $0 != ":" }) : ""
            if let at = given.firstIndex(where: { $0.name == name }) {
                lines.append("  \(name): \(given.remove(at: at).text)")
            } else {
                lines.append(plain)
            }
        }
        do throws(ConfigurationError) {
            _ = try readConfiguration(lines.joined(separator: "\n") + "\n", entry, file: "sample.yaml")
            return []
        } catch {
            return ["the worker's own reader refuses its sample:\n\(error)"]
        }
    }

    private func configurationText(_ folder: TemporaryFolder, without: String? = nil, adding line: String? = nil) -> String {
        var text = "worker: \(entry.name)\nsettings:\n"
        for (name, value) in settings(folder) where name != without { text += "  \(name): \(value)\n" }
        if let line { text += "  \(line)\n" }
        return text
    }

    private func mistakes(_ folder: TemporaryFolder) -> [String] {
        var failures: [String] = []
        func refusal(_ what: String, _ text: String, says wanted: [String]) {
            do throws(ConfigurationError) {
                _ = try readConfiguration(text, entry)
                failures.append("\(what) is accepted")
            } catch {
                for part in wanted where !error.description.contains(part) {
                    failures.append("\(what): \"\(part)\" is missing in\n\(error)")
                }
            }
        }
        let given = settings(folder).map(\.name)
        let line = 3 + given.count
        if let name = declared.map(\.name).max(by: { $0.utf8.count < $1.utf8.count }), name.utf8.count > 3 {
            var misspelt = name
            misspelt.remove(at: misspelt.index(misspelt.startIndex, offsetBy: 2))
            if !declared.contains(where: { $0.name == misspelt }) {
                let wanted = ["unknown setting \"\(misspelt)\"", "test.yaml:\(line):3", "did you mean \"\(name)\"?"]
                refusal("the unknown setting \(misspelt)", configurationText(folder, adding: "\(misspelt): 1"), says: wanted)
            }
        } else {
            let text = configurationText(folder, adding: "nonsense: 1")
            refusal("the unknown setting nonsense", text, says: ["unknown setting \"nonsense\"", "test.yaml:\(line):3"])
        }
        for (name, schema) in declared {
            let type = schema["type"]
            // Nothing but a mapping of mappings is a mapping with a list in it.
            let isMapping = (type?.items ?? [type ?? .null]).contains { $0.string == "object" }
            let wrong = isMapping ? "[[]]" : "{not-a: [value]}"
            let isGiven = given.contains(name)
            let place = "test.yaml:\(line - (isGiven ? 1 : 0)):"
            refusal(
                "a wrong value of the setting \(name)", configurationText(folder, without: name, adding: "\(name): \(wrong)"),
                says: ["setting \"\(name)\"", place])
        }
        return failures
    }
}
