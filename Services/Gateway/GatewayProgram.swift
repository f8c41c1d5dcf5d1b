import ArgumentParser
import Glibc
public import IDF
public import ServiceKernel
import Synchronization

/// `intelmq-gateway`: serves a workflow as one.
public enum GatewayProgram {
    private static let box = Mutex<Roster>(Roster([]))
    static var roster: Roster { box.withLock { $0 } }

    /// Runs the command line and ends the process.
    public static func main(_ roster: Roster, _ arguments: [String]) async -> Never {
        box.withLock { $0 = roster }
        await GatewayCommand.main(arguments)
        exit(0)
    }

    /// Its options, as JSON.
    package static var commandTree: String { GatewayCommand._dumpHelp() }

    /// The document of the gateway's own calls; a running one adds those of its nodes.
    public static let openAPI = ComposedDocument.own
}

struct GatewayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "intelmq-gateway",
        abstract: "Serves a workflow as one: its calls, its status, its graph, and its experts in a chain.",
        discussion: "One gateway a folder. It listens where the graph's own servers: says unless it is told otherwise.",
        version: Version.current)
    @Option(help: "Configuration file: listen, tokens, tls, limits, log, and settings: directory, graph, …") var config: String?
    @Option(help: "The workflow; with a configuration file: the one that its nodes were started with, which is taken in force.")
    var graph: String?
    @Option(help: "The folder given to `intelmqctl up`, where there is no configuration file.") var directory = "var"
    @Option(help: "Address and port.") var listen: String?

    func run() async throws {
        let gateway: Gateway
        do throws(ConfigurationError) {
            let configuration = try GatewaySettings.read(config: config, graph: graph, directory: directory, listen: listen)
            gateway = try Gateway(configuration, roster: GatewayProgram.roster, takesGraph: config != nil && graph != nil)
        } catch {
            say(error.description)
            throw ExitCode(78)
        }
        await gateway.run(signals: Signals.stream())
    }
}
