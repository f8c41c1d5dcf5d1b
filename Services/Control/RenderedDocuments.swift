import Gateway
import IDF
import ServiceKernel
import StatusDaemon

/// The documents that are rendered from the code and committed; a test proves them current.
public enum RenderedDocuments {
    /// Path in the source tree and content of every one that is generated as a whole.
    public static func all(_ roster: Roster) -> [(path: String, content: String)] {
        var documents: [(String, String)] = [("openapi/schemas/idf-3.1.schema.json", IDFSchema.document.pretty() + "\n")]
        documents.append(("docs/fields.md", IDFSchema.page))
        documents.append(("docs/metrics.md", Metrics.page))
        documents.append(("docs/feeds.md", Feed.page))
        var index = "# Workers\n\n| worker | what |\n|---|---|\n"
        documents.append(("openapi/statusd.json", OpenAPI.ofStatusDaemon.pretty() + "\n"))
        documents += manualPages(roster)
        documents.append(("openapi/gateway.json", GatewayProgram.openAPI.pretty() + "\n"))
        for entry in roster.workers {
            documents.append(("openapi/\(entry.name).json", Renderer.openAPI(of: entry).pretty() + "\n"))
            documents.append(("docs/man/\(entry.programName).1", Renderer.man(of: entry)))
            index += "| `\(entry.name)` | \(entry.spec.summary) |\n"
        }
        documents.append(("docs/workers.md", index))
        return documents
    }

    /// Pages of the programs that are no worker.
    private static func manualPages(_ roster: Roster) -> [(path: String, content: String)] {
        let examples = [
            ("intelmqctl up openapi/workflows/shadowserver.yaml", "Starts every node of a workflow on this machine."),
            ("intelmqctl status --json | jq .state", "The state of every node, for programs."),
            ("intelmqctl graph GRAPH --format dot | dot -Tsvg > graph.svg", "Draws a workflow."),
        ]
        let files = [
            ("var/etc/config.d/NODE.yaml", "What a node is configured with."), ("var/state/NODE/", "What it keeps."),
            ("var/log/NODE.log", "What it and its statusd say."),
        ]
        let control = try? ManualPage(tree: ControlProgram.commandTree, examples: examples, files: files)
        let statusd = try? ManualPage(tree: StatusDaemonProgram.commandTree)
        let gateway = try? ManualPage(tree: GatewayProgram.commandTree)
        return [
            ("docs/man/intelmq-gateway.1", gateway?.troff ?? ""),
            ("docs/man/intelmq.1", ManualPage(usage: FleetProgram.usage, roster: roster).troff),
            ("docs/man/intelmqctl.1", control?.troff ?? ""), ("docs/man/intelmq-statusd.1", statusd?.troff ?? ""),
        ]
    }

    /// The line that divides the rendered head of a README from what is written by hand.
    public static let divider = "<!-- rendered above; by hand below -->"

    /// A worker's README with its head rendered anew.
    public static func readme(_ entry: RosterEntry, keeping old: String) -> String {
        let rest = old.firstRange(of: divider).map { String(old[$0.upperBound...]) } ?? "\n"
        return Renderer.readme(of: entry) + "\n" + divider + rest
    }

    /// Path of a worker's README in the source tree; mappings have none of their own.
    public static func readmePath(_ entry: RosterEntry) -> String? {
        guard !entry.spec.tags.contains("mapping") else { return nil }
        let family = entry.family.rawValue
        return "Services/\(family.prefix(1).uppercased())\(family.dropFirst())s/\(entry.spec.name)/README.md"
    }

    /// Writes all of them below a folder.
    static func write(_ roster: Roster, into folder: String) throws(Rejection) {
        for (path, content) in all(roster) {
            try makeFolder("\(folder)/\(path.split(separator: "/").dropLast().joined(separator: "/"))")
            try replaceFile("\(folder)/\(path)", with: Array(content.utf8))
        }
        for entry in roster.workers {
            guard let path = readmePath(entry) else { continue }
            let old = readFile("\(folder)/\(path)").map { String(decoding: $0, as: UTF8.self) } ?? ""
            try replaceFile("\(folder)/\(path)", with: Array(readme(entry, keeping: old).utf8))
        }
    }
}
