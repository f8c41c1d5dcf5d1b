import ArgumentParser
import HTTP
import IDF
import ServiceKernel
import Workflow
import YAML

/// The nodes of a workflow that `up` has started, operated through the statusd of each.
struct FleetNodes: ParsableArguments {
    @Option(help: "The folder given to `up`.") var directory = "var"
    @Argument(help: "Nodes; all of them without.", completion: .custom { words, _, _ in completions(words) })
    var nodes: [String] = []

    /// The names of nodes for whoever types, after `--directory` where that was typed.
    static func completions(_ words: [String]) -> [String] {
        let at = words.lastIndex(of: "--directory").map { $0 + 1 }
        return known(in: at.flatMap { words.indices.contains($0) ? words[$0] : nil } ?? "var")
    }

    private static func known(in directory: String) -> [String] {
        fileNames(in: "\(directory)/etc/config.d").filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }
    }

    /// Nodes of the folder, those named or all; ends with an error that names the nearest where there is none.
    func names() throws -> [String] {
        let known = Self.known(in: directory)
        guard !known.isEmpty else {
            say("error: no workflow in \(directory); start one: intelmqctl up GRAPH --directory \(directory)")
            throw ExitCode(78)
        }
        for name in nodes where !known.contains(name) {
            let near = didYouMean(name, in: known).map { "; \($0)" } ?? ""
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
        let fleet = fleet
        return await withTaskGroup(of: (Int, HTTPClientResponse?).self) { group in
            for (index, name) in names.enumerated() {
                group.addTask { (index, try? await fleet.statusd(name).call(method, path, query, timeoutMilliseconds: 120_000)) }
            }
            var answers = [HTTPClientResponse?](repeating: nil, count: names.count)
            for await (index, answer) in group { answers[index] = answer }
            return Array(zip(names, answers)).map { (node: $0, answer: $1) }
        }
    }

    /// The folder that they run in.
    var fleet: LocalFleet { LocalFleet(directory: directory) }

    /// Starts the statusd of nodes that have none, and waits until it answers.
    func startAbsent() async throws {
        let living = fleet.processes().map(\.node)
        for node in try names() where !living.contains(node) && !fleet.isDisabled(node) {
            do throws(Rejection) { try fleet.start(node) } catch {
                say("error: \(node): \(error.detail)")
                throw ExitCode(69)
            }
            for _ in 0..<500 where (try? await fleet.statusd(node).call(.get, "/livez", timeoutMilliseconds: 1000)) == nil {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    /// Calls each node's statusd to do something, and prints what became of it. Those that are disabled are left alone.
    func operate(_ verb: String, _ query: [(String, String)] = [], json: Bool) async throws {
        var isDone = true
        for (node, answer) in try await ask(.post, "/v1/\(verb)", query) {
            if fleet.isDisabled(node), nodes.isEmpty { continue }
            let body = answer.flatMap { try? JSONValue(parsing: $0.body) }
            var members: [JSONValue.Member] = [.init("node", .string(node))]
            if let answer, answer.status < 300 {
                members += body?["meta"]?.members ?? []
            } else {
                isDone = false
                let why = (body?["errors"]?.items ?? []).compactMap { $0["detail"]?.string }.joined(separator: "\n  ")
                let absent =
                    fleet.isDisabled(node)
                    ? "it is disabled; first: intelmqctl enable \(node)"
                    : "its statusd does not answer; start it: intelmqctl start \(node)"
                members.append(.init("error", .string(answer == nil ? absent : why)))
            }
            if json {
                print(JSONValue.object(members).line)
            } else if let error = members.last, error.name == "error" {
                say("error: \(node): \(error.value.string ?? "")")
            } else {
                let words = members.dropFirst().map { "\($0.name) \($0.value.string ?? $0.value.line)" }
                print("\(node.padded(to: 24))\(words.joined(separator: ", "))")
            }
        }
        if !isDone { throw ExitCode(69) }
    }
}

/// A verb that each node's statusd carries out.
protocol FleetVerb {
    static var name: String { get }
    static var abstract: String { get }
    /// Whether a node whose statusd is gone gets a new one first.
    static var startsAbsent: Bool { get }
}

extension FleetVerb {
    static var startsAbsent: Bool { false }
}

struct Operate<Verb: FleetVerb>: AsyncParsableCommand {
    static var configuration: CommandConfiguration { CommandConfiguration(commandName: Verb.name, abstract: Verb.abstract) }
    @OptionGroup var nodes: FleetNodes
    @Flag(help: "One JSON object a line.") var json = false

    func run() async throws {
        if Verb.startsAbsent { try await nodes.startAbsent() }
        try await nodes.operate(Verb.name, json: json)
    }
}

enum Start: FleetVerb {
    static let name = "start", abstract = "Starts nodes that were stopped, and their statusd where it is gone."
    static let startsAbsent = true
}

enum Stop: FleetVerb {
    static let name = "stop"
    static let abstract = "Stops nodes; each finishes what is open. The nodes before them keep what they cannot send."
}

enum Restart: FleetVerb {
    static let name = "restart", abstract = "Stops nodes and starts them again."
}

enum Reload: FleetVerb {
    static let name = "reload"
    static let abstract = "Makes nodes read their configuration anew; what is refused is named, and the old one goes on."
}

enum Pause: FleetVerb {
    static let name = "pause", abstract = "Makes nodes take nothing and send nothing until `resume`."
}

enum Resume: FleetVerb {
    static let name = "resume", abstract = "Lets paused nodes go on."
}

extension ControlCommand {
    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "State, rates and queues of every node; exit code 1 when one does not run that should.")
        @OptionGroup var nodes: FleetNodes
        @Flag(help: "One JSON object a line.") var json = false

        func run() async throws {
            let all = try await nodes.status()
            if !json { print(NodeStatus.head) }
            for status in all {
                print(json ? status.value.line : status.line)
                if !json { for end in status.ends { print("    \(end.replacing("\n", with: "\n    "))") } }
            }
            if all.allSatisfy({ $0.state == "no statusd" }) {
                say("nothing runs in \(nodes.directory); start it: intelmqctl up GRAPH --directory \(nodes.directory)")
            }
            if !all.allSatisfy(\.isRight) { throw ExitCode(1) }
        }
    }

    struct Level: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "log-level", abstract: "Changes how much nodes log, until their next start.")
        @Option(help: "trace, debug, info, notice, warning, error or critical.") var level: String
        @OptionGroup var nodes: FleetNodes
        @Flag(help: "One JSON object a line.") var json = false
        func run() async throws { try await nodes.operate("log-level", [("level", level)], json: json) }
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
        let fleet = fleet
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
