import Glibc
import ServiceKernel

/// Proves that an acknowledged event is never lost: a workflow of five services is fed while they are killed, stopped and ended,
/// and when all is over every event that was acknowledged must be stored, unharmed.
@main
struct Torture {
    static func main() {
        guard let options = Options(Array(CommandLine.arguments.dropFirst())) else {
            say(Options.usage)
            exit(64)
        }
        // Blocked before the first other thread is started, which inherits it: only this one waits for signals.
        signal(SIGPIPE, SIG_IGN)
        var stops = sigset_t()
        sigemptyset(&stops)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&stops, number) }
        pthread_sigmask(SIG_BLOCK, &stops, nil)
        var folder: String?
        do throws(TortureError) {
            let root = try Machine.makeFolder()
            folder = root
            say("torture: \(Outcome.number(options.seconds)) s in \(root); again with --seed \(options.seed)")
            let end = try Storm(options, root: root).main(until: &stops)
            Machine.unmountDisks()
            let isKept = end.code != 0 && end.signal == nil
            if let signal = end.signal { say("stopped by signal \(signal); nothing is proved") }
            if isKept { say("logs, spools and table are kept: \(root)") } else { Machine.remove(root) }
            _exit(end.code)
        } catch {
            say("error: \(error.text)")
            Machine.unmountDisks()
            if let folder { Machine.remove(folder) }
            exit(1)
        }
    }
}

/// The command line.
struct Options: Sendable {
    static let usage = """
        usage: torture INTELMQ_BINARY [--seconds N] [--seed S] [--kill-every SECONDS] [--only PART]... [--json]
               --seconds N            length of the storm (30)
               --seed S               what happens to whom; a random one is printed
               --kill-every SECONDS   about how often a service is killed (0.3)
               --only PART            storm, outage, disk, damage, clock or power; without it all of them
               --json                 one JSON object
        Run it from the root of the source tree. It exits with 1 when anything is lost, damaged or stuck.
        """

    var binary = ""
    var seconds = 30.0
    var seed = UInt64.random(in: 0...999_999_999)
    var killEvery = 0.3
    var json = false
    var only: Set<Part> = []

    /// What a run is made of.
    enum Part: String, Sendable {
        /// Five services under kills, stops, replaced databases and bad clients.
        case storm
        /// Trials of two services each.
        case outage, disk, damage, clock, power
    }

    func has(_ part: Part) -> Bool { only.isEmpty || only.contains(part) }

    init?(_ words: [String]) {
        var binaries: [String] = []
        var rest = words[...]
        while let word = rest.popFirst() {
            switch word {
            case "--json": json = true
            case "--seconds":
                guard let value = rest.popFirst().flatMap({ Double($0) }), (1...1_000_000).contains(value) else { return nil }
                seconds = value
            case "--seed":
                guard let value = rest.popFirst().flatMap({ UInt64($0) }) else { return nil }
                seed = value
            case "--only":
                guard let part = rest.popFirst().flatMap({ Part(rawValue: $0) }) else { return nil }
                only.insert(part)
            case "--kill-every":
                guard let value = rest.popFirst().flatMap({ Double($0) }), (0.01...1_000_000).contains(value) else { return nil }
                killEvery = value
            default:
                guard !word.hasPrefix("-") else { return nil }
                binaries.append(word)
            }
        }
        guard binaries.count == 1, let found = Machine.realPath(binaries[0]), access(found, X_OK) == 0 else { return nil }
        binary = found
    }
}
