import ArgumentParser
import HTTP
import IDF
import ServiceKernel
import Workflow
import YAML

/// The nodes of a workflow that `up` has started, operated through the statusd of each.
struct FleetNodes: ParsableArguments {
    @Option(help: "The folder given to `up`.") var directory = "var"
    @Argument(help: "Nodes; all of them without.") var nodes: [String] = []

    /// Nodes of the folder, those named or all; ends with an error that names the nearest where there is none.
    func names() throws -> [String] {
        let known = fileNames(in: "\(directory)/etc/config.d").filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }
        guard !known.isEmpty else {
            say("error: no workflow in \(directory); start one: intelmqctl up GRAPH --directory \(directory)")
            throw ExitCode(78)
        }
        for name in nodes where !known.contains(name) {
            let near = nearest(name, in: known).map { "; did you mean \"\($0)\"?" } ?? ""
            say("error: no node \"\(name)\" in \(directory)\(near) (there are \(known.joined(separator: ", ")))")
            throw ExitCode(64)
        }
        return nodes.isEmpty ? known : nodes
    }

    /// Asks all at once; answers in the order of the names.
    func ask(_ method: HTTPMethod, _ path: String, _ query: [(String, String)] = []) async throws -> [(
        node: String, answer: HTTPClientResponse?
    )] {
        let names = try names()
        let fleet = LocalFleet(directory: directory)
        return await withTaskGroup(of: (Int, HTTPClientResponse?).self) { group in
            for (index, name) in names.enumerated() {
                group.addTask { (index, try? await fleet.statusd(name).call(method, path, query, timeoutMilliseconds: 120_000)) }
            }
            var answers = [HTTPClientResponse?](repeating: nil, count: names.count)
            for await (index, answer) in group { answers[index] = answer }
            return Array(zip(names, answers)).map { (node: $0, answer: $1) }
        }
    }

    /// Calls each node's statusd to do something, and prints what became of it.
    func operate(_ verb: String, _ query: [(String, String)] = []) async throws {
        var isDone = true
        for (node, answer) in try await ask(.post, "/v1/\(verb)", query) {
            let body = answer.flatMap { try? JSONValue(parsing: $0.body) }
            guard let answer, answer.status < 300 else {
                isDone = false
                let why = (body?["errors"]?.items ?? []).compactMap { $0["detail"]?.string }.joined(separator: "\n  ")
                let absent = "its statusd does not answer; is it there? intelmqctl up GRAPH starts it"
                say("error: \(node): \(answer == nil ? absent : why)")
                continue
            }
            let words = (body?["meta"]?.members ?? []).map {
                "\($0.name) \($0.value.string ?? String(decoding: $0.value.bytes, as: UTF8.self))"
            }
            print("\(node.padded(to: 24))\(words.joined(separator: ", "))")
        }
        if !isDone { throw ExitCode(69) }
    }
}

extension ControlCommand {
    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "State, rates and queues of every node; exit code 1 when one does not run.")
        @OptionGroup var nodes: FleetNodes
        @Flag(help: "One JSON object a line.") var json = false

        func run() async throws {
            var isRunning = true
            if !json {
                print(
                    "node".padded(to: 24) + "state".padded(to: 13) + "in/s (1 min)".padded(to: 14) + "out/s".padded(to: 12)
                        + "in spool".padded(to: 12) + "dead letters".padded(to: 14) + "edges down")
            }
            for (node, answer) in try await nodes.ask(.get, "/v1/status") {
                let status = answer.flatMap { try? JSONValue(parsing: $0.body) }
                let state = status?["state"]?.string ?? "no statusd"
                if state != "running" { isRunning = false }
                if json {
                    let value = status ?? .object(["name": .string(node), "state": .string(state)])
                    print(String(decoding: value.bytes, as: UTF8.self))
                    continue
                }
                func rate(_ name: String) -> String { "\(status?["per-second"]?[name]?["1m"]?.double ?? 0)" }
                let spool = status?["spool"]
                let down = (status?["edges"]?.items ?? []).filter { $0["is-down"]?.bool == true }.compactMap {
                    $0["name"]?.string
                }
                print(
                    node.padded(to: 24) + state.padded(to: 13) + rate("received").padded(to: 14) + rate("sent").padded(to: 12)
                        + "\(spool?["packets"]?.integer ?? 0)".padded(to: 12)
                        + "\(spool?["dead-letters"]?.integer ?? 0)".padded(to: 14) + down.joined(separator: ", "))
                for process in status?["processes"]?.items ?? [] where state != "running" && state != "paused" {
                    if let end = process["last-end"]?.string { print("    \(end.replacing("\n", with: "\n    "))") }
                }
            }
            if !isRunning { throw ExitCode(1) }
        }
    }

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Starts nodes that were stopped.")
        @OptionGroup var nodes: FleetNodes
        func run() async throws { try await nodes.operate("start") }
    }

    struct Stop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stops nodes; each finishes what is open. The nodes before them keep what they cannot send.")
        @OptionGroup var nodes: FleetNodes
        func run() async throws { try await nodes.operate("stop") }
    }

    struct Restart: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Stops nodes and starts them again.")
        @OptionGroup var nodes: FleetNodes
        func run() async throws { try await nodes.operate("restart") }
    }

    struct Reload: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes nodes read their configuration anew; what is refused is named, and the old one goes on.")
        @OptionGroup var nodes: FleetNodes
        func run() async throws { try await nodes.operate("reload") }
    }

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Makes nodes take nothing and send nothing until `resume`.")
        @OptionGroup var nodes: FleetNodes
        func run() async throws { try await nodes.operate("pause") }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lets paused nodes go on.")
        @OptionGroup var nodes: FleetNodes
        func run() async throws { try await nodes.operate("resume") }
    }

    struct Level: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "log-level", abstract: "Changes how much nodes log, until their next start.")
        @Option(help: "trace, debug, info, notice, warning, error or critical.") var level: String
        @OptionGroup var nodes: FleetNodes
        func run() async throws { try await nodes.operate("log-level", [("level", level)]) }
    }

    struct Logs: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "log", abstract: "The last lines that nodes have logged.")
        @Option(help: "So many of each node.") var lines = 20
        @Flag(help: "And those that come, until Ctrl-C.") var follow = false
        @OptionGroup var nodes: FleetNodes

        func run() async throws {
            if follow { return try await nodes.show("/v1/logs", [("lines", "\(lines)"), ("follow", "true")]) }
            for (node, answer) in try await nodes.ask(.get, "/v1/logs", [("lines", "\(lines)")]) {
                guard let answer, answer.status == 200 else {
                    say("error: \(node): its statusd does not run; its log so far: \(nodes.directory)/log/\(node).log")
                    continue
                }
                for line in String(decoding: answer.body, as: UTF8.self).split(separator: "\n") { print(line) }
            }
        }
    }

    struct Tap: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows events as they pass through nodes, one JSON object a line; a sample, which never slows the flow.")
        @Option(help: "Ends after so many events of a node.") var limit = 100
        @Option(help: "At most so many events a second of a node.") var rate = 10
        @Option(help: "Only events that come `in` or go `out`.") var direction: String?
        @Option(help: "Only events sent over this edge.") var edge: String?
        @OptionGroup var nodes: FleetNodes

        func run() async throws {
            var query = [("limit", "\(limit)"), ("rate", "\(rate)")]
            if let direction { query.append(("direction", direction)) }
            if let edge { query.append(("edge", edge)) }
            try await nodes.show("/v1/tap", query)
        }
    }
}

extension FleetNodes {
    /// Prints what nodes send as it comes, all at once.
    fileprivate func show(_ path: String, _ query: [(String, String)]) async throws {
        let names = try names()
        let fleet = LocalFleet(directory: directory)
        let problems = await withTaskGroup(of: String?.self) { group in
            for name in names {
                group.addTask {
                    do throws(HTTPClientError) {
                        let answer = try await fleet.statusd(name).stream(path, query) { writeAll(1, Array($0)) }
                        guard answer.status >= 300 else { return nil }
                        let errors = (try? JSONValue(parsing: answer.body))?["errors"]?.items ?? []
                        return "\(name): \(errors.compactMap { $0["detail"]?.string }.joined(separator: "; "))"
                    } catch {
                        return "\(name): \(error)"
                    }
                }
            }
            return await group.reduce(into: [String]()) { if let problem = $1 { $0.append(problem) } }
        }
        for problem in problems { say("error: \(problem)") }
        if !problems.isEmpty { throw ExitCode(69) }
    }
}
