import Glibc
public import Logging
public import YAML

/// How one service runs: which worker, its settings, where it listens, where its events go. One YAML file.
public struct ServiceConfiguration: Sendable {
    /// Which worker it is.
    public let entry: RosterEntry
    /// The worker, its settings read and checked.
    public var worker: any Worker
    /// Name of this service in logs, metrics and dead letters: the file's name.
    public var name: String
    /// Address and port, as `127.0.0.1:8080`, or `unix:/run/x.sock`; nil: no HTTP listener.
    public var listen: String?
    /// Where events go.
    public var edges: [EdgeConfiguration] = []
    /// When the service acknowledges.
    public var ack: AckMode
    /// Folder for the spool, the dead letters and the worker's state.
    public var state: String?
    /// Limits.
    public var limits = Limits()
    /// Lowest level logged.
    public var logLevel: Logger.Level = .info
    /// How log lines are written.
    public var logFormat: LogFormat = .text
    /// Threads that serve HTTP.
    public var threads = 1
    /// Folder of the control socket; nil: the folder of the state.
    public var control: String?
    /// Tokens that callers must show.
    public var tokens: [AccessToken] = []
    /// Certificate and key of the listener.
    public var tls: TLSConfiguration?
    /// The daemon beside the service.
    public var statusd = StatusDaemonConfiguration()
    /// Allows a listener beyond loopback without authentication.
    public var isInsecure = false
    /// Whether `fill` replaces values that are there.
    public var overwrite = false
    /// Whether parsers keep the source row in `event.original`.
    public var keepsOriginal = true
    /// How the reports that a parser is given are written; nil: in UTF-8, or as the parser finds out itself.
    public var encoding: Encoding?
    /// Organisation written into packets.
    public var producer: String?
    /// Whether this is a one-time run: results go where the run says, dead letters to the log.
    public var isOneTime = false
    /// Whether nothing will run: the configuration is only tried.
    public var isTrial = false
    /// Whether only the spool is looked into: the worker and its edges are neither opened nor made.
    var isAtRest = false
    /// Which of several processes on the same port this is.
    public private(set) var slot: Int?
    /// Tells one edition of the configuration from another, its variables and secrets put in, without keeping it.
    var edition = 0
    /// The same of the settings.
    var settingsEdition = 0
    /// The settings that hold a secret from a file, as they may be shown.
    var maskedSettings: [String: String] = [:]

    /// Bounds that keep a service alive whatever it is sent.
    public struct Limits: Sendable {
        /// Largest packet body, before and after decompression.
        public var body = ByteCount.mebibytes(16)
        /// Largest report body.
        public var report = ByteCount.mebibytes(256)
        /// Most events in one packet.
        public var events = 10_000
        /// Largest spool; new packets are refused beyond.
        public var spool = ByteCount(bytes: 4 << 30)
        /// Events that a parser or collector puts into one packet.
        public var batch = 500
        /// Packets in flight on one edge.
        public var inFlight = 16
        /// Time a next hop has to answer.
        public var timeout = Interval(seconds: 60)
        /// Time an idle or slow client is kept.
        public var idle = Interval(seconds: 30)
        /// Open connections.
        public var connections = 1000
        /// Time to finish what is open when the service is told to stop.
        public var drain = Interval(seconds: 20)
    }

    /// Makes this the configuration of one of several processes: each has a folder of its own for its state.
    mutating func takeSlot(_ number: Int?) {
        slot = number
        state = state.map { Slot.folder($0, number) }
    }

    /// Folder of the control sockets of all processes: `control:`, `state:`, or one in the folder that systemd or a container provides.
    public var controlFolder: String? {
        if let control { return control }
        if let state { return slot == nil ? state : String(state.dropLast("/slot-\(slot ?? 0)".utf8.count)) }
        return getenv("RUNTIME_DIRECTORY").map { "\(String(cString: $0))/\(name)" }
    }

    /// Path of the control socket of this process.
    public var controlSocket: String? { controlSocket(slot: slot) }

    /// Path of the control socket of one of the processes.
    public func controlSocket(slot: Int?) -> String? { controlFolder.map { "\(Slot.folder($0, slot))/control.sock" } }

    /// A configuration without listener and edges.
    public init(_ entry: RosterEntry, name: String? = nil) {
        self.entry = entry
        worker = entry.make()
        self.name = name ?? entry.name
        ack = entry.ack
    }
}

/// One arrow of the graph: where packets of this service go.
public struct EdgeConfiguration: Sendable, Equatable {
    /// Name in metrics and the spool's cursor.
    public var name: String
    /// `http://…`, `https://…`, `file:///…` or `stdout:`.
    public var to: String
    /// The token to show there.
    public var token: SecretFile?
    /// PEM file of the authorities that may have signed the target's certificate; nil: the system's.
    public var authority: String?
    /// Which events go over it; nil: all.
    public var filter: EdgeFilter?
    /// Whether it has left the graph: nothing new goes over it, and what waits for it in the spool still does.
    public var isEnding = false

    /// Names a target; the name defaults to its host and port, or its path.
    public init(to: String, name: String? = nil) {
        var target = to
        if target.hasPrefix("http"), target.split(separator: "/").count == 2 {
            while target.last == "/" { target.removeLast() }
        }
        if target.hasPrefix("http"), target.split(separator: "/").count == 2 { target += "/v1/packets" }
        self.to = target
        self.name =
            name ?? withoutUser(target).replacing("/v1/packets", with: "").split(separator: "/").last.map(String.init)
            ?? target
    }
}

/// The daemon that supervises and shows a service.
public struct StatusDaemonConfiguration: Sendable, Equatable {
    /// Where it listens besides its own socket, as `127.0.0.1:9080`; nil: nowhere.
    public var listen: String?
    /// How many processes of the worker it runs, on one port.
    public var processes = 1
}

/// A URL without user and password, which belong into no log, metric, answer or report.
public func withoutUser(_ url: String) -> String {
    guard let scheme = url.firstRange(of: "://") else { return url }
    let host = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
    guard let at = host.lastIndex(of: "@") else { return url }
    return String(url[..<scheme.upperBound] + url[url.index(after: at)...])
}

/// A URL without user, password and query values that look like keys.
public func withoutSecrets(_ url: String) -> String {
    let text = withoutUser(url)
    guard let mark = text.firstIndex(of: "?") else { return text }
    let secret = ["key", "token", "secret", "password", "receipt", "auth"]
    let parts = text[text.index(after: mark)...].split(separator: "&").map { part -> String in
        let name = part.prefix { $0 != "=" }
        return secret.contains { name.lowercased().contains($0) } ? "\(name)=***" : String(part)
    }
    return text[...mark] + parts.joined(separator: "&")
}

/// Why a service cannot start: everything that is wrong with its configuration, each with its place. Exit code 78.
public struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    /// What is wrong, each with its place and the next step.
    public let messages: [Diagnostic]

    /// Makes an error of messages.
    public init(_ messages: [Diagnostic]) { self.messages = messages }
    /// The messages one after the other.
    public var description: String { messages.map(\.description).joined(separator: "\n") }
}
