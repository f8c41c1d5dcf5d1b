import ArgumentParser
import Glibc
import IDF
import Synchronization
import YAML

/// The worker that this process was called as, and the roster it comes from; set once before arguments are read.
struct Called: Sendable {
    let worker: RosterEntry
    let roster: Roster
    private static let box = Mutex<Called?>(nil)

    static var current: Called {
        guard let called = box.withLock({ $0 }) else { fatalError("no worker was chosen") }
        return called
    }
    static func choose(_ called: Called) { box.withLock { $0 = called } }

    /// What this program must be given to become this process again: a link's name says which worker it is, an argument does, too.
    static var arguments: [String] {
        let given = CommandLine.arguments.dropFirst()
        return given.first.flatMap { current.roster.worker(named: $0) } == nil ? [current.worker.name] + given : Array(given)
    }
}

/// Exit codes, as in sysexits.h.
enum Exit {
    static let usage: Int32 = 64, data: Int32 = 65, unavailable: Int32 = 69, io: Int32 = 74, configuration: Int32 = 78
}

/// Options about the configuration that every verb knows.
package struct ConfigurationOptions: ParsableArguments {
    package init() {}

    @Option(name: .long, help: "Configuration file of this service.")
    var config: String?

    @Option(name: .customLong("set"), parsing: .singleValue, help: "A setting as name=value; may be given several times.")
    var settings: [String] = []

    /// Finds and reads the configuration: `--config`, else `<name>.yaml` in INTELMQ_CONFIG_DIR, ./etc/config.d or
    /// /etc/intelmq/config.d; then `--set`. Without a file the defaults are used.
    /// - Parameter reads: whether the settings are read, which opens what they name.
    func read(settings reads: Bool = true) throws(ConfigurationError) -> ServiceConfiguration {
        let called = Called.current
        let found = config ?? Self.standardFile(for: called.worker)
        guard let found else {
            var text = "worker: \(called.worker.name)\n"
            if !settings.isEmpty { text += "settings:\n" + Self.lines(settings) }
            return try ConfigurationReader.read(
                Self.parse(text, "the command line"), roster: called.roster, expected: called.worker, settings: reads)
        }
        guard !settings.isEmpty else {
            return try ConfigurationReader.read(
                path: found, roster: called.roster, expected: called.worker, settings: reads)
        }
        // A setting given twice is the command line's; a file is read first so that its own errors keep their place.
        let file: YAMLDocument
        do { file = try YAMLDocument.read(path: found) } catch { throw ConfigurationError([error.diagnostic]) }
        let given = Set(settings.map { String($0.prefix { $0 != "=" }) })
        let rest = (file.root["settings"]?.pairs ?? []).filter { !given.contains($0.key.string ?? "") }
        var text = "settings:\n" + Self.lines(settings)
        for pair in rest { text += "  \(pair.key.string ?? ""): \(pair.value.flow)\n" }
        for pair in file.root.pairs ?? [] where pair.key.string != "settings" {
            text += "\(pair.key.string ?? ""): \(pair.value.flow)\n"
        }
        return try ConfigurationReader.read(
            Self.parse(text, "\(found) with --set"), roster: called.roster, expected: called.worker, settings: reads)
    }

    private static func parse(_ text: String, _ name: String) throws(ConfigurationError) -> YAMLDocument {
        do { return try YAMLDocument.parse(Array(text.utf8), file: name) } catch { throw ConfigurationError([error.diagnostic]) }
    }

    private static func lines(_ settings: [String]) -> String {
        settings.map { setting in
            let name = setting.prefix { $0 != "=" }
            return "  \(name): \(setting.dropFirst(name.count + 1))\n"
        }.joined()
    }

    /// `<worker>.yaml` in one of the usual folders; else the only file there that is for this worker.
    private static func standardFile(for worker: RosterEntry) -> String? {
        let own: String? = getenv("INTELMQ_CONFIG_DIR").map { String(cString: $0) }
        let folders = (own.map { [$0] } ?? []) + ["etc/config.d", "/etc/intelmq/config.d"]
        let exact: [String] = folders.map { "\($0)/\(worker.name).yaml" }
        if let found = exact.first(where: { access($0, R_OK) == 0 }) { return found }
        for folder in folders {
            let fitting = fileNames(in: folder).filter { $0.hasSuffix(".yaml") }.map { "\(folder)/\($0)" }.filter { path in
                (try? YAMLDocument.read(path: path))?.root["worker"]?.string == worker.name
            }
            if fitting.count == 1 { return fitting[0] }
        }
        return nil
    }
}

/// Says something to the person at the terminal.
public func say(_ text: String) { _ = writeAll(STDERR_FILENO, Array((text + "\n").utf8)) }

/// Prints a result.
public func put(_ text: String) { _ = writeAll(STDOUT_FILENO, Array((text.hasSuffix("\n") ? text : text + "\n").utf8)) }

/// The command line of every worker.
struct WorkerCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        let worker = Called.current.worker
        return CommandConfiguration(
            commandName: worker.programName, abstract: worker.spec.summary, discussion: Help.discussion(of: worker),
            version: Version.current,
            subcommands: [
                Serve.self, Run.self, Check.self, Sample.self, SchemaCommand.self, OpenAPICommand.self, Man.self, SelfTest.self,
                UpdateDatabase.self, DeadLetters.self, SpoolGroup.self, VersionCommand.self,
            ], defaultSubcommand: Serve.self)
    }
}

extension WorkerCommand {
    struct Serve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Runs the service until SIGTERM.")
        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "Go on in the background.") var daemon = false
        @Option(help: "So many processes on the same port, each with a spool of its own.") var processes = 1
        @Flag(name: .customLong("self-test"), help: "The same as the verb self-test.") var selfTest = false
        @Flag(name: .customLong("self-update-db"), help: "The same as the verb update-db.") var updateDatabase = false
        @Option(help: "The same as `run --stop-after`: a one-time run of so many events.") var stopAfter: Int?

        func run() async throws {
            if selfTest { return try await SelfTest.parse([]).run() }
            if updateDatabase { return try await UpdateDatabase.run(options) }
            if let stopAfter { return try await Run.run(options, files: [], stopAfter: stopAfter) }
            let configuration = try reading { () throws(ConfigurationError) in try options.read() }
            guard configuration.listen != nil || configuration.entry.family == .collector else {
                say(
                    "error: \(configuration.name) has nothing to serve: the configuration has no listen:, and without one only `run` makes sense"
                )
                say("  a complete configuration: \(Called.current.worker.programName) sample")
                throw ExitCode(Exit.configuration)
            }
            let entry = configuration.entry
            // An expert without edges answers who asks it, and refuses what would have to go on.
            if configuration.edges.isEmpty, entry.family == .parser || entry.family == .collector {
                say(
                    "error: \(configuration.name) has no edges: what it takes would be lost; add  edges: [{to: \"http://127.0.0.1:8081\"}]"
                )
                throw ExitCode(Exit.configuration)
            }
            if entry.family == .collector, configuration.state == nil {
                say(
                    "error: \(configuration.name) needs a folder to remember what it has fetched: add  state: /var/lib/intelmq/\(configuration.name)"
                )
                throw ExitCode(Exit.configuration)
            }
            if daemon { return try daemonise() }
            if Slot.own == nil, processes > 1 {
                let supervisor = Supervisor(
                    Called.arguments, count: processes, grace: configuration.limits.drain.duration + .seconds(5),
                    log: Log.worker(configuration.name, format: configuration.logFormat, level: configuration.logLevel))
                return await supervisor.run(signals: Signals.stream())
            }
            Supervisor.followSupervisor()
            // Before anything is opened: a signal during the start must not end the process as if nobody cared.
            let signals = Signals.stream()
            let runner = try reading { () throws(ConfigurationError) in
                try ServiceRunner(configuration, reread: { () throws(ConfigurationError) in try options.read() })
            }
            await runner.run(signals: signals)
        }

        /// Starts this program once more, in a session of its own, and prints its process id.
        private func daemonise() throws {
            var child = Spawn(Called.arguments.filter { $0 != "--daemon" })
            child.isSession = true
            do throws(Rejection) { put("\(try child.start())") } catch {
                say("error: \(error.detail)")
                throw ExitCode(Exit.io)
            }
        }
    }

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Runs once: standard input or files to standard output, one packet a line.",
            discussion: """
                Exit code 0: everything was processed, 65: some rows or events could not be, each is a warning on standard error; the
                others are written. 64 usage, 69 unavailable, 74 input or output, 78 configuration.
                """)
        @OptionGroup var options: ConfigurationOptions
        @Option(help: "Stop after so many events.") var stopAfter: Int?
        @Argument(help: "Files to read instead of standard input.") var files: [String] = []

        func run() async throws { try await Self.run(options, files: files, stopAfter: stopAfter) }

        static func run(_ options: ConfigurationOptions, files: [String], stopAfter: Int?) async throws {
            // Whoever reads the results may stop, as `head` does: a filter then ends without a word.
            signal(SIGPIPE, SIG_DFL)
            let configuration = try reading { () throws(ConfigurationError) in try options.read() }
            var filter = try reading { () throws(ConfigurationError) in try FilterRun(configuration, limit: stopAfter ?? .max) }
            let counted = filter
            filter.progress = RunProgress.shown(total: RunProgress.size(of: files), isFilter: true) { counted.events }
            var outcome = FilterRun.Outcome()
            if configuration.entry.family == .collector {
                outcome = await filter.collect()
            } else {
                for file in files.isEmpty ? ["-"] : files {
                    await filter.run(file, into: &outcome)
                    if outcome.exitCode != 0 { break }
                }
            }
            await filter.finish()
            filter.progress?.stop()
            if let problem = outcome.problem { say("error: \(problem)") }
            if outcome.failed > 0 {
                say("\(outcome.failed) rows or events could not be processed; see the warnings above")
                if outcome.exitCode == 0 { outcome.exitCode = Exit.data }
            }
            if isatty(STDERR_FILENO) != 0 { say("\(configuration.name): \(outcome.accepted) done") }
            if outcome.exitCode != 0 { throw ExitCode(outcome.exitCode) }
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Checks the configuration by the code that reads it at the start.")
        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "Answer as JSON.") var json = false

        func run() throws {
            var messages: [Diagnostic] = []
            do { _ = try options.read() } catch { messages = error.messages }
            if json {
                put(JSONValue.object(["ok": .boolean(messages.isEmpty), "errors": .array(messages.map(\.json))]).pretty())
            } else {
                put(messages.isEmpty ? "ok" : messages.map(\.description).joined(separator: "\n"))
            }
            if !messages.isEmpty { throw ExitCode(Exit.configuration) }
        }
    }

    struct Sample: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints a complete configuration with its explanations.")
        func run() { put(Renderer.sample(of: Called.current.worker)) }
    }

    struct SchemaCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "schema", abstract: "Prints the JSON Schema of the configuration.")
        func run() { put(Renderer.schema(of: Called.current.worker).pretty()) }
    }

    struct OpenAPICommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "openapi", abstract: "Prints the service's OpenAPI 3.1 document.")
        func run() { put(OpenAPI.document(of: Called.current.worker).pretty()) }
    }

    struct Man: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints the manual page: man -l <(intelmq WORKER man)")
        func run() { put(Renderer.man(of: Called.current.worker)) }
    }

    struct SelfTest: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tries the worker on built-in data, without network and configuration.")
        func run() async throws {
            let failures = KernelSelfTest.run(Called.current.worker)
            for failure in failures { say("failed: \(failure)") }
            put(failures.isEmpty ? "ok" : "\(failures.count) failed")
            if !failures.isEmpty { throw ExitCode(1) }
        }
    }

    struct UpdateDatabase: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "update-db", abstract: "Fetches the database the worker needs.")
        @OptionGroup var options: ConfigurationOptions
        func run() async throws { try await Self.run(options) }

        static func run(_ options: ConfigurationOptions) async throws {
            let configuration = try reading { () throws(ConfigurationError) in try options.read() }
            do throws(Rejection) {
                put(
                    try await configuration.worker.updateDatabase(
                        WorkerContext(stateDirectory: configuration.state, log: Log.worker(configuration.name))))
            } catch {
                say("error: \(error.detail)")
                throw ExitCode(error.isTemporary ? Exit.unavailable : Exit.data)
            }
        }
    }

    struct VersionCommand: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "version", abstract: "Prints the version.")
        func run() { put("\(Called.current.worker.programName) \(Version.current)") }
    }
}

/// Turns a configuration error into its words and exit code.
func reading<R>(_ body: () throws(ConfigurationError) -> R) throws -> R {
    do { return try body() } catch {
        say(error.description)
        throw ExitCode(Exit.configuration)
    }
}

/// The entrance of a worker's command line.
public enum WorkerProgram {
    /// Runs the worker's command line and ends the process.
    /// - Parameter arguments: without the program's name.
    public static func main(_ worker: RosterEntry, roster: Roster, arguments: [String]) async -> Never {
        Called.choose(Called(worker: worker, roster: roster))
        await WorkerCommand.main(arguments)
        exit(0)
    }
}
