import Logging
import ServiceKernel
import Synchronization

/// The configuration of the service as statusd knows it, and the doors that it opens; read anew when the worker has read it anew.
final class CurrentConfiguration: Sendable {
    private struct State {
        var configuration: ServiceConfiguration
        var door: Door
    }

    private let file: String
    private let log: Log
    private let state: Mutex<State>
    /// The door of statusd's own socket.
    let socketDoor = Door(tokens: [], tls: nil, listen: "unix:")

    init(_ configuration: ServiceConfiguration, file: String, log: Log) {
        self.file = file
        self.log = log
        state = Mutex(State(configuration: configuration, door: Self.door(configuration)))
    }

    /// The configuration in force.
    var value: ServiceConfiguration { state.withLock { $0.configuration } }
    /// The door of the port.
    var door: Door { state.withLock { $0.door } }

    private static func door(_ configuration: ServiceConfiguration) -> Door {
        Door(tokens: configuration.tokens, tls: configuration.tls, listen: configuration.statusd.listen, operates: true)
    }

    /// Takes the file's tokens in force; a file that is not right changes nothing.
    func reread() {
        do throws(ConfigurationError) {
            let fresh = try Self.read(file)
            state.withLock { $0 = State(configuration: fresh, door: Self.door(fresh)) }
        } catch {
            log.error("the new configuration is refused, the old one goes on")
        }
    }

    /// Reads a configuration; what its settings open is the worker's business and is closed again.
    static func read(_ file: String) throws(ConfigurationError) -> ServiceConfiguration {
        var configuration = try ConfigurationReader.read(path: file, roster: StatusDaemonProgram.roster)
        configuration.worker = configuration.entry.make()
        return configuration
    }
}
