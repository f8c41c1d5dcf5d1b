import ArgumentParser
import IDF
import ServiceKernel
import Workflow
import YAML

/// A workflow that `up` has started, or that was stopped: one service for each configuration file.
struct FleetServices {
    let directory: String

    /// Opens the services one after the other; those without a folder for their state have nothing to show.
    /// - Parameters:
    ///   - only: the name of the only one wanted.
    ///   - works: whether the worker of a stopped service must work; else nothing but its spool is opened.
    func each(
        only: String?, works: Bool = false, _ body: (_ node: String, _ client: ControlClient) async throws(Rejection) -> Void
    ) async throws {
        let folder = "\(directory)/etc/config.d"
        let files = fileNames(in: folder).filter { $0.hasSuffix(".yaml") && (only == nil || $0 == "\(only ?? "").yaml") }.sorted()
        guard !files.isEmpty else {
            let what = only.map { "no node \"\($0)\"" } ?? "no workflow"
            say(
                "error: \(what) in \(directory): there is no file for it in \(folder); start one: intelmqctl up GRAPH --directory \(directory)"
            )
            throw ExitCode(78)
        }
        for file in files {
            let node = String(file.dropLast(5))
            let client: ControlClient
            do throws(ConfigurationError) {
                let configuration = try ConfigurationReader.read(
                    path: "\(folder)/\(file)", roster: ControlProgram.roster, settings: works)
                guard configuration.state != nil else { continue }
                client = try await ControlClient(configuration, works: works)
            } catch {
                say("error: \(node) cannot be looked into:\n\(error.description)")
                throw ExitCode(78)
            }
            do throws(Rejection) {
                try await body(node, client)
                await client.close()
            } catch {
                await client.close()
                say("error: \(node): \(error.detail)")
                throw ExitCode(error.isTemporary ? 69 : 65)
            }
        }
    }
}

/// One node of a workflow that `up` has started.
struct NodeChoice: ServiceChoice {
    @Option(help: "The folder given to `up`.") var directory = "var"
    @Option(help: "The node that keeps it.") var node: String

    func with(works: Bool, _ body: (ControlClient) async throws(Rejection) -> Void) async throws {
        var nodes = FleetNodes()
        (nodes.directory, nodes.nodes) = (directory, [node])
        let name = try nodes.names()[0]
        let configuration: ServiceConfiguration
        do throws(ConfigurationError) {
            configuration = try ConfigurationReader.read(
                path: "\(directory)/etc/config.d/\(name).yaml", roster: ControlProgram.roster, settings: works)
        } catch {
            say(error.description)
            throw ExitCode(78)
        }
        try await open(configuration, works: works, body)
    }
}

extension ControlCommand {
    struct DeadLetters: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "dead-letters", abstract: "Dead letters of all nodes of a workflow.",
            subcommands: [
                List.self, ShowDeadLetter<NodeChoice>.self, EditDeadLetter<NodeChoice>.self, DeleteDeadLetters<NodeChoice>.self,
                Replay.self, ImportDeadLetters<NodeChoice>.self,
            ], defaultSubcommand: List.self)
    }

    struct Audit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Checks that every event is accounted for: accepted = delivered + dead-lettered + dropped + lost + in spool.",
            discussion: "Exit code 1 when an account does not balance or a damaged disk has cost events.")
        @Option(help: "The folder given to `up`.") var directory = "var"
        @Flag(help: "One JSON object a line.") var json = false

        func run() async throws {
            var isRight = true
            let columns = ["accepted", "delivered", "dead-lettered", "dropped", "lost", "in-spool"]
            if !json {
                let names = columns.map { String(repeating: " ", count: max(0, 14 - $0.count)) + $0 }.joined()
                print("node → edge".padded(to: 32) + names)
            }
            try await FleetServices(directory: directory).each(only: nil) { node, client throws(Rejection) in
                let status = try await client.call(.get, "/v1/status")
                var accounts = status["accounts"]?.items ?? []
                // The account of an edge that is to go is closed when it has delivered everything; its node is still there.
                for edge in status["edges"]?.items ?? [] where edge["is-ending"]?.bool == true {
                    guard let name = edge["name"], !accounts.contains(where: { $0["edge"] == name }) else { continue }
                    let nothing = columns.map { JSONValue.Member($0, .integer(0)) }
                    accounts.append(.object([.init("edge", name)] + nothing + [.init("is-balanced", .boolean(true))]))
                }
                for account in accounts {
                    let isBalanced = account["is-balanced"]?.bool == true
                    if !isBalanced || account["lost"]?.integer != 0 { isRight = false }
                    if json {
                        print(
                            String(
                                decoding: JSONValue.object([.init("node", .string(node))] + (account.members ?? [])).bytes,
                                as: UTF8.self))
                    } else {
                        let numbers = columns.map { name -> String in
                            let text = String(account[name]?.integer ?? 0)
                            return String(repeating: " ", count: max(0, 14 - text.count)) + text
                        }.joined()
                        print(
                            "\(node) → \(account["edge"]?.string ?? "")".padded(to: 32) + numbers
                                + (isBalanced ? "" : "  does not balance"))
                    }
                }
            }
            guard isRight else { throw ExitCode(1) }
        }
    }
}

extension ControlCommand.DeadLetters {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists dead letters, node by node.")
        @Option(help: "The folder given to `up`.") var directory = "var"
        @Option(help: "Only of this node.") var node: String?
        @OptionGroup var which: DeadLetterOptions
        @Option(help: "At most so many of a node.") var limit = 20
        @Flag(help: "One JSON object a line.") var json = false

        func run() async throws {
            try await FleetServices(directory: directory).each(only: node) { name, client throws(Rejection) in
                let answer = try await client.call(.get, "/v1/dead-letters", which.query + [("limit", "\(limit)")])
                DeadLetterText.put(answer, prefix: "\(name) ", json: json)
            }
        }
    }

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Sends dead letters again; those that fail again stay.")
        @Option(help: "The folder given to `up`.") var directory = "var"
        @Option(help: "Only of this node.") var node: String?
        @OptionGroup var which: DeadLetterOptions
        @Argument(help: "Their numbers, with --node.") var ids: [Int] = []
        @Flag(help: "All of them.") var all = false
        @Flag(help: "Only try whether it would work: nothing is sent.") var dryRun = false

        func run() async throws {
            guard ids.isEmpty || node != nil else {
                say("error: each node numbers its own dead letters: say whose these are, as --node NODE")
                throw ExitCode(64)
            }
            try await FleetServices(directory: directory).each(only: node, works: true) { name, client throws(Rejection) in
                try await DeadLetterText.replay(client, ids, which.query, all: all, dryRun: dryRun)
            }
        }
    }
}
