import Glibc
import ServiceKernel

/// What the system tells about processors and processes.
enum Machine {
    /// Processors of the machine.
    static let cores = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    /// Where the service under test runs alone, and where the load comes from.
    static let serviceCore = 0
    static var loadCore: Int { cores > 1 ? 1 : 0 }

    /// A command line that runs on one core; nil: as it is.
    static func pinned(_ words: [String], to core: Int?) throws(BenchError) -> [String] {
        guard let core, cores > 1 else { return words }
        return [try taskset(), "-c", String(core)] + words
    }

    /// Binds all threads of this process, and what they start, to one core; nil: to all.
    static func pin(to core: Int?) throws(BenchError) {
        guard cores > 1 else { return }
        try Running.run([try taskset(), "-a", "-c", "-p", core.map(String.init) ?? "0-\(cores - 1)", String(getpid())])
    }

    private static func taskset() throws(BenchError) -> String {
        guard let program = program("taskset") else { throw BenchError("taskset is missing (apt-get install util-linux)") }
        return program
    }

    /// Seconds that a process has used in user and kernel mode.
    static func processorSeconds(_ process: pid_t) -> Double {
        guard let fields = stat(process), fields.count > 12 else { return 0 }
        return ((Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0)) / Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
    }

    /// Whether a process still does something; one that only waits to be buried does not.
    static func isAlive(_ process: pid_t) -> Bool { stat(process).map { $0.first != "Z" } ?? false }

    /// The fields of /proc/PID/stat behind the name, which may itself hold blanks and brackets.
    private static func stat(_ process: pid_t) -> [Substring]? {
        guard let bytes = readFile("/proc/\(process)/stat") else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return nil }
        return text[text.index(after: end)...].split(separator: " ")
    }

    struct Memory {
        /// Bytes in memory, and those of them that no other process shares.
        var resident = 0.0
        var own = 0.0
    }

    static func memory(_ process: pid_t) -> Memory {
        var memory = Memory()
        let text = readFile("/proc/\(process)/smaps_rollup").map { String(decoding: $0, as: UTF8.self) } ?? ""
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 2, let size = Double(words[1]) else { continue }
            switch words[0] {
            case "Rss:": memory.resident = size * 1024
            case "Private_Clean:", "Private_Dirty:": memory.own += size * 1024
            default: break
            }
        }
        return memory
    }

    /// TCP ports of the loopback interface that nobody listens on now, all different.
    static func freePorts(_ count: Int) throws(BenchError) -> [UInt16] {
        var sockets: [Int32] = []
        defer { for socket in sockets { close(socket) } }
        var ports: [UInt16] = []
        for _ in 0..<count {
            let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            guard made >= 0 else { throw BenchError("no socket: \(String(cString: strerror(errno)))") }
            sockets.append(made)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let bound = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(made, $0, length) == 0 && getsockname(made, $0, &length) == 0
                }
            }
            guard bound else { throw BenchError("no free port: \(String(cString: strerror(errno)))") }
            ports.append(UInt16(bigEndian: address.sin_port))
        }
        return ports
    }

    /// The full path of a program, or nil if it is not installed.
    static func program(_ name: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        return (path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/sbin"]).lazy.map { "\($0)/\(name)" }
            .first { access($0, X_OK) == 0 }
    }
}

/// The path without links and relative parts; nil if nothing is there.
func realPath(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
}
