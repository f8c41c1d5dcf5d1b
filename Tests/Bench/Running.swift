import Glibc
import HTTP
import ServiceKernel
import Synchronization

/// The processes and folders of this run. All of them go when it ends, however it ends.
enum Running {
    private struct State {
        var processes: Set<pid_t> = []
        /// Folders of fleets; their processes are in `run/NODE.pid`.
        var fleets: Set<String> = []
        var folder: String?
        var isOver = false
    }
    private static let state = Mutex(State())

    /// A new folder on the disk that the build is on: a memory file system would flatter what is synced.
    static func folder(_ name: String) throws(BenchError) -> String {
        let root: String = try state.withLock { (state) throws(BenchError) in
            if let folder = state.folder { return folder }
            let base = realPath(".build") ?? "/var/tmp"
            var template = Array("\(base)/bench-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else {
                throw BenchError("cannot make a folder in \(base): \(String(cString: strerror(errno)))")
            }
            let made = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            state.folder = made
            return made
        }
        let path = "\(root)/\(name)"
        guard mkdir(path, 0o750) == 0 || errno == EEXIST else {
            throw BenchError("cannot make \(path): \(String(cString: strerror(errno)))")
        }
        return path
    }

    static func write(_ text: String, to path: String) throws(BenchError) {
        do { try replaceFile(path, with: Array(text.utf8)) } catch { throw BenchError(error.detail) }
    }

    /// Starts a program.
    /// - Parameters:
    ///   - core: where it runs; nil: anywhere.
    ///   - output: file for what it says on both ways.
    static func start(_ words: [String], core: Int?, output: String, errors: String? = nil) throws(BenchError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o640)
        if let errors {
            posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o640)
        } else {
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // This process blocks the signals it waits for; others must not inherit that.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, 0x08)  // POSIX_SPAWN_SETSIGMASK
        let words = try Machine.pinned(words, to: core)
        guard !state.withLock({ $0.isOver }) else { throw BenchError("stopped") }
        var arguments = words.map { strdup($0) as UnsafeMutablePointer<CChar>? }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = 0
        let code = posix_spawn(&process, words[0], &actions, &attributes, arguments, environ)
        guard code == 0 else { throw BenchError("cannot start \(words[0]): \(String(cString: strerror(code)))") }
        state.withLock { _ = $0.processes.insert(process) }
        return process
    }

    /// Runs a program to its end and answers what it printed; its complaints are the error.
    @discardableResult
    static func run(_ words: [String], core: Int? = nil) throws(BenchError) -> String {
        let folder = try folder("out")
        let process = try start(words, core: core, output: "\(folder)/stdout", errors: "\(folder)/stderr")
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        state.withLock { _ = $0.processes.remove(process) }
        guard status == 0 else { throw BenchError("\(words.joined(separator: " ")) failed:\n\(text("\(folder)/stderr"))") }
        return text("\(folder)/stdout")
    }

    static func text(_ path: String) -> String { readFile(path).map { String(decoding: $0, as: UTF8.self) } ?? "" }

    /// Remembers a fleet before it starts.
    static func addFleet(_ folder: String) { state.withLock { _ = $0.fleets.insert(folder) } }

    /// The processes of a fleet that `up` has started, by the names of their nodes: a statusd each.
    static func fleet(_ folder: String) -> [(node: String, process: pid_t)] {
        fileNames(in: "\(folder)/run").filter { $0.hasSuffix(".pid") }.compactMap { name in
            guard let process = pid_t(text("\(folder)/run/\(name)").filter(\.isNumber)) else { return nil }
            // A number in a file may belong to somebody else by now.
            guard text("/proc/\(process)/cmdline").contains(folder) else { return nil }
            return (String(name.dropLast(4)), process)
        }
    }

    /// The workers of a fleet: the only children of their statusd.
    static func workers(_ folder: String) -> [(node: String, process: pid_t)] {
        fleet(folder).compactMap { node, process in
            // A child belongs to the thread that has started it.
            let children = fileNames(in: "/proc/\(process)/task").flatMap { thread in
                text("/proc/\(process)/task/\(thread)/children").split(separator: " ").compactMap { pid_t($0) }
            }
            return children.first.map { (node, $0) }
        }
    }

    static func stop(_ process: pid_t) {
        end([process])
        state.withLock { _ = $0.processes.remove(process) }
    }

    static func stopFleet(_ folder: String) {
        end(fleet(folder).map(\.process))
        state.withLock { _ = $0.fleets.remove(folder) }
    }

    /// Ends everything; nothing can be started from then on.
    static func stopAll() {
        let all = state.withLock { state in
            state.isOver = true
            return state
        }
        // What starts fleets goes first, so that no more of their processes come.
        end(Array(all.processes))
        end(all.fleets.flatMap { fleet($0).map(\.process) })
        guard let folder = all.folder else { return }
        remove(folder)
    }

    private static func remove(_ path: String) {
        guard unlink(path) != 0, errno == EISDIR else { return }
        for name in fileNames(in: path) { remove("\(path)/\(name)") }
        rmdir(path)
    }

    /// Asks processes to end, and after five seconds ends them.
    private static func end(_ processes: [pid_t]) {
        for process in processes { kill(process, SIGTERM) }
        for _ in 0..<500 {
            for process in processes { waitpid(process, nil, WNOHANG) }
            if !processes.contains(where: Machine.isAlive) { return }
            usleep(10_000)
        }
        for process in processes where Machine.isAlive(process) {
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
        }
    }
}
