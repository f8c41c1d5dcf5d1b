import ArgumentParser
import Glibc
import HTTP
import IDF
import Logging
public import ServiceKernel
import Synchronization

/// `intelmq-statusd`: the small daemon beside a worker.
public enum StatusDaemonProgram {
    private static let box = Mutex<Roster>(Roster([]))
    static var roster: Roster { box.withLock { $0 } }

    /// Runs the command line and ends the process.
    public static func main(_ roster: Roster, _ arguments: [String]) async -> Never {
        box.withLock { $0 = roster }
        await StatusDaemonCommand.main(arguments)
        exit(0)
    }

    /// The tree of its verbs and their options, as JSON.
    package static var commandTree: String { StatusDaemonCommand._dumpHelp() }

    /// Name of statusd's own socket in the folder of the control sockets.
    public static let socketName = "statusd.sock"
}

struct StatusDaemonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "intelmq-statusd", abstract: "Runs, watches and operates one worker; never in the way of its data.",
        discussion: """
            It starts the worker's processes, starts a crashed one again, answers for them on a Unix socket beside their control
            sockets and, where the configuration says statusd: {listen: ADDRESS:PORT}, over HTTP.
            """,
        version: Version.current, subcommands: [Serve.self, Health.self], defaultSubcommand: Serve.self)

    struct Options: ParsableArguments {
        @Option(help: "Configuration file of the service.") var config: String

        func read() throws -> (configuration: ServiceConfiguration, folder: String) {
            do throws(ConfigurationError) {
                let configuration = try CurrentConfiguration.read(config)
                guard let folder = configuration.controlFolder else {
                    throw ConfigurationError([
                        "error: \(configuration.name) has no folder for its control socket: add  control: /run/intelmq/\(configuration.name)  or  state: to \(config)"
                    ])
                }
                return (configuration, folder)
            } catch {
                say(error.description)
                throw ExitCode(78)
            }
        }
    }

    struct Serve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Runs until SIGTERM; then stops the worker, too.")
        @OptionGroup var options: Options
        @Flag(help: "Watch a worker that something else has started (a sidecar); neither starts nor stops it.") var attach = false

        func run() async throws {
            let (configuration, folder) = try options.read()
            let daemon: StatusDaemon
            do throws(ConfigurationError) {
                daemon = try StatusDaemon(configuration, file: options.config, folder: folder, isAttached: attach)
            } catch {
                say(error.description)
                throw ExitCode(78)
            }
            await daemon.run(signals: Signals.stream())
        }
    }

    struct Health: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Asks the running statusd whether the worker takes packets; exit code 1 when not. For container engines.")
        @OptionGroup var options: Options

        func run() async throws {
            let (_, folder) = try options.read()
            let socket = ControlSocket("\(folder)/\(StatusDaemonProgram.socketName)")
            guard let answer = try? await socket.call(.get, "/readyz", timeoutMilliseconds: 5000) else {
                say("error: no statusd answers on \(socket.path)")
                throw ExitCode(1)
            }
            put(String(decoding: answer.body, as: UTF8.self))
            if answer.status != 200 { throw ExitCode(1) }
        }
    }
}

/// A running statusd.
struct StatusDaemon {
    private let current: CurrentConfiguration
    private let supervisor: Supervisor?
    private let observer: Observer
    private let servers: [HTTPServer]
    private let log: Log
    private let lock: Int32

    init(_ configuration: ServiceConfiguration, file: String, folder: String, isAttached: Bool) throws(ConfigurationError) {
        log = Log.worker("\(configuration.name)-statusd", format: configuration.logFormat, level: configuration.logLevel)
        current = CurrentConfiguration(configuration, file: file, log: log)
        do throws(Rejection) { try makeFolder(folder) } catch { throw ConfigurationError(["error: \(error.detail)"]) }
        // Two of them would start the worker twice.
        lock = try takeLock("\(folder)/statusd.lock", for: "a statusd of \(configuration.name)")
        supervisor =
            isAttached
            ? nil
            : Supervisor(
                [configuration.entry.name, "serve", "--config", file], count: configuration.statusd.processes,
                grace: .seconds(configuration.limits.drain.seconds + 5), log: log)
        observer = Observer(configuration, folder: folder, supervisor: supervisor)
        var servers: [HTTPServer] = []
        for listen in [nil, configuration.statusd.listen] where listen != nil || servers.isEmpty {
            var http = HTTPServerConfiguration(
                listening: listen ?? "unix:\(folder)/\(StatusDaemonProgram.socketName)",
                tls: listen == nil ? nil : configuration.tls)
            http.unixSocketMode = 0o600
            http.connectionLimit = configuration.limits.connections
            http.connectionTimeout = max(1, Int(configuration.limits.idle.seconds))
            let handler = StatusHandler(current, observer: observer, supervisor: supervisor, listen: listen, log: log)
            do { servers.append(try HTTPServer(http, handler: handler)) } catch {
                throw ConfigurationError([
                    "error: statusd of \(configuration.name) cannot listen on \(listen ?? folder): \(error)"
                ])
            }
        }
        self.servers = servers
    }

    func run(signals: AsyncStream<Int32>) async {
        let watching = Task {
            while !Task.isCancelled {
                await observer.round()
                // Whoever waits for this service to be ready should not wait for the next second.
                try? await Task.sleep(for: observer.isReady ? .seconds(1) : .milliseconds(100))
            }
        }
        let guarding = Task {
            var doors = DoorWatch(current.value)
            while (try? await Task.sleep(for: .seconds(1))) != nil {
                doors.look(current.value, Array(servers.dropFirst()), log)
            }
        }
        log.notice("started", metadata: ["pid": "\(getpid())"])
        if let supervisor {
            await supervisor.run(signals: signals) { current.reread() }
        } else {
            for await signal in signals {
                guard signal == SIGHUP else { break }
                current.reread()
            }
        }
        watching.cancel()
        guarding.cancel()
        for server in servers { await server.stop(deadline: .seconds(1)) }
        close(lock)
        log.notice("stopped")
    }
}
