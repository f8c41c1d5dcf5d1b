/// Why a server could not start, or not take new TLS files.
public enum HTTPServerError: Error, CustomStringConvertible, Sendable {
    /// Another process listens there; `place` is `address:port` or the socket's path.
    case inUse(place: String)
    /// The operating system does not allow it.
    case permission(place: String)
    /// The address is none of this machine's, or no address at all.
    case badAddress(place: String, reason: String)
    /// The Unix socket's path cannot be used.
    case badSocketPath(path: String, reason: String)
    /// A file of `HTTPServerTLS` cannot be used.
    case tls(file: String, reason: String)
    /// A system call failed.
    case system(place: String, operation: String, reason: String)

    /// One sentence: what, where, why, and what to do.
    public var description: String {
        switch self {
        case .inUse(let place):
            "cannot listen on \(place): the address is already in use; "
                + "stop the other process (find it with: ss -ltnp) or choose another port"
        case .permission(let place):
            "cannot listen on \(place): permission denied; choose a port above 1023 or a directory this user may write"
        case .badAddress(let place, let reason):
            "cannot listen on \(place): \(reason); give an IP address of this machine, such as 127.0.0.1 or ::1"
        case .badSocketPath(let path, let reason):
            "cannot listen on the Unix socket \(path): \(reason)"
        case .tls(let file, let reason):
            "cannot use \(file) for TLS: \(reason)"
        case .system(let place, let operation, let reason):
            "cannot listen on \(place): \(operation) failed: \(reason); "
                + "check the limits of open files and threads (ulimit -n, ulimit -u)"
        }
    }
}
