import Glibc
import ServiceKernel

/// Measures what the project promises, on this machine, in one run. Run it from the root of the source tree.
@main
struct Bench {
    static let usage = """
        usage: bench INTELMQ_BINARY [--json] [--only NAME]
               --json        one JSON object a line: name, value, unit, and ratio where there is one
               --only NAME   one of: relay, durable, backlog, look-ups, rows, start, workflow, status, fleet, enrich
        """

    static func main() {
        var words = Array(CommandLine.arguments.dropFirst())
        var only: String?
        if let at = words.firstIndex(of: "--only"), at + 1 < words.count {
            only = words[at + 1]
            words.removeSubrange(at...(at + 1))
        }
        let json = words.contains("--json")
        words.removeAll { $0 == "--json" }
        guard words.count == 1, let binary = realPath(words[0]), only.map(parts.contains) ?? true else {
            say(usage)
            exit(64)
        }
        // Blocked before the first other thread is started, which inherits it: only this one waits for signals.
        signal(SIGPIPE, SIG_IGN)
        var stops = sigset_t()
        sigemptyset(&stops)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&stops, number) }
        pthread_sigmask(SIG_BLOCK, &stops, nil)
        let part = only
        Task.detached { exit(await run(Subject(binary: binary), Figures(json: json), only: part)) }
        var number: Int32 = 0
        while sigwait(&stops, &number) != 0 {}
        Running.stopAll()
        _exit(128 + number)
    }

    private static func run(_ subject: Subject, _ figures: Figures, only: String?) async -> Int32 {
        var code: Int32 = 0
        do throws(BenchError) {
            try await measure(subject, figures, only: only)
        } catch {
            say("error: \(error.text)")
            code = 1
        }
        Running.stopAll()
        return code
    }

    private static let parts = [
        "relay", "durable", "backlog", "look-ups", "rows", "start", "workflow", "status", "fleet", "enrich",
    ]

    private static func measure(_ subject: Subject, _ figures: Figures, only: String?) async throws(BenchError) {
        figures.begin()
        let all = only == nil
        if all || only == "relay" { try await RelayHop(subject: subject).measure(into: figures) }
        if all || only == "durable" { try await DurableHop(subject: subject).measure(into: figures) }
        if all || only == "backlog" { try await Backlog(subject: subject).measure(into: figures) }
        if all || only == "look-ups" { try await LookUps(subject: subject).measure(into: figures) }
        if all || only == "start" { try await StartUp(subject: subject).measure(into: figures) }
        if all || only == "rows" { try Rows().measure(into: figures) }
        if all || only == "workflow" { try await Workflow(subject: subject).measure(into: figures) }
        if all || only == "status" { try await StatusAnswers(subject: subject).measure(into: figures) }
        if all || only == "fleet" { try await FleetStatus(subject: subject).measure(into: figures) }
        if all || only == "enrich" { try await Enrich(subject: subject).measure(into: figures) }
        figures.end()
    }
}

/// Why nothing could be measured: a sentence for people.
struct BenchError: Error {
    let text: String
    init(_ text: String) { self.text = text }
}

/// The program that is measured, and the demonstration's files it is measured with.
struct Subject {
    let binary: String
    static let asnDatabase = "deploy/demo/asn.mmdb"
    static let schema = "deploy/demo/shadowserver-schema.json"
    static let report = "deploy/demo/2026-11-20-scan_rdp-demo.csv"
    static let workflow = "openapi/workflows/shadowserver.yaml"

    /// A file of the source tree by its full path, since services are started elsewhere.
    static func path(of file: String) throws(BenchError) -> String {
        guard let path = realPath(file) else {
            throw BenchError("there is no \(file) here; run this from the root of the source tree")
        }
        return path
    }
}
