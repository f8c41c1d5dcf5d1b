import Glibc

/// Starts a program as a process of its own: the one place that knows how.
public struct Spawn {
    /// The program and its arguments; `/proc/self/exe` is this program itself.
    public var arguments: [String]
    /// Variables added to this process's environment.
    public var environment: [(name: String, value: String)] = []
    /// Descriptor that becomes standard input; nil: nothing to read.
    public var input: Int32?
    /// Descriptor that becomes standard output and standard error; nil: those of this process.
    public var output: Int32?
    /// Descriptor that becomes standard output alone.
    public var standardOutput: Int32?
    /// Descriptor that becomes standard error alone.
    public var errors: Int32?
    /// Whether it is a process group of its own, which a terminal's Ctrl-C does not reach.
    public var isGroup = false
    /// Whether it outlives this terminal.
    public var isSession = false

    /// A start of this program.
    public init(_ arguments: [String]) { self.arguments = ["/proc/self/exe"] + arguments }

    /// Starts it.
    /// - Returns: the process id.
    public func start() throws(Rejection) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        } else {
            posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        }
        if let output {
            posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
            posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
        }
        if let standardOutput { posix_spawn_file_actions_adddup2(&actions, standardOutput, STDOUT_FILENO) }
        if let errors { posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // POSIX_SPAWN_SETSID, POSIX_SPAWN_SETPGROUP
        posix_spawnattr_setflags(&attributes, (isSession ? 0x80 : 0) | (isGroup ? 0x02 : 0))
        let names = environment.map { "\($0.name)=" }
        var variables = environment.map { "\($0.name)=\($0.value)" }
        var at = environ
        while let entry = at.pointee {
            let text = String(cString: entry)
            if !names.contains(where: text.hasPrefix) { variables.append(text) }
            at += 1
        }
        var pid: pid_t = 0
        let code = Self.withWords(arguments) { words in
            Self.withWords(variables) { posix_spawn(&pid, arguments[0], &actions, &attributes, words, $0) }
        }
        guard code == 0 else {
            throw .unavailable("cannot start \(arguments.joined(separator: " ")): \(String(cString: strerror(code)))")
        }
        return pid
    }

    /// A pipe that no other process inherits.
    static func pipe() throws(Rejection) -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw .unavailable("no pipe: \(String(cString: strerror(errno)))") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private static func withWords(_ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Int32) -> Int32 {
        let words = texts.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        return body(words)
    }

    /// What the status of an ended process means, in words.
    static func meaning(ofStatus status: Int32) -> String {
        let signal = status & 0x7F
        let name = strsignal(signal).map { String(cString: $0) } ?? ""
        guard signal == 0 else { return "ended by signal \(signal) (\(name))" }
        let code = status >> 8 & 0xFF
        let codes: [Int32: String] = [64: "usage", 65: "bad data", 69: "unavailable", 74: "input or output", 78: "configuration"]
        return "ended with exit code \(code)" + (codes[code].map { " (\($0))" } ?? "")
    }
}
