import ArgumentParser
import IDF
import ServiceKernel

extension ControlCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the workers of this program, or the nodes or queues of a workflow that `up` has started.",
            subcommands: [Workers.self, Nodes.self, Queues.self])
    }
}

extension ControlCommand.List {
    struct Workers: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The workers that a node may use, with what each is for.")
        @Flag(help: "One JSON object a line.") var json = false

        func run() async throws {
            for entry in ControlProgram.roster.workers {
                guard json else {
                    print(entry.name.padded(to: 34) + entry.spec.summary)
                    continue
                }
                print(
                    JSONValue.object([
                        "worker": .string(entry.name), "family": .string(entry.family.rawValue),
                        "summary": .string(entry.spec.summary),
                        "reads": .array(entry.spec.reads.map { .string($0.name) }),
                        "writes": entry.spec.writesAny ? .string("any") : .array(entry.spec.writes.map { .string($0.name) }),
                    ]).line)
            }
        }
    }

    struct Nodes: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The nodes, with worker and state.")
        @OptionGroup var nodes: FleetNodes
        @Flag(help: "One JSON object a line.") var json = false

        func run() async throws {
            for status in try await nodes.status() {
                let worker = status.value["worker"]?.string ?? ""
                print(
                    json
                        ? JSONValue.object([
                            "node": .string(status.node), "worker": .string(worker), "state": .string(status.state),
                        ]).line : status.node.padded(to: 24) + worker.padded(to: 34) + status.state)
            }
        }
    }

    struct Queues: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What waits at every node: packets in its spool, and dead letters.",
            discussion: "A relay keeps no packets: what it cannot hand on waits at the last durable node before it.")
        @OptionGroup var nodes: FleetNodes
        @Flag(help: "Only nodes where something waits.") var nonZero = false
        @Flag(help: "Only the sum over the nodes.") var sum = false
        @Flag(help: "One JSON object a line.") var json = false

        func run() async throws {
            let columns = ["packets", "bytes", "oldest-seconds", "dead-letters"]
            let all = try await nodes.status()
            func show(_ node: String, _ count: (String) -> Int) {
                if json {
                    print(
                        JSONValue.object([.init("node", .string(node))] + columns.map { .init($0, .integer(count($0))) }).line)
                } else {
                    print(node.padded(to: 24) + columns.map { "\(count($0))".padded(to: 16) }.joined())
                }
            }
            if !json { print("node".padded(to: 24) + columns.map { $0.padded(to: 16) }.joined()) }
            if sum {
                show("all") { name in
                    let counts = all.map { $0.spool(name) }
                    return name == "oldest-seconds" ? counts.max() ?? 0 : counts.reduce(0, +)
                }
                return
            }
            for status in all where !nonZero || status.spool("packets") + status.spool("dead-letters") > 0 {
                show(status.node, status.spool)
            }
        }
    }
}
