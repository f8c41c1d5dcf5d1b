import IDF
import ServiceKernel
import YAML

/// What is wrong with a workflow, found before anything starts.
package struct Finding: Sendable {
    /// The checks, each of which asks one question.
    package enum Check: String, Sendable, CaseIterable {
        /// Is it a graph, and is each node's configuration one that it would start with?
        case configtest
        /// Does every edge end where its data is taken, and is every node fed?
        case connectiontest
        /// Is on every path to a node something that it reads, and may what flows there be shared so far?
        case fieldcheck
    }

    package let check: Check
    package var diagnostic: Diagnostic
    /// The nodes on the way that the finding is about, first to last.
    package var path: [String] = []

    package var isError: Bool { diagnostic.level == .error }

    /// `{"check", "level", "message", "file", "line", "column", "help", "path"}`.
    package var json: JSONValue {
        var members: [JSONValue.Member] = [.init("check", .string(check.rawValue))] + (diagnostic.json.members ?? [])
        if !path.isEmpty { members.append(.init("path", .array(path.map { .string($0) }))) }
        return .object(members)
    }
}

extension Graph {
    /// All that can be found without starting anything. A start does the same first.
    /// - Returns: the graph, if it is one, and what is wrong with it.
    package static func check(path: String, roster: Roster, _ checks: [Finding.Check] = Finding.Check.allCases) -> (
        graph: Graph?, findings: [Finding]
    ) {
        do throws(ConfigurationError) {
            let graph = try Graph(path: path, roster: roster)
            return (graph, graph.findings(roster, checks))
        } catch {
            return (nil, error.messages.map { Finding(check: .configtest, diagnostic: $0) })
        }
    }

    /// The same of a graph that is read already.
    package func findings(_ roster: Roster, _ checks: [Finding.Check] = Finding.Check.allCases) -> [Finding] {
        var findings: [Finding] = []
        if checks.contains(.configtest) { findings += configurationFindings(roster) }
        if checks.contains(.connectiontest) { findings += connectionFindings }
        if checks.contains(.fieldcheck) { findings += fieldFindings(roster) }
        return findings
    }

    private func configurationFindings(_ roster: Roster) -> [Finding] {
        var messages: [Diagnostic] = []
        for node in nodes {
            do throws(ConfigurationError) {
                _ = try ConfigurationReader.read(configuration(of: node, state: nil), roster: roster, expected: node.entry)
            } catch {
                messages += error.messages
            }
        }
        do throws(ConfigurationError) { _ = try Chains(self) } catch { messages += error.messages }
        if messages.isEmpty {
            // Some things show only when a worker opens what it needs.
            do throws(ConfigurationError) { _ = try WorkflowRun(self, roster: roster, isTrial: true) } catch {
                messages = error.messages
            }
        }
        return messages.map { Finding(check: .configtest, diagnostic: $0) }
    }

    func finding(
        _ check: Finding.Check, _ message: String, at node: YAMLNode, _ help: String? = nil, level: Diagnostic.Level = .error,
        path: [String] = []
    ) -> Finding {
        var diagnostic = document.diagnostic(message, at: node, help: help)
        diagnostic.level = level
        return Finding(check: check, diagnostic: diagnostic, path: path)
    }
}
