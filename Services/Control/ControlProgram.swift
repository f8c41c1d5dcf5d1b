import ArgumentParser
import Glibc
import IDF
import ServiceKernel
import Synchronization
import Workflow
import YAML

/// `intelmqctl`: what concerns a workflow as a whole.
enum ControlProgram {
    private static let box = Mutex<Roster>(Roster([]))
    static var roster: Roster { box.withLock { $0 } }

    /// The tree of its verbs and their options, as JSON.
    static var commandTree: String { ControlCommand._dumpHelp() }

    static func main(_ roster: Roster, _ arguments: [String]) async -> Never {
        box.withLock { $0 = roster }
        let verbs = ControlCommand.configuration.subcommands.map { $0._commandName } + ["help"]
        if let verb = arguments.first, !verb.hasPrefix("-"), !verbs.contains(verb) {
            let near = didYouMean(verb, in: verbs).map { "; \($0)" } ?? ""
            fail("error: intelmqctl has no verb \"\(verb.prefix(80))\"\(near) (list them: intelmqctl --help)", code: 64)
        }
        await ControlCommand.main(arguments)
        exit(0)
    }
}

struct ControlCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "intelmqctl", abstract: "Checks, runs and operates workflows.", version: Version.current,
        subcommands: [
            Run.self, Check.self, Test.self, Show.self, Render.self, Feeds.self, ConfigRender.self, ConfigConvert.self, Up.self,
            Down.self, Status.self, Top.self, List.self, Operate<Start>.self, Operate<Stop>.self, Operate<Restart>.self,
            Operate<Reload>.self, Operate<Pause>.self, Operate<Resume>.self, Enable.self, Disable.self, Logs.self, Level.self,
            Tap.self, DeadLetters.self, Clear.self, Audit.self, Debug.self, VersionCommand.self,
        ])

    /// Reads a graph, or ends with its errors.
    /// - Parameter isChecked: whether everything is checked that `intelmqctl check` checks.
    static func graph(_ path: String, isChecked: Bool = true) throws -> Graph {
        let (graph, findings) = Graph.check(
            path: path, roster: ControlProgram.roster, isChecked ? Finding.Check.allCases : [])
        for finding in findings { Terminal.say(finding.diagnostic) }
        guard let graph, !findings.contains(where: \.isError) else { throw ExitCode(78) }
        return graph
    }
}

extension ControlCommand {
    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Runs a workflow once, in one process, over files or standard input.",
            discussion:
                "Exit code 0: everything was processed, 65: some rows or events could not be, each is a warning on standard error."
        )
        @Argument(help: "The workflow: an OpenAPI document.") var graph: String
        @Argument(help: "Reports or packets; - is standard input. Without, one round of the collectors.") var files: [String] = []
        @Option(help: "The node that takes the files; needed where several could.") var node: String?
        @Option(help: "Stop after so many events.") var stopAfter: Int?
        @Flag(help: "Print the counts as JSON.") var json = false

        func run() async throws {
            let graph = try ControlCommand.graph(graph)
            let workflow: WorkflowRun
            do { workflow = try WorkflowRun(graph, roster: ControlProgram.roster) } catch {
                say(error.description)
                throw ExitCode(78)
            }
            let started = ContinuousClock.now
            var outcome = await workflow.run(files, at: node, stopAfter: stopAfter ?? .max)
            if outcome.exitCode == 64 {
                say("error: \(outcome.problem ?? "")")
                throw ExitCode(64)
            }
            let seconds = (ContinuousClock.now - started) / .seconds(1)
            if json {
                let nodes = workflow.summary().map { line in
                    JSONValue.object([
                        "node": .string(line.node), "received": .integer(line.received), "sent": .integer(line.sent),
                        "dropped": .integer(line.dropped), "dead-lettered": .integer(line.dead),
                    ])
                }
                print(
                    JSONValue.object([
                        "seconds": .number("\(seconds)"), "events": .integer(outcome.accepted), "nodes": .array(nodes),
                    ]).pretty())
            } else {
                for line in workflow.summary() {
                    print(
                        "\(line.node.padded(to: 24))\(line.received) in, \(line.sent) out"
                            + (line.dropped > 0 ? ", \(line.dropped) dropped" : "")
                            + (line.dead > 0 ? ", \(line.dead) dead letters" : ""))
                }
                print("\(outcome.accepted) events in \((seconds * 1000).rounded() / 1000) s")
            }
            if let problem = outcome.problem { say("error: \(problem)") }
            let dead = workflow.summary().reduce(0) { $0 + $1.dead }
            if dead > 0 {
                say("\(dead) rows or events could not be processed or delivered; see the warnings above")
                if outcome.exitCode == 0 { outcome.exitCode = 65 }
            }
            if outcome.exitCode != 0 { throw ExitCode(outcome.exitCode) }
        }
    }

    struct Up: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Starts every node of a workflow as its own service process on loopback ports.")
        @Argument(help: "The workflow: an OpenAPI document.") var graph: String
        @Option(help: "Folder for configuration, state, logs and process ids.") var directory = "var"
        @Flag(help: "And the workflow's gateway, configured by etc/gateway.yaml in that folder.") var gateway = false

        func run() async throws {
            let graph = try ControlCommand.graph(graph)
            let fleet = LocalFleet(directory: directory)
            for finding in fleet.stranded(by: graph) { Terminal.say(finding.diagnostic) }
            do throws(Rejection) {
                try await fleet.start(graph)
                if gateway {
                    do throws(Rejection) { try await fleet.startGateway(graph) } catch {
                        _ = await fleet.stop()
                        throw error
                    }
                }
                for (name, pid) in fleet.processes() {
                    let node = graph.nodes.first { $0.name == name }
                    // A collector listens nowhere; what is no node is the gateway.
                    let server = node.map { $0.entry.family == .collector ? "" : $0.server } ?? graph.gatewayServer ?? ""
                    print("\(name.padded(to: 24))pid \(pid)  \(withoutUser(server))")
                }
            } catch {
                say("error: \(error.detail)")
                throw ExitCode(69)
            }
        }
    }

    struct Down: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stops the processes that `up` has started; each finishes what is open.")
        @Option(help: "The folder given to `up`.") var directory = "var"

        func run() async throws {
            let left = await LocalFleet(directory: directory).stop()
            guard left.isEmpty else {
                say("error: still running: \(left.joined(separator: ", "))")
                throw ExitCode(1)
            }
            print("stopped")
        }
    }
}
