import Glibc
import HTTP
import IDF
import Logging
import ServiceKernel
import Workflow

extension Gateway {
    /// Reads and checks a document that may be put in force.
    func edition(of text: [UInt8], number: Int) throws(Problems) -> Edition {
        let file = generations.candidate
        do throws(Rejection) { try replaceFile(file, with: text, mode: 0o600) } catch {
            throw Problems([Problem(503, "unavailable", error.detail)])
        }
        defer { unlink(file) }
        do throws(ConfigurationError) {
            let graph = try Graph(path: file, roster: roster)
            try check(graph)
            return try Edition(graph, number: number)
        } catch {
            throw Problems(error.problems)
        }
    }

    /// Puts a document in force: what is new is started first, then what has changed, and what is gone ends when it has delivered
    /// all. When a node does not start, everything goes back to what it was.
    /// - Parameter expected: the generation that the caller has seen; nil: whichever it is.
    func change(to text: [UInt8], from expected: Int?, by caller: String, change: String) async throws(Problems) -> Plan {
        while case let (done, other) = work.compareExchange(expected: 0, desired: 2, ordering: .acquiring), !done {
            guard other == 1, (try? await Task.sleep(for: .milliseconds(20))) != nil else {
                throw conflict("another change is being made to generation \(edition.number); look again when it is done")
            }
        }
        defer { work.store(0, ordering: .releasing) }
        let before = edition
        guard expected ?? before.number == before.number else {
            throw conflict(
                "generation \(before.number) is in force, and this change was made to \(expected ?? 0): get the document again, and make it there"
            )
        }
        let graph = try edition(of: text, number: before.number + 1).graph
        let plan = Plan(graph, fleet: fleet, roster: roster)
        do throws(Rejection) {
            try await carryOut(plan)
            let number = try generations.add(text, by: caller, change: change)
            let edition: Edition
            do throws(ConfigurationError) {
                edition = try Edition(try Graph(path: generations.path(number), roster: roster), number: number)
            } catch { throw .unavailable(error.withoutSource.description) }
            inForce.withLock { $0 = edition }
        } catch {
            throw await goBack(to: before, because: error)
        }
        await look()
        return plan
    }

    func conflict(_ text: String) -> Problems { Problems([Problem(409, "conflict", text)]) }

    private func carryOut(_ plan: Plan) async throws(Rejection) {
        for step in plan.steps where step.action == .start { try await fleet.launch(step.node, step.text) }
        for step in plan.steps {
            switch step.action {
            case .reload: try await reload(step.node, step.text)
            case .restart: try await restart(step.node, step.text)
            case .start, .goOn, .stop: break
            }
        }
    }

    private func restart(_ node: String, _ text: String) async throws(Rejection) {
        guard await fleet.end(node) else { throw .unavailable("the node \(node) does not end") }
        try await fleet.launch(node, text)
    }

    private func reload(_ node: String, _ text: String) async throws(Rejection) {
        try fleet.write(node, text)
        do throws(HTTPClientError) {
            let answer = try await watch.statusd(node).call(.post, "/v1/reload", timeoutMilliseconds: 60_000)
            guard answer.status >= 300 else { return }
            let errors = (try? JSONValue(parsing: answer.body))?["errors"]?.items ?? []
            throw HTTPClientError.protocol(errors.compactMap { $0["detail"]?.string }.joined(separator: "; "))
        } catch {
            throw .unavailable("the node \(node) does not take its new configuration: \(error)")
        }
    }

    /// Going back is a change like any other: what was sent over new edges meanwhile is delivered, too.
    private func goBack(to before: Edition, because why: Rejection) async -> Problems {
        log.error("the new graph is not in force: \(why.detail)")
        var problems = [Problem(503, "not-in-force", "\(why.detail); generation \(before.number) stays in force")]
        do throws(Rejection) { try await carryOut(Plan(before.graph, fleet: fleet, roster: roster)) } catch {
            log.error("a node does not run as before: \(error.detail)")
            problems.append(Problem(503, "not-as-before", "and a node does not run as before: \(error.detail)"))
        }
        // What was started for the new graph goes before anybody is told that there is none of it.
        await look()
        return Problems(problems)
    }
}
