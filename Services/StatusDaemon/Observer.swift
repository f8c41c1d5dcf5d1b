import Glibc
import HTTP
import IDF
import ServiceKernel
import Synchronization

/// Asks the processes of a worker once a second, so that whoever asks statusd is answered from memory, however busy the worker is.
final class Observer: Sendable {
    private struct State {
        var rates = Rates()
        var statuses: [JSONValue?] = []
        /// The last page of each process, and what those before it have counted.
        var metrics = MetricsSum()
        var rounds = 0
        /// The round that has told last what is known.
        var told = 0
    }

    let sockets: [ControlSocket]
    private let configuration: ServiceConfiguration
    private let supervisor: Supervisor?
    private let state = Mutex(State())

    /// - Parameter supervisor: nil where statusd is attached to a worker that somebody else has started.
    init(_ configuration: ServiceConfiguration, folder: String, supervisor: Supervisor?) {
        self.configuration = configuration
        self.supervisor = supervisor
        let slots: [Int?] = supervisor?.processes.map(\.slot) ?? [nil]
        state.withLock { $0.statuses = slots.map { _ in nil } }
        sockets = slots.map { ControlSocket("\(Slot.folder(folder, $0))/control.sock") }
    }

    /// Waits until a process takes packets, has failed, or half a minute is over.
    func settle(_ index: Int) async {
        for _ in 0..<600 {
            if let answer = try? await sockets[index].call(.get, "/readyz", timeoutMilliseconds: 1000), answer.status == 200 {
                return
            }
            if let process = supervisor?.processes[index], process.failures > 0 || process.phase == .stopped && process.due == nil
            {
                return
            }
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Asks every process how it is.
    func round() async {
        let round = state.withLock { state in
            state.rounds += 1
            return state.rounds
        }
        let answers = await withTaskGroup(of: (Int, JSONValue?, String?).self) { group in
            for (index, socket) in sockets.enumerated() {
                group.addTask {
                    let answer = try? await socket.call(.get, "/v1/status", timeoutMilliseconds: 5000)
                    let status = answer.flatMap { $0.status == 200 ? try? JSONValue(parsing: $0.body) : nil }
                    let page = try? await socket.call(.get, "/metrics", timeoutMilliseconds: 5000)
                    return (index, status, page.flatMap { $0.status == 200 ? String(decoding: $0.body, as: UTF8.self) : nil })
                }
            }
            return await group.reduce(into: [(Int, JSONValue?, String?)]()) { $0.append($1) }
        }
        state.withLock { state in
            // Rounds may overtake each other: what was asked earlier would count again what has been counted since.
            guard round > state.told else { return }
            state.told = round
            for (index, status, page) in answers {
                state.statuses[index] = status
                // One that does not answer keeps its last page: a sum without it would look as if everything had begun anew.
                if let page { state.metrics.take(page, of: index) }
                guard let status else { continue }
                var counts = ["errors": status["errors"]?.integer ?? 0]
                for member in status["events"]?.members ?? [] { counts[member.name] = member.value.integer ?? 0 }
                state.rates.add(counts, of: index, pid: status["pid"]?.integer ?? 0)
            }
            state.rates.close(at: Self.now)
        }
    }

    private static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Whether the processes have been asked at all.
    var hasLooked: Bool { state.withLock { $0.told > 0 } }

    /// Whether at least one process takes packets.
    var isReady: Bool { state.withLock { $0.statuses.contains { $0?["state"]?.string == "running" } } }

    /// One word for all processes: the worst of them.
    var phase: String {
        let told = state.withLock { $0.statuses.map { $0?["state"]?.string } }
        guard let supervisor else { return told.first.flatMap(\.self) ?? "unreachable" }
        let phases = supervisor.processes.map(\.phase)
        for bad in [Supervisor.Phase.crashLoop, .restarting, .stopping] where phases.contains(bad) { return bad.rawValue }
        if phases.allSatisfy({ $0 == .stopped }) { return Supervisor.Phase.stopped.rawValue }
        let words = zip(told, supervisor.processes).enumerated().map { place, one in
            // One that has answered before and does not now hangs.
            one.0 ?? (state.withLock { $0.rates.knows(place, pid: Int(one.1.pid ?? 0)) } ? "unreachable" : "starting")
        }
        return words.first { $0 != "running" } ?? "running"
    }

    /// What `GET /v1/status` of statusd answers.
    var status: JSONValue {
        let phase = phase
        return state.withLock { state in
            let now = Self.now
            let known = state.statuses.compactMap(\.self)
            func rates(_ name: String) -> JSONValue {
                .object(Rates.windows.map { .init("\($0)m", .number("\(state.rates.rate(name, minutes: $0, at: now))")) })
            }
            let names = ["received", "sent", "dropped", "dead-lettered", "errors"]
            var members: [JSONValue.Member] = [
                .init("name", .string(configuration.name)), .init("worker", .string(configuration.entry.name)),
                .init("state", .string(phase)), .init("version", .string(Version.current)),
                .init("totals", .object(names.map { .init($0, .integer(state.rates.totals[$0] ?? 0)) })),
                .init("per-second", .object(names.map { .init($0, rates($0)) })),
                .init("edges", .array(Self.edges(known))),
            ]
            if known.contains(where: { $0["spool"] != nil }) {
                let sums = ["packets", "bytes", "dead-letters"].map { name in
                    JSONValue.Member(name, .integer(known.reduce(0) { $0 + ($1["spool"]?[name]?.integer ?? 0) }))
                }
                let oldest = known.map { $0["spool"]?["oldest-seconds"]?.integer ?? 0 }.max() ?? 0
                members.append(.init("spool", .object(sums + [.init("oldest-seconds", .integer(oldest))])))
                members.append(.init("accounts", .array(Self.accounts(known))))
            }
            members.append(.init("processes", .array(processes(state.statuses))))
            return .object(members)
        }
    }

    /// The accounts of all processes' spools, summed edge by edge.
    private static func accounts(_ statuses: [JSONValue]) -> [JSONValue] {
        let all = statuses.flatMap { $0["accounts"]?.items ?? [] }
        var names: [String] = []
        for name in all.compactMap({ $0["edge"]?.string }) where !names.contains(name) { names.append(name) }
        return names.map { name in
            let same = all.filter { $0["edge"]?.string == name }
            let sums = ["accepted", "delivered", "dead-lettered", "dropped", "lost", "in-spool"].map { count in
                JSONValue.Member(count, .integer(same.reduce(0) { $0 + ($1[count]?.integer ?? 0) }))
            }
            let isBalanced = same.allSatisfy { $0["is-balanced"]?.bool == true }
            return .object([.init("edge", .string(name))] + sums + [.init("is-balanced", .boolean(isBalanced))])
        }
    }

    /// The edges of all processes: counts summed, down when one is.
    private static func edges(_ statuses: [JSONValue]) -> [JSONValue] {
        let all = statuses.flatMap { $0["edges"]?.items ?? [] }
        var names: [String] = []
        for name in all.compactMap({ $0["name"]?.string }) where !names.contains(name) { names.append(name) }
        return names.map { name in
            let same = all.filter { $0["name"]?.string == name }
            return .object([
                "name": .string(name), "sent": .integer(same.reduce(0) { $0 + ($1["sent"]?.integer ?? 0) }),
                "is-ending": .boolean(same.contains { $0["is-ending"]?.bool == true }),
                "is-down": .boolean(same.contains { $0["is-down"]?.bool == true }),
                "in-spool": .integer(
                    statuses.flatMap { $0["accounts"]?.items ?? [] }.filter { $0["edge"]?.string == name }
                        .reduce(0) { $0 + ($1["in-spool"]?.integer ?? 0) }),
                "last-success": .integer(same.compactMap { $0["last-success"]?.integer }.max() ?? 0),
            ])
        }
    }

    private func processes(_ statuses: [JSONValue?]) -> [JSONValue] {
        let supervised = supervisor?.processes
        return statuses.indices.map { index in
            let process = supervised?[index]
            var members: [JSONValue.Member] = [
                .init("state", .string(process?.phase.rawValue ?? statuses[index]?["state"]?.string ?? "unreachable")),
                .init("pid", process?.pid.map { .integer($0) } ?? statuses[index]?["pid"] ?? .null),
            ]
            if let process {
                members += [
                    .init("started", process.started.map { .string("\($0)") } ?? .null),
                    .init("restarts", .integer(process.restarts)),
                    .init("last-end", process.lastEnd.map { .string($0) } ?? .null),
                ]
            }
            members.append(.init("answers", .boolean(statuses[index] != nil)))
            return .object(members)
        }
    }

    /// The metrics of all processes as one page, with those of statusd.
    var metrics: String {
        let sum = state.withLock { $0.metrics }
        var page = sum.text
        guard let processes = supervisor?.processes else { return page }
        func family(_ name: String, _ type: String, _ help: String, _ value: (Supervisor.Process) -> Int) {
            page += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
            for process in processes { page += "\(name){process=\"\(process.slot ?? 0)\"} \(value(process))\n" }
        }
        family("intelmq_process_up", "gauge", "Whether the process runs.") { $0.pid == nil ? 0 : 1 }
        family(
            "intelmq_process_restarts_total", "counter", "How often the process was started again after it had ended by itself."
        ) {
            $0.restarts
        }
        family("intelmq_process_crash_loop", "gauge", "Whether the process ends again and again at its start.") {
            $0.phase == .crashLoop ? 1 : 0
        }
        return page
    }
}
