import ServiceKernel
import YAML

/// A feed of the catalogue: who publishes what where, and the workers that fetch and read it.
package struct Feed {
    let provider: String
    let name: String
    package let parser: String
    /// Nil where nothing here fetches the feed.
    package let collector: String?
    let url: String?
    let interval: String?
    let format: String
    /// `public`, or `registration` where one must ask the provider.
    package let access: String
    let note: String?
    private let node: YAMLNode

    /// As it is named on the command line.
    package var title: String { "\(provider)/\(name)" }

    private init?(_ node: YAMLNode) {
        guard let provider = node["provider"]?.string, let name = node["feed"]?.string, let parser = node["parser"]?.string else {
            return nil
        }
        (self.provider, self.name, self.parser) = (provider, name, parser)
        collector = node["collector"]?.string
        url = node["url"]?.string
        interval = node["interval"]?.string
        format = node["format"]?.string ?? ""
        access = node["access"]?.string ?? ""
        note = node["note"]?.string
        self.node = node
    }

    /// All that are known, by provider and name.
    package static let all: [Feed] = {
        guard let document = try? YAMLDocument.parse(PackageResources.feeds_yaml, file: "feeds.yaml") else { return [] }
        return (document.root.array ?? []).compactMap(Feed.init)
    }()

    /// The settings of the collector; secrets come from the environment.
    var collectorSettings: YAMLNode {
        var pairs: [(name: String, value: YAMLNode)] = []
        func text(_ text: String) -> YAMLNode { .text(text, at: node) }
        if let url { pairs.append(("url", text(url))) }
        if let interval { pairs.append(("interval", text(interval))) }
        if let header = node["key-header"]?.string {
            pairs.append(("headers", .mapping([(header, text("{{ env.\(variable)_KEY }}"))], at: node)))
        }
        if let login = node["login"]?.string {
            pairs.append(("username", text("{{ env.\(login)_USER }}")))
            pairs.append(("password", text("{{ env.\(login)_PASSWORD }}")))
        }
        pairs.append(("feed", .mapping([("name", text(name)), ("provider", text(provider))], at: node)))
        return .mapping(pairs, at: node)
    }

    /// The settings of the parser, if it needs some.
    var parserSettings: YAMLNode? { node["settings"] }

    /// The provider as the beginning of a variable's name.
    private var variable: String {
        String(provider.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }

    /// The variables of the environment that the collector needs.
    var variables: [String] {
        collectorSettings.document.split(separator: "env.").dropFirst().map { text in
            String(text.prefix { $0 == "_" || $0.isLetter || $0.isNumber })
        }
    }

    /// The catalogue as a page.
    static var page: String {
        var text = """
            # Feeds

            Rendered from `Services/Control/Feeds/feeds.yaml`. `intelmqctl feed add "PROVIDER/FEED" GRAPH` puts collector and parser into a workflow.
            Where no collector is named, nothing here fetches the feed; its parser takes what somebody else has fetched (`POST /v1/reports`).

            | provider | feed | collector | parser | format | access | address | remark |
            |---|---|---|---|---|---|---|---|

            """
        for feed in all {
            let url = feed.url.map { "`\($0)`" } ?? ""
            text +=
                "| \(feed.provider) | \(feed.name) | \(feed.collector.map { "`\($0)`" } ?? "") | `\(feed.parser)` | \(feed.format) | \(feed.access) | \(url) | \(feed.note ?? "") |\n"
        }
        return text
    }
}
