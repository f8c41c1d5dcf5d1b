internal import CMalloc
import Glibc
public import HTTP
import IDF
import Logging
import Synchronization
import Threads

/// Runs one service as a daemon: listener, pumps, rounds of a collector, signals, draining.
public final class ServiceRunner: Sendable {
    /// The service.
    public let service: Service
    private let server: HTTPServer?
    private let control: HTTPServer?
    /// The port that is listened on; 0 without a TCP listener.
    public var port: UInt16 { server?.port ?? 0 }

    /// Starts listening.
    /// - Parameter reread: reads the configuration anew when the service is told to reload.
    public init(
        _ configuration: ServiceConfiguration, client: HTTPClient? = nil, reread: Service.Reread? = nil
    ) throws(ConfigurationError) {
        Self.keepMemory
        var configuration = configuration
        configuration.takeSlot(Slot.own)
        let log = Log.worker(configuration.name, format: configuration.logFormat, level: configuration.logLevel)
        let edges = try Self.edges(of: configuration, client: client)
        service = try Service(configuration, edges: edges, log: log, reread: reread)
        guard let listen = configuration.listen else {
            server = nil
            control = Self.control(service)
            return
        }
        var http = HTTPServerConfiguration(listening: listen, tls: configuration.tls)
        http.threads = configuration.threads
        http.reusePort = configuration.slot != nil
        // The library reads bodies in pieces of this size, and clears it at every request: much for packets, little for look-ups.
        http.headerLimit = configuration.entry.spec.lookup == nil ? 128 << 10 : 16 << 10
        http.connectionLimit = configuration.limits.connections
        http.connectionTimeout = max(1, Int(configuration.limits.idle.seconds))
        do {
            server = try HTTPServer(http, handler: ServiceHandler(service))
        } catch {
            throw ConfigurationError(["error: \(configuration.name) cannot listen on \(listen): \(error)"])
        }
        // Last: who answers here is one that has started.
        control = Self.control(service)
    }

    /// The control socket, which only the service's own user may open.
    private static func control(_ service: Service) -> HTTPServer? {
        guard let socket = service.configuration.controlSocket else { return nil }
        do throws(Rejection) { try makeFolder(String(socket.dropLast("/control.sock".utf8.count))) } catch {
            service.log.warning("no control socket: \(error.detail)")
            return nil
        }
        var http = HTTPServerConfiguration(listening: "unix:\(socket)")
        http.unixSocketMode = 0o600
        do {
            return try HTTPServer(http, handler: ControlHandler(service))
        } catch {
            // The service can do its work without; who wants to operate it is told.
            service.log.warning("no control socket: \(error)")
            return nil
        }
    }

    /// A packet takes about a megabyte, hundreds of times a second: memory that went back to the kernel each time would come back
    /// page by page. So some is kept, in few places.
    private static let keepMemory: Void = {
        mallopt(M_MMAP_THRESHOLD, 8 << 20)
        mallopt(M_TRIM_THRESHOLD, 16 << 20)
        mallopt(M_ARENA_MAX, 4)
    }()

    static func edges(of configuration: ServiceConfiguration, client: HTTPClient?) throws(ConfigurationError) -> [Edge] {
        var shared = client
        var edges: [Edge] = []
        for edge in configuration.edges {
            let channel: any OutChannel
            if configuration.isAtRest {
                channel = RestingChannel()
            } else if edge.to.hasPrefix("file://") {
                channel = try FileChannel(path: String(edge.to.dropFirst(7)))
            } else if edge.to == "stdout:" {
                channel = FileChannel(descriptor: STDOUT_FILENO, name: "standard output")
            } else {
                let client = shared ?? HTTPClient(connectionsPerHost: configuration.limits.inFlight * 2)
                shared = client
                channel = HTTPChannel(edge, client: client, tls: configuration.tls, timeout: configuration.limits.timeout)
            }
            edges.append(
                Edge(
                    name: edge.name, channel: channel, filter: edge.filter, isEnding: edge.isEnding,
                    inFlight: configuration.limits.inFlight))
        }
        return edges
    }

    /// Works until SIGTERM or SIGINT, then finishes what is open and returns.
    public func run(signals: AsyncStream<Int32>) async {
        let name = service.configuration.name
        let place = service.configuration.listen.map { $0.hasPrefix("unix:") ? $0 : "port \(port)" } ?? "no listener"
        service.log.notice(
            "started", metadata: ["listen": "\(place)", "ack": "\(service.configuration.ack.rawValue)", "pid": "\(getpid())"])
        await service.adoptAbandoned()
        service.tellStranded()
        await withTaskGroup(of: Void.self) { group in
            if service.isDurable || service.spool != nil {
                for edge in service.edges + service.ending { group.addTask { await self.service.pump(edge) } }
            }
            if service.configuration.entry.family == .collector { group.addTask { await self.service.rounds() } }
            group.addTask {
                var doors = DoorWatch(self.service.configuration)
                while (try? await Task.sleep(for: .seconds(1))) != nil {
                    self.service.refresh()
                    doors.look(self.service.configuration, [self.server].compactMap(\.self), self.service.log)
                }
            }
            for await signal in signals {
                if signal == SIGHUP {
                    await service.reloadBySignal()
                    continue
                }
                break
            }
            service.log.notice("stopping: finishing what is open", metadata: ["service": "\(name)"])
            service.drain()
            server?.quiesce()
            await server?.stop(deadline: service.configuration.limits.drain.duration)
            group.cancelAll()
            await control?.stop(deadline: .seconds(1))
            await service.close()
        }
        service.log.notice("stopped")
    }
}

extension Service {
    /// Takes over what processes have left that are not started any more: packets for each edge that still needs them, dead letters.
    func adoptAbandoned() async {
        guard let state = configuration.state else { return }
        for folder in Slot.abandoned(beside: state, slot: configuration.slot) {
            guard access("\(folder)/spool.sqlite", F_OK) == 0 else { continue }
            do {
                let spool = try openSpool()
                let (packets, letters) = try await spool.adopt(from: folder)
                if packets > 0 || letters > 0 {
                    log.notice(
                        "took over what another process has left",
                        metadata: ["from": "\(folder)", "packets": "\(packets)", "dead-letters": "\(letters)"])
                }
            } catch {
                log.error(
                    "cannot take over what another process has left; it stays there",
                    metadata: ["from": "\(folder)", "error": "\(error)"])
            }
        }
    }
}

/// Signals as a stream. A handler may do next to nothing, so it writes into a pipe that a thread reads.
public enum Signals {
    /// SIGTERM, SIGINT and SIGHUP from now on. The second SIGTERM or SIGINT ends the process at once; what is in the spool stays there.
    public static func stream() -> AsyncStream<Int32> {
        signal(SIGPIPE, SIG_IGN)
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
        guard let ends = try? Spawn.pipe() else { fatalError("no pipe for signals") }
        signalPipe.store(ends.write, ordering: .relaxed)
        for number in [SIGTERM, SIGINT, SIGHUP] {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = writeSignal
            action.sa_flags = SA_RESTART
            sigaction(number, &action, nil)
        }
        let end = ends.read
        startThread {
            var stops = 0
            var first = ContinuousClock.now
            while true {
                var number: UInt8 = 0
                guard read(end, &number, 1) == 1 else { continue }
                if Int32(number) != SIGHUP {
                    // A terminal and a supervisor may tell the same stop within moments.
                    if stops == 0 { first = .now } else if ContinuousClock.now - first < .milliseconds(500) { continue }
                    stops += 1
                    if stops > 1 { _exit(1) }
                }
                continuation.yield(Int32(number))
            }
        }
        return stream
    }
}

private let signalPipe = Atomic<Int32>(-1)

private func writeSignal(_ number: Int32) {
    let before = errno
    var byte = UInt8(truncatingIfNeeded: number)
    write(signalPipe.load(ordering: .relaxed), &byte, 1)
    errno = before
}

extension HTTPServerConfiguration {
    /// Where a service listens: `127.0.0.1:8080`, `[::1]:8080` or `unix:/run/x.sock`.
    package init(listening listen: String, tls: TLSConfiguration? = nil) {
        self.init()
        if listen.hasPrefix("unix:") {
            unixSocket = String(listen.dropFirst(5))
        } else {
            let parts = listen.split(separator: ":")
            port = parts.last.flatMap { UInt16($0) } ?? 0
            address = String(listen.dropLast((parts.last?.count ?? 0) + 1)).replacing("[", with: "").replacing("]", with: "")
            if address == "localhost" { address = "127.0.0.1" }
        }
        self.tls = tls.map {
            HTTPServerTLS(certificateFile: $0.certificate, keyFile: $0.key, authorityFile: $0.clientAuthority)
        }
    }
}
