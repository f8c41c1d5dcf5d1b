import IDF
import ServiceKernel
import ServiceKernelTesting
import Synchronization
import YAML

/// A case of a workflow: what is given at one node, and which events come to others.
///
/// ```yaml
/// - title: a scan becomes a stored event
///   at: shadowserver
///   file-name: 2026-11-20-scan_http-test.csv
///   given: |
///     "timestamp","ip","port"
///     "2026-11-20 10:00:00","192.0.2.1","80"
///   expect:
///     store: [{source.ip: 192.0.2.1, source.port: 80}]
///     mail: []
/// ```
///
/// `given` is the text of a report for a parser (or `given-file`, a path beside the cases), and events for others. Of each event the
/// fields that are named must be as they are expected; others may be there. The events of a node stand in the order they come.
package struct WorkflowCase {
    package let title: String
    private let at: YAMLNode
    private let node: YAMLNode
    private let document: YAMLDocument

    private static let members = ["title", "at", "given", "given-file", "file-name", "feed", "expect"]

    /// Reads a file of cases for a graph.
    package static func read(path: String, for graph: Graph) throws(ConfigurationError) -> [WorkflowCase] {
        let document: YAMLDocument
        do throws(YAMLError) { document = try YAMLDocument.read(path: path) } catch {
            throw ConfigurationError([error.diagnostic])
        }
        guard let items = document.root.array, !items.isEmpty else {
            throw ConfigurationError([
                document.diagnostic(
                    "cases are a list", at: document.root, help: "as: - {title: …, at: NODE, given: …, expect: {NODE: […]}}")
            ])
        }
        var cases: [WorkflowCase] = []
        var messages: [Diagnostic] = []
        for item in items {
            do throws(ConfigurationError) { cases.append(try WorkflowCase(item, document, graph)) } catch {
                messages += error.messages
            }
        }
        guard messages.isEmpty else { throw ConfigurationError(messages) }
        return cases
    }

    private init(_ node: YAMLNode, _ document: YAMLDocument, _ graph: Graph) throws(ConfigurationError) {
        func wrong(_ message: String, _ place: YAMLNode, _ help: String?) -> ConfigurationError {
            ConfigurationError([document.diagnostic(message, at: place, help: help)])
        }
        for (key, _) in node.pairs ?? [] where !Self.members.contains(key.string ?? "") {
            let name = key.string ?? ""
            throw wrong("unknown member \"\(name)\" of a case", key, advice(on: name, known: Self.members))
        }
        guard let title = node["title"]?.string, let at = node["at"], let expect = node["expect"]?.pairs else {
            throw wrong("a case needs title:, at: (a node), given: and expect: (events by node)", node, nil)
        }
        let names = graph.nodes.map(\.name)
        for place in [at] + expect.map(\.key) where !names.contains(place.string ?? "") {
            let near = didYouMean(place.string ?? "", in: names)
            throw wrong("no node \"\(place.string ?? "")\"", place, near ?? "there are: \(names.joined(separator: ", "))")
        }
        (self.title, self.at, self.node, self.document) = (title, at, node, document)
    }

    /// Runs the case in a workflow of its own, whose outputs write nothing. Answers what is not as expected; nothing when it holds.
    package func run(_ graph: Graph, roster: Roster) async throws(ConfigurationError) -> [Diagnostic] {
        let arrived = Mutex<[String: [Event]]>([:])
        let outputs = Set(graph.nodes.filter { $0.entry.family == .output }.map(\.name))
        let run = try WorkflowRun(graph, roster: roster, isTrial: true) { name, packet in
            arrived.withLock { $0[name, default: []] += packet.events }
            return !outputs.contains(name)
        }
        if let problem = try await give(to: run) { return [document.diagnostic(problem, at: node["given"] ?? at)] }
        var differences: [Diagnostic] = []
        for (key, wanted) in node["expect"]?.pairs ?? [] {
            let name = key.string ?? ""
            let events = arrived.withLock { $0[name] ?? [] }
            let items = wanted.isNull ? [] : wanted.array ?? [wanted]
            if events.count != items.count {
                differences.append(
                    document.diagnostic("\(events.count) events came to \(name), expected \(items.count)", at: key))
            }
            for (event, item) in zip(events, items) {
                differences += FlatEvent(event).differences(from: item, id: event.id, isPartial: true).map {
                    document.diagnostic("at \(name): \($0)", at: item)
                }
            }
        }
        return differences
    }

    /// Gives the node what the case says; answers why it does not take it.
    private func give(to run: WorkflowRun) async throws(ConfigurationError) -> String? {
        guard let service = run.service(at.string ?? "") else { return "the node \(at.string ?? "") takes nothing" }
        do throws(CaseError) {
            let answer: Answer
            if service.configuration.entry.family == .parser {
                var report = Report(content: try content())
                if let feed = node["feed"], let fields = try events(feed, type: "report").reports.first?.fields {
                    report.fields = fields
                }
                if let name = node["file-name"]?.string { report.fields.add(Key<String>.fileName.id, text: name) }
                answer = await service.take(report)
            } else {
                guard let given = node["given"] else {
                    throw CaseError("given: is missing: the events that come to \(at.string ?? "")")
                }
                answer = await service.take(try events(given), started: .now)
            }
            return answer.isAccepted ? nil : answer.problems.map(\.description).joined(separator: "; ")
        } catch {
            throw ConfigurationError([document.diagnostic(error.description, at: node["given"] ?? at)])
        }
    }

    private func content() throws(CaseError) -> [UInt8] {
        if let text = node["given"]?.string { return Array(text.utf8) }
        guard let name = node["given-file"]?.string else {
            throw CaseError("given: (the text of a report) or given-file: is missing")
        }
        let folder = document.file.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let path = name.hasPrefix("/") || folder.isEmpty ? name : "\(folder)/\(name)"
        guard let bytes = readFile(path) else { throw CaseError("cannot read \(path)") }
        return bytes
    }
}
