import ArgumentParser
import ServiceKernel

extension ControlCommand {
    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stops nodes, and keeps `up` from starting them until `enable`.",
            discussion: "What is sent to a disabled node waits at the last durable node before it.")
        @OptionGroup var nodes: FleetNodes

        func run() async throws {
            for node in try nodes.named("disable") {
                guard try await reporting(node, { () async throws(Rejection) in try await nodes.fleet.disable(node) }) else {
                    say("error: \(node) still runs; it finishes what is open. Ask again: intelmqctl status \(node)")
                    throw ExitCode(1)
                }
                print("\(node.padded(to: 24))disabled")
            }
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets disabled nodes be started, and starts them when the workflow is up.")
        @OptionGroup var nodes: FleetNodes

        func run() async throws {
            for node in try nodes.named("enable") {
                let isStarted = try await reporting(node) { () async throws(Rejection) in try await nodes.fleet.enable(node) }
                print("\(node.padded(to: 24))enabled\(isStarted ? ", started" : "")")
            }
        }
    }

    struct Clear: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says how to get rid of what waits at a node; throws away dead letters only.",
            discussion: """
                IntelMQ's clear empties a queue. Here every event is accounted for, and an acknowledged one is never thrown away in
                silence. With --dead-letters those of the node are deleted, and counted.
                """)
        @Option(help: "The folder given to `up`.") var directory = "var"
        @Argument(help: "The node.") var node: String
        @Flag(help: "Delete its dead letters.") var deadLetters = false

        func run() async throws {
            var nodes = FleetNodes()
            (nodes.directory, nodes.nodes) = (directory, [node])
            _ = try nodes.names()
            guard deadLetters else {
                say(
                    """
                    error: the packets that wait at \(node) are not thrown away: they are acknowledged, and their senders no longer have them
                      why they wait                         intelmqctl status \(node); intelmqctl log \(node)
                      to hold them without sending          intelmqctl pause \(node)
                      to let some of them go nowhere        give the edge a condition (when:), then intelmqctl restart \(node)
                      to throw away what could not be sent  intelmqctl clear \(node) --dead-letters
                    """)
                throw ExitCode(64)
            }
            try await FleetServices(directory: directory).each(only: node) { name, client throws(Rejection) in
                let answer = try await client.call(.delete, "/v1/dead-letters", [("all", "true")])
                print("\(name.padded(to: 24))\(answer["meta"]?["deleted"]?.integer ?? 0) dead letters deleted")
            }
        }
    }
}

extension AsyncParsableCommand {
    fileprivate func reporting(_ node: String, _ body: () async throws(Rejection) -> Bool) async throws -> Bool {
        do throws(Rejection) { return try await body() } catch {
            say("error: \(node): \(error.detail)")
            throw ExitCode(error.isTemporary ? 69 : 65)
        }
    }
}

extension FleetNodes {
    /// The nodes named; all of them must be meant expressly.
    fileprivate func named(_ verb: String) throws -> [String] {
        guard !nodes.isEmpty else {
            say("error: which nodes? as: intelmqctl \(verb) NODE…; all of a workflow: intelmqctl down, intelmqctl up")
            throw ExitCode(64)
        }
        return try names()
    }
}
