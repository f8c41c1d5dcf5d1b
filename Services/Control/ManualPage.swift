import IDF
import ServiceKernel

/// The manual page of a program of many verbs, from its command tree as swift-argument-parser describes it.
struct ManualPage {
    private var text: String

    /// A page from the tree that `--experimental-dump-help` prints.
    /// - Parameter examples: command lines, and what each does.
    init(tree: String, examples: [(line: String, what: String)] = [], files: [(path: String, what: String)] = [])
        throws(JSONError)
    {
        let command = try JSONValue(parsing: Array(tree.utf8))["command"] ?? .null
        let name = command["commandName"]?.string ?? ""
        self.init(
            name, summary: command["abstract"]?.string ?? "",
            synopsis: Self.verbs(of: command).isEmpty ? "[options]" : "VERB [options]")
        if let discussion = command["discussion"]?.string { section("DESCRIPTION", Self.literal(discussion)) }
        let verbs = Self.verbs(of: command)
        text += verbs.isEmpty ? ".SH OPTIONS\n" : ".SH VERBS\n"
        if verbs.isEmpty { for argument in Self.arguments(of: command) { put(argument) } }
        for verb in verbs { put(verb, above: []) }
        if !examples.isEmpty {
            section("EXAMPLES", examples.map { ".TP\n.B \(Self.escaped($0.line))\n\(Self.escaped($0.what))\n" }.joined())
        }
        section(
            "ENVIRONMENT",
            ".TP\n.B NO_COLOR\nNo colour, whatever the terminal.\n.TP\n.B INTELMQ_CONFIG_DIR\nFolder of the services' configuration files.\n"
        )
        if !files.isEmpty {
            section("FILES", files.map { ".TP\n.I \(Self.escaped($0.path))\n\(Self.escaped($0.what))\n" }.joined())
        }
        finish(seeAlso: ["intelmq", "intelmqctl", "intelmq-gateway", "intelmq-statusd"].filter { $0 != name })
    }

    /// The page of `intelmq`, which has no tree: its usage, and its workers.
    init(usage: String, roster: Roster) {
        self.init("intelmq", summary: "all workers of IntelMQ Fleet in one program", synopsis: "WORKER|VERB [options]")
        section("DESCRIPTION", Self.literal(usage))
        section("WORKERS", roster.workers.map { ".TP\n.B \(Self.escaped($0.name))\n\(Self.escaped($0.spec.summary))\n" }.joined())
        finish(seeAlso: ["intelmqctl", "intelmq-gateway", "intelmq-statusd"])
    }

    private init(_ name: String, summary: String, synopsis: String) {
        text = ".TH \"\(name.uppercased())\" 1 \"\" \"IntelMQ Fleet \(Version.current)\" \"IntelMQ Fleet\"\n"
        text += ".SH NAME\n\(Self.escaped(name)) \\- \(Self.escaped(summary))\n"
        text += ".SH SYNOPSIS\n.B \(Self.escaped(name))\n\(Self.escaped(synopsis))\n"
    }

    /// The page in troff.
    var troff: String { text }

    private mutating func section(_ title: String, _ body: String) { text += ".SH \(title)\n\(body)" }

    private mutating func finish(seeAlso names: [String]) {
        section(
            "EXIT STATUS",
            "0 fine, 1 not as wanted, 64 usage, 65 bad data, 69 unavailable, 74 input or output, 78 configuration.\n")
        section("SEE ALSO", names.map { ".BR \(Self.escaped($0)) (1)" }.joined(separator: ",\n") + "\n")
    }

    private static func verbs(of command: JSONValue) -> [JSONValue] {
        (command["subcommands"]?.items ?? []).filter { $0["commandName"]?.string != "help" && $0["shouldDisplay"]?.bool != false }
    }

    private static func arguments(of command: JSONValue) -> [JSONValue] {
        (command["arguments"]?.items ?? []).filter {
            $0["shouldDisplay"]?.bool != false && !["help", "version"].contains($0["valueName"]?.string)
        }
    }

    private mutating func put(_ argument: JSONValue) {
        let initial = argument["defaultValue"]?.string.map { " (default \($0))" } ?? ""
        text += ".TP\n.B \(Self.escaped(Self.name(argument)))\n"
        text += Self.escaped((argument["abstract"]?.string ?? "") + initial) + "\n"
    }

    private mutating func put(_ command: JSONValue, above: [String]) {
        let path = above + [command["commandName"]?.string ?? ""]
        let arguments = Self.arguments(of: command)
        let inner = Self.verbs(of: command)
        let usage = inner.isEmpty ? arguments.map(Self.usage).joined(separator: " ") : "VERB"
        text += ".SS \(Self.escaped(path.joined(separator: " "))) \(Self.escaped(usage))\n"
        if let abstract = command["abstract"]?.string { text += "\(Self.escaped(abstract))\n" }
        if let discussion = command["discussion"]?.string { text += ".PP\n\(Self.literal(discussion))" }
        for argument in arguments { put(argument) }
        for verb in inner { put(verb, above: path) }
    }

    /// As `--limit N`, `GRAPH`.
    private static func name(_ argument: JSONValue) -> String {
        let value = (argument["valueName"]?.string ?? "").uppercased()
        guard argument["kind"]?.string != "positional" else { return value }
        let names = (argument["names"]?.items ?? []).map { name in
            (name["kind"]?.string == "short" ? "-" : "--") + (name["name"]?.string ?? "")
        }
        return names.joined(separator: ", ") + (argument["kind"]?.string == "option" ? " \(value)" : "")
    }

    /// The same in the first line of a verb, in brackets where it may be left away.
    private static func usage(_ argument: JSONValue) -> String {
        let name = name(argument) + (argument["isRepeating"]?.bool == true ? "…" : "")
        return argument["isOptional"]?.bool == true ? "[\(name)]" : name
    }

    /// Text whose lines stay as they are.
    private static func literal(_ text: String) -> String { ".nf\n\(escaped(text))\n.fi\n" }

    private static func escaped(_ text: String) -> String {
        let lines = text.replacing("\\", with: "\\e").replacing("-", with: "\\-").split(
            separator: "\n", omittingEmptySubsequences: false)
        // A line that begins with a dot or a quote would be a request, and troff reads ASCII.
        return lines.map { line in
            let ascii = line.unicodeScalars.map { scalar in
                guard !scalar.isASCII else { return String(scalar) }
                let code = String(scalar.value, radix: 16, uppercase: true)
                return "\\[u\(String(repeating: "0", count: max(0, 4 - code.utf8.count)))\(code)]"
            }.joined()
            return line.hasPrefix(".") || line.hasPrefix("'") ? "\\&\(ascii)" : ascii
        }.joined(separator: "\n")
    }
}
