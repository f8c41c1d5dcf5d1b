import ArgumentParser
import Glibc
import IDF
import ServiceKernel
import Workflow
import YAML

extension ControlCommand {
    struct ConfigRender: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "config-render",
            abstract: "Prints configuration files with their variables put in, secrets masked; of a workflow those of all nodes.")
        @Argument(help: "Configuration files and workflows; those that `up` has made without any.") var files: [String] = []
        @Option(help: "The folder given to `up`.") var directory = "var"
        @Flag(help: "Print JSON: a list of {file, node, configuration}.") var json = false

        func run() throws {
            var made: [(file: String, node: String?, configuration: YAMLNode)] = []
            do throws(ConfigurationError) {
                for file in try chosen() { made += try Self.rendered(file) }
            } catch {
                say(error.description)
                throw ExitCode(78)
            }
            guard !json else {
                let list = made.map { one in
                    JSONValue.object(
                        [.init("file", .string(one.file))] + (one.node.map { [.init("node", .string($0))] } ?? [])
                            + [.init("configuration", one.configuration.json)])
                }
                return put(JSONValue.array(list).pretty())
            }
            for (index, one) in made.enumerated() {
                put(
                    (index > 0 ? "---\n" : "") + "# \(one.node.map { "\($0) of " } ?? "")\(one.file)\n"
                        + one.configuration.document)
            }
        }

        private func chosen() throws(ConfigurationError) -> [String] {
            guard files.isEmpty else { return files }
            let folder = "\(directory)/etc/config.d"
            let found = fileNames(in: folder).filter { $0.hasSuffix(".yaml") }.sorted().map { "\(folder)/\($0)" }
            guard !found.isEmpty else {
                throw ConfigurationError([
                    Diagnostic("no configuration in \(folder)", help: "name files or a workflow: intelmqctl config-render FILE")
                ])
            }
            return found
        }

        /// The files that one file stands for: itself, or one a node.
        static func rendered(_ path: String, roster: Roster = ControlProgram.roster) throws(ConfigurationError) -> [(
            file: String, node: String?, configuration: YAMLNode
        )] {
            let document: YAMLDocument
            do { document = try YAMLDocument.read(path: path) } catch { throw ConfigurationError([error.diagnostic]) }
            guard document.root["openapi"] != nil else {
                return [(path, nil, try ConfigurationReader.rendered(document, roster: roster))]
            }
            let graph = try Graph(path: path, roster: roster)
            var made: [(file: String, node: String?, configuration: YAMLNode)] = []
            for node in graph.nodes {
                let own = graph.configuration(of: node, state: nil)
                made.append((path, node.name, try ConfigurationReader.rendered(own, roster: roster)))
            }
            return made
        }
    }
}
