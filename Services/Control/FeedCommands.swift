import ArgumentParser
import Glibc
import IDF
import ServiceKernel
import Workflow
import YAML

extension ControlCommand {
    struct Feeds: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "feed", abstract: "The catalogue of feeds: lists them, and adds one to a workflow.",
            subcommands: [List.self, Add.self], defaultSubcommand: List.self)
    }
}

extension ControlCommand.Feeds {
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The feeds that the workers know.")
        @Argument(help: "Only those with this in provider or name.") var text: String?
        @Flag(help: "One JSON object a line.") var json = false

        func run() {
            for feed in Feed.all where text.map({ feed.title.lowercased().contains($0.lowercased()) }) ?? true {
                guard json else {
                    print(
                        feed.title.padded(to: 52) + feed.parser.padded(to: 30)
                            + (feed.collector == nil ? "(fetch it yourself)" : feed.access))
                    continue
                }
                let members: [(String, String?)] = [
                    ("provider", feed.provider), ("feed", feed.name), ("collector", feed.collector), ("parser", feed.parser),
                    ("url", feed.url), ("interval", feed.interval), ("format", feed.format), ("access", feed.access),
                    ("note", feed.note),
                ]
                let value = JSONValue.object(members.compactMap { name, text in text.map { .init(name, .string($0)) } })
                print(String(decoding: value.bytes, as: UTF8.self))
            }
        }
    }

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds collector and parser of a feed to a workflow's file; the rest of the file stays as it is.")
        @Argument(help: "The feed as `feed list` names it, like \"abuse.ch/Feodo Tracker\".") var feed: String
        @Argument(help: "The workflow: an OpenAPI document.") var graph: String
        @Option(help: "The node that the events go to; without, the one that most parsers send to.") var to: String?
        @Option(help: "Begin of the nodes' names; without, made of the feed's name.") var name: String?

        func run() throws {
            guard let feed = Feed.all.first(where: { $0.title.lowercased() == feed.lowercased() }) else {
                let near = didYouMean(feed, in: Feed.all.map(\.title)).map { "; \($0)" } ?? ""
                say("error: no feed \"\(feed)\" in the catalogue\(near) (list them: intelmqctl feed list)")
                throw ExitCode(64)
            }
            let graph = try ControlCommand.graph(graph, isChecked: false)
            let name = name ?? Self.nodeName(feed, in: graph)
            guard !graph.nodes.contains(where: { $0.name == name || $0.name == "\(name)-feed" }) else {
                say("error: there is a node \"\(name)\" already; give another one: --name NAME")
                throw ExitCode(64)
            }
            guard let target = to ?? Self.usualTarget(graph) else {
                say("error: no parser of the workflow sends anywhere yet; say where the events go: --to NODE")
                throw ExitCode(64)
            }
            let changed: Graph
            do throws(ConfigurationError) {
                var text = try GraphText(graph)
                text.add(Self.nodes(feed, name, target, graph))
                let saved = try text.save(ControlProgram.roster)
                for finding in saved.findings { Terminal.say(finding.diagnostic) }
                guard let graph = saved.graph else { throw ConfigurationError(["error: the workflow is left as it was"]) }
                changed = graph
            } catch {
                say(error.description)
                throw ExitCode(78)
            }
            print("added \(feed.collector == nil ? name : "\(name)-feed → \(name)") → \(target)")
            if let note = feed.note { print(note) }
            tellNeeds(feed, changed, [name, "\(name)-feed"])
        }

        /// Says what is still missing before the new nodes can start, as the code finds that starts them.
        private func tellNeeds(_ feed: Feed, _ graph: Graph, _ names: [String]) {
            let asked = feed.access == "registration" ? "; \(feed.provider) gives it to those who have registered" : ""
            for variable in feed.collector == nil ? [] : feed.variables where getenv(variable) == nil {
                Terminal.say(
                    Diagnostic(
                        "\(names[1]) needs the variable \(variable)\(asked)", level: .warning,
                        help:
                            "before the start: export \(variable)=…; or name a file in its settings: {{ file(\"/run/secrets/…\") }}"
                    ))
                // What else is missing shows only when this is there.
                setenv(variable, "unknown", 1)
            }
            for node in graph.nodes where names.contains(node.name) {
                do throws(ConfigurationError) {
                    _ = try ConfigurationReader.read(
                        graph.configuration(of: node, state: nil), roster: ControlProgram.roster, expected: node.entry)
                } catch {
                    for message in error.messages {
                        var message = message
                        message.level = .warning
                        message.message = "\(node.name) does not start yet: \(message.message)"
                        Terminal.say(message)
                    }
                }
            }
        }

        /// `Feodo Tracker` as a node's name; with the provider where the name says little or is taken.
        private static func nodeName(_ feed: Feed, in graph: Graph) -> String {
            func short(_ text: String) -> String {
                text.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? String($0) : "-" }.joined()
                    .split(separator: "-").joined(separator: "-")
            }
            let name = short(feed.name)
            return graph.nodes.contains { $0.name == name } ? short(feed.title) : name
        }

        private static func usualTarget(_ graph: Graph) -> String? {
            let targets = graph.nodes.filter { $0.entry.family == .parser }.flatMap(\.edges).map(\.to)
            return Dictionary(grouping: targets) { $0 }.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }?.key
        }

        private static func nodes(_ feed: Feed, _ name: String, _ target: String, _ graph: Graph) -> [(
            path: String, item: YAMLNode
        )] {
            let place = graph.document.root
            func text(_ text: String) -> YAMLNode { .text(text, at: place) }
            func node(
                _ name: String, _ uses: String, _ settings: YAMLNode?, to: String, _ response: (String, String), server: String?
            )
                -> (path: String, item: YAMLNode)
            {
                var worker: [(name: String, value: YAMLNode)] = [("uses", text(uses))]
                if let settings { worker.append(("settings", settings)) }
                let edge = YAMLNode.mapping([("to", text(to))], at: place)
                let answer = YAMLNode.mapping([("description", text(response.1))], at: place)
                let operation = YAMLNode.mapping(
                    [
                        ("operationId", text(name)), ("summary", text(feed.title)),
                        ("responses", .mapping([(response.0, answer)], at: place)),
                        ("x-intelmq-worker", .mapping(worker, at: place)),
                        ("x-intelmq-edges", .list([edge], at: place)),
                    ], at: place)
                var item: [(name: String, value: YAMLNode)] = []
                if let server { item.append(("servers", .list([.mapping([("url", text(server))], at: place)], at: place))) }
                return ("/\(name)", .mapping(item + [("post", operation)], at: place))
            }
            let parser = node(
                name, feed.parser, feed.parserSettings, to: target, ("202", "The events are on disk."), server: freeServer(graph))
            guard let collector = feed.collector else { return [parser] }
            return [
                node(
                    "\(name)-feed", collector, feed.collectorSettings, to: name, ("405", "A collector takes nothing."),
                    server: nil),
                parser,
            ]
        }

        /// An address behind the highest port of the workflow's.
        private static func freeServer(_ graph: Graph) -> String {
            let ports = graph.nodes.filter { $0.entry.family != .collector }.compactMap { node in
                node.server.split(separator: ":").last.flatMap { Int($0.prefix { $0.isNumber }) }
            }
            let host = graph.nodes.first { $0.entry.family != .collector }?.server ?? "http://127.0.0.1:0"
            return host.split(separator: ":").dropLast().joined(separator: ":") + ":\((ports.max() ?? 8700) + 1)"
        }
    }
}
