import Glibc
import ServiceKernel
import Synchronization

/// What the system tells and gives: folders, ports, the memory of processes.
enum Machine {
    /// A new folder below TMPDIR or /tmp.
    static func makeFolder() throws(TortureError) -> String {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/torture-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw TortureError("cannot make a folder in \(base): \(reason(errno))") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Removes a file, or a folder with all that is in it.
    static func remove(_ path: String) {
        guard unlink(path) != 0, errno == EISDIR else { return }
        for name in fileNames(in: path) { remove("\(path)/\(name)") }
        rmdir(path)
    }

    /// Disks that are mounted now.
    private static let disks = Mutex<[String]>([])

    /// Mounts a small disk of memory; answers why not, or nil.
    static func mountDisk(_ path: String, megabytes: Int) -> String? {
        mkdir(path, 0o700)
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(megabytes)m") == 0 else { return reason(errno) }
        disks.withLock { $0.append(path) }
        return nil
    }

    static func unmountDisk(_ path: String) {
        umount2(path, 2)  // MNT_DETACH: whoever still has a file open keeps it.
        disks.withLock { $0.removeAll { $0 == path } }
    }

    static func unmountDisks() { for disk in disks.withLock({ $0 }) { unmountDisk(disk) } }

    static func text(_ path: String) -> String { readFile(path).map { String(decoding: $0, as: UTF8.self) } ?? "" }

    /// The end of a file of any length.
    static func tail(_ path: String, lines: Int) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        lseek(descriptor, max(0, lseek(descriptor, 0, SEEK_END) - 8192), SEEK_SET)
        let end = String(decoding: readAll(descriptor) ?? [], as: UTF8.self).split(separator: "\n").suffix(lines)
        return end.map { "    " + $0 }.joined(separator: "\n")
    }

    static func reason(_ number: Int32) -> String { String(cString: strerror(number)) }

    /// Bytes that a process had in memory at most; 0 when it is gone.
    static func peakMemory(_ process: pid_t) -> Int { line("VmHWM:", of: process) }

    private static func line(_ name: String, of process: pid_t) -> Int {
        for line in text("/proc/\(process)/status").split(separator: "\n") where line.hasPrefix(name) {
            return (Int(line.filter(\.isNumber)) ?? 0) << 10
        }
        return 0
    }

    /// The environment as NAME=VALUE.
    static var environment: [String] {
        var words: [String] = []
        var at = environ
        while let word = at.pointee {
            words.append(String(cString: word))
            at += 1
        }
        return words
    }

    /// Bytes that a process has in memory; 0 when it is gone.
    static func memory(_ process: pid_t) -> Int { line("VmRSS:", of: process) }

    /// Whether a command ends with 0.
    static func works(_ words: [String]) -> Bool {
        var arguments = words.map { strdup($0) as UnsafeMutablePointer<CChar>? } + [nil]
        defer { for argument in arguments { free(argument) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var process: pid_t = 0
        guard posix_spawn(&process, words[0], &actions, nil, &arguments, environ) == 0 else { return false }
        var status: Int32 = 0
        return waitpid(process, &status, 0) == process && status == 0
    }

    /// The full path of a program, or nil if it is not installed.
    static func program(_ name: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        return (path.split(separator: ":").map(String.init) + ["/usr/bin", "/bin"]).lazy.map { "\($0)/\(name)" }
            .first { access($0, X_OK) == 0 }
    }

    /// The path without links and relative parts; nil if nothing is there.
    static func realPath(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    /// TCP ports of the loopback interface that nobody listens on now, all different. They are outside the range that the kernel
    /// gives to clients: a service that is down for a moment would otherwise find its port taken by somebody's connection.
    static func freePorts(_ count: Int) throws(TortureError) -> [UInt16] {
        let words = text("/proc/sys/net/ipv4/ip_local_port_range").split(whereSeparator: \.isWhitespace)
        let first = words.first.flatMap { UInt16($0) } ?? 32768
        var sockets: [Int32] = []
        defer { for socket in sockets { close(socket) } }
        var ports: [UInt16] = []
        for _ in 0..<1000 where ports.count < count {
            let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard made >= 0 else { throw TortureError("no socket: \(reason(errno))") }
            sockets.append(made)
            let port = UInt16.random(in: min(10_000, first - 1)..<first)
            if withAddress(port, { bind(made, $0, $1) }) == 0 { ports.append(port) }
        }
        guard ports.count == count else { throw TortureError("no free ports below \(first)") }
        return ports
    }

    /// Calls `body` with the loopback address and this port.
    static func withAddress<R>(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

/// Why nothing could be proved: a sentence for people.
struct TortureError: Error {
    let text: String
    init(_ text: String) { self.text = text }
}

/// Random numbers that the seed decides (SplitMix64).
struct Dice: RandomNumberGenerator, Sendable {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var number = state
        number = (number ^ number >> 30) &* 0xBF58_476D_1CE4_E5B9
        number = (number ^ number >> 27) &* 0x94D0_49BB_1331_11EB
        return number ^ number >> 31
    }

    /// True so many times of a hundred.
    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }

    mutating func seconds(_ range: ClosedRange<Double>) -> Duration { .seconds(Double.random(in: range, using: &self)) }
}

extension Duration {
    var inSeconds: Double { self / .seconds(1) }
}
