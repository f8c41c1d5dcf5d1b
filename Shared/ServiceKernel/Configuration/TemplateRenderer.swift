import Glibc
import IDF
import YAML

/// Puts variables and secrets into the string values of a configuration, when it is parsed already: a value can make text, a number
/// or a truth value, never a list, a mapping or a key.
struct TemplateRenderer {
    private struct Rendered {
        var text = ""
        var masked = ""
        var isSecret = false
    }

    private let document: YAMLDocument
    private var messages: [Diagnostic] = []
    /// The contents of the secret files that were read.
    private(set) var secrets: Set<String> = []
    /// `vars.yaml` beside the folder `config.d`, once it was asked for.
    private var common: YAMLDocument??
    /// Bytes that may still be made; variables that name each other could make any number.
    private var budget = YAMLDocument.sizeLimit
    private static let depthLimit = 16
    private static let messageLimit = 100
    /// The members in whose values secrets may stand; all others are shown.
    private static let secretMembers = ["settings"]

    /// The document with its values put in, and the secrets that were: messages must not show them.
    static func render(_ document: YAMLDocument) throws(ConfigurationError) -> (document: YAMLDocument, secrets: Set<String>) {
        var renderer = TemplateRenderer(document: document)
        let root = renderer.rendered()
        guard renderer.messages.isEmpty else { throw ConfigurationError(renderer.messages) }
        return (document.replacing(root: root), renderer.secrets)
    }

    private init(document: YAMLDocument) { self.document = document }

    private mutating func rendered() -> YAMLNode {
        guard let pairs = document.root.pairs else { return document.root }
        var values: [YAMLNode] = []
        for (key, value) in pairs {
            // Variables are read when one is asked for.
            let name = key.string ?? ""
            let takesSecrets = Self.secretMembers.contains(name)
            values.append(name == "vars" ? value : value.mapScalars { scalar(in: $0, takesSecrets) })
        }
        return document.root.replacingValues(values)
    }

    private mutating func scalar(in node: YAMLNode, _ takesSecrets: Bool) -> YAMLNode {
        guard let text = node.string, text.contains("{{") || text.contains("{%") else { return node }
        do throws(SettingProblem) {
            let value = try render(text, depth: 0)
            guard !value.isSecret || takesSecrets else {
                throw SettingProblem(
                    "a secret can stand only below settings:",
                    help: "tokens: and the token: of an edge name their file themselves, as token: {file: /run/secrets/x}")
            }
            return value.text == text ? node : node.replaced(by: value.text, masked: value.isSecret ? value.masked : nil)
        } catch {
            if messages.count < Self.messageLimit {
                messages.append(document.diagnostic(error.message, at: node, help: error.help))
            }
            return node
        }
    }

    private mutating func render(_ text: String, depth: Int) throws(SettingProblem) -> Rendered {
        var result = Rendered()
        for part in try TemplateParser.parts(of: text) {
            var value = Rendered()
            switch part {
            case .text(let text), .expression(.text(let text), _): value.text = text
            case .expression(.environment(let name), let fallback):
                guard let found = getenv(name).map({ String(cString: $0) }) ?? fallback else { throw Self.unset(name) }
                value.text = found
            case .expression(.variable(let path), let fallback):
                if let found = try variable(path, depth: depth) {
                    value = found
                } else if let fallback {
                    value.text = fallback
                } else {
                    throw unknown(path)
                }
            case .expression(.file(let path), _):
                value = Rendered(text: try Self.secret(path), masked: "***", isSecret: true)
                secrets.insert(value.text)
            }
            budget -= 64 + value.text.utf8.count
            guard budget > 0 else {
                throw SettingProblem(
                    "the variables make more than \(YAMLDocument.sizeLimit) bytes", help: "do they name each other?")
            }
            result.text += value.text
            result.masked += value.isSecret ? value.masked : value.text
            result.isSecret = result.isSecret || value.isSecret
        }
        return result
    }

    private static func unset(_ name: String) -> SettingProblem {
        let names = (readFile("/proc/self/environ") ?? []).split(separator: 0).map {
            String(decoding: $0.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
        }
        let near = nearest(name, in: names).map { "did you mean \"env.\($0)\"?   " } ?? ""
        return SettingProblem(
            "the environment variable \"\(name)\" is not set",
            help: near + "(or give a default: {{ env.\(name) | default(\"…\") }})")
    }

    private static func secret(_ path: String) throws(SettingProblem) -> String {
        guard !path.utf8.contains(0), var bytes = readFile(path, limit: 65536) else {
            throw SettingProblem(
                "cannot read the secret in \"\(path)\": \(String(cString: strerror(errno)))",
                help: "the file holds the secret alone and is readable by this service's user")
        }
        while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
        guard !bytes.isEmpty, !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
            throw SettingProblem(
                "the file \"\(path)\" \(bytes.isEmpty ? "is empty" : "holds no text in UTF-8")", help: "it holds the secret alone"
            )
        }
        return text
    }

    private mutating func variable(_ path: [String], depth: Int) throws(SettingProblem) -> Rendered? {
        for source in try variables() {
            guard let node = path.reduce(source.node, { $0?[$1] }), !node.isNull else { continue }
            let name = "vars." + path.joined(separator: ".")
            guard let text = node.string else {
                throw SettingProblem(
                    "\(name) is a \(node.array == nil ? "mapping" : "list"), wanted one value",
                    help: "in braces stands one value; write lists and mappings where they belong")
            }
            guard text.contains("{{") || text.contains("{%") else { return Rendered(text: text) }
            guard depth < Self.depthLimit else {
                throw SettingProblem("\(name) is made of itself", help: "variables may name others, but not in a circle")
            }
            do throws(SettingProblem) { return try render(text, depth: depth + 1) } catch {
                // Of a circle the first name is enough.
                if depth > 0, error.message.contains("made of itself") { throw error }
                throw SettingProblem("\(name) in \(source.file): \(error.message)", help: error.help)
            }
        }
        return nil
    }

    /// Where variables are looked for: in the file itself, then in `vars.yaml` beside its folder `config.d`.
    private mutating func variables() throws(SettingProblem) -> [(file: String, node: YAMLNode?)] {
        var found: [(String, YAMLNode?)] = [(document.file, document.root["vars"])]
        if common == nil {
            common = .some(nil)
            if let path = Self.commonFile(beside: document.file), access(path, F_OK) == 0 {
                do { common = .some(try YAMLDocument.read(path: path)) } catch {
                    throw SettingProblem("the variables cannot be read: \(error.message) (\(path):\(error.mark?.line ?? 1))")
                }
            }
        }
        if let common, let common { found.append((common.file, common.root)) }
        return found
    }

    /// `etc/vars.yaml` for `etc/config.d/x.yaml`; nil for files elsewhere.
    static func commonFile(beside file: String) -> String? {
        let parts = file.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[parts.count - 2] == "config.d" else { return nil }
        return (parts.dropLast(2) + ["vars.yaml"]).joined(separator: "/")
    }

    private mutating func unknown(_ path: [String]) -> SettingProblem {
        var names: [String] = []
        func gather(_ node: YAMLNode?, _ above: String) {
            for (key, value) in node?.pairs ?? [] where names.count < 1000 {
                let name = above + (key.string ?? "")
                if value.pairs == nil { names.append(name) } else { gather(value, name + ".") }
            }
        }
        for source in (try? variables()) ?? [] { gather(source.node, "") }
        let name = path.joined(separator: ".")
        let near = nearest(name, in: names).map { "did you mean \"vars.\($0)\"?   " } ?? ""
        return SettingProblem(
            "unknown variable \"vars.\(name)\"", help: near + "(or give a default: {{ vars.\(name) | default(\"…\") }})")
    }
}
