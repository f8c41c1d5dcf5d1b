import Gateway
import Glibc
import IDF
public import ServiceKernel
import StatusDaemon

/// The one program of the fleet: what it is called as, or its first argument, says what it does.
public enum FleetProgram {
    /// Runs a worker, `intelmqctl`, or a verb of `intelmq` itself, and ends the process.
    public static func main(_ roster: Roster) async -> Never {
        var arguments = CommandLine.arguments
        let called = arguments.removeFirst().split(separator: "/").last.map(String.init) ?? "intelmq"
        if called == "intelmqctl" { await ControlProgram.main(roster, arguments) }
        if called == "intelmq-statusd" { await StatusDaemonProgram.main(roster, arguments) }
        if called == "intelmq-gateway" { await GatewayProgram.main(roster, arguments) }
        if called != "intelmq", let worker = roster.worker(named: called) {
            await WorkerProgram.main(worker, roster: roster, arguments: arguments)
        }
        guard let verb = arguments.first else { fail(usage, code: 64) }
        arguments.removeFirst()
        if verb == "ctl" || verb == "intelmqctl" { await ControlProgram.main(roster, arguments) }
        if verb == "statusd" { await StatusDaemonProgram.main(roster, arguments) }
        if verb == "gateway" { await GatewayProgram.main(roster, arguments) }
        if let worker = roster.worker(named: verb) { await WorkerProgram.main(worker, roster: roster, arguments: arguments) }
        switch verb {
        case "list":
            for entry in roster.workers { print(entry.name.padded(to: 26) + entry.spec.summary) }
            exit(0)
        case "install": install(roster, into: arguments.first)
        case "render":
            do {
                try RenderedDocuments.write(roster, into: arguments.first ?? ".")
                exit(0)
            } catch {
                fail("error: \(error)", code: 74)
            }
        case "completion":
            let shell = arguments.first ?? ""
            guard let script = Completion.script(for: shell, roster) else {
                let shells = Completion.shells.joined(separator: ", ")
                fail("error: completion for which shell? found \"\(shell)\", wanted one of \(shells)", code: 64)
            }
            print(script, terminator: "")
            exit(0)
        case "version", "--version":
            print("intelmq \(Version.current)")
            exit(0)
        case "help", "--help", "-h":
            print(usage)
            exit(0)
        default:
            let near = didYouMean(verb, in: roster.names + verbs).map { "; \($0)" } ?? ""
            fail("error: no worker or verb \"\(verb)\"\(near)\n\(usage)", code: 64)
        }
    }

    /// What `intelmq` knows besides workers.
    static let verbs = ["list", "ctl", "statusd", "gateway", "install", "render", "completion", "version", "help"]
    /// What every worker knows.
    static let workerVerbs = [
        "serve", "run", "check", "sample", "schema", "openapi", "man", "self-test", "update-db", "dead-letters", "spool",
        "version",
    ]

    static let usage = """
        usage: intelmq WORKER [\(workerVerbs.joined(separator: "|"))] [options]
               intelmq list               the workers
               intelmq ctl VERB           the workflow as a whole (also: intelmqctl VERB)
               intelmq statusd --config F runs, watches and operates one worker (also: intelmq-statusd)
               intelmq gateway            serves a workflow as one (also: intelmq-gateway)
               intelmq install DIRECTORY  a link per worker, intelmq-WORKER, intelmqctl, intelmq-statusd and intelmq-gateway
               intelmq render [DIRECTORY] writes the generated documents of the source tree
               intelmq completion SHELL   the completion script for bash, zsh or fish
               intelmq version
        help on a worker: intelmq WORKER --help
        """

    private static func install(_ roster: Roster, into directory: String?) -> Never {
        guard let directory else { fail("error: install needs a directory, as: intelmq install /usr/local/bin", code: 64) }
        var path = [CChar](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &path, path.count - 1)
        guard length > 0 else { fail("error: cannot find this program's own file", code: 74) }
        let program = String(decoding: path[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // However the folder is spelled: a link in the program's own place would be a link to itself.
        guard let real = realpath(directory, nil) else {
            fail("error: cannot link into \(directory): \(String(cString: strerror(errno)))", code: 74)
        }
        defer { free(real) }
        let own = String(cString: real) + "/intelmq"
        for name in roster.workers.map(\.programName) + ["intelmqctl", "intelmq-statusd", "intelmq-gateway"]
            + (program == own ? [] : ["intelmq"])
        {
            let link = "\(directory)/\(name)"
            unlink(link)
            guard symlink(program, link) == 0 else {
                fail("error: cannot link \(link): \(String(cString: strerror(errno)))", code: 74)
            }
            print(link)
        }
        exit(0)
    }
}

/// Says why and ends the process.
func fail(_ text: String, code: Int32) -> Never {
    say(text)
    exit(code)
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: Swift.max(1, width - count)) }
}
