import Glibc
public import IDF
import Logging
import Synchronization
import Threads

/// The processes of one worker: starts them, starts a crashed one again after a growing pause, and says what became of each.
public final class Supervisor: Sendable {
    /// Where a process is in its life.
    public enum Phase: String, Sendable {
        /// It runs.
        case running
        /// It has been told to stop and finishes what is open.
        case stopping
        /// It was stopped on purpose.
        case stopped
        /// It has ended by itself and is started again after a pause.
        case restarting
        /// It has ended by itself three times in a row, each time within a minute; it is tried again after a long pause.
        case crashLoop = "crash-loop"
    }

    /// One process.
    public struct Process: Sendable {
        /// Its place among the processes; nil when there is only one.
        public let slot: Int?
        /// Its process id while it runs.
        public internal(set) var pid: pid_t?
        /// Where it is in its life.
        public internal(set) var phase = Phase.stopped
        /// When it was started last.
        public internal(set) var started: Timestamp?
        /// How often it was started again after it had ended by itself.
        public internal(set) var restarts = 0
        /// How it ended last, with its last words.
        public internal(set) var lastEnd: String?
        /// How often in a row it has ended by itself soon after its start.
        public internal(set) var failures = 0
        /// When it is to be started.
        public internal(set) var due: ContinuousClock.Instant?
        var killAt: ContinuousClock.Instant?
        var begun = ContinuousClock.now
    }

    private struct State {
        var processes: [Process]
        var isWanted = true
    }

    /// The environment variable that tells a process to stop when its standard input ends, as it does when its supervisor dies.
    static let variable = "INTELMQ_SUPERVISED"
    /// A process that lives so long has not crashed at its start.
    private static let settled = Duration.seconds(60)
    private static let longestPause = 30.0

    /// What the processes write.
    public let log = LogTail()
    private let arguments: [String]
    private let grace: Duration
    private let ownLog: Log
    private let state: Mutex<State>

    /// - Parameters:
    ///   - arguments: of this program, for each process.
    ///   - count: how many processes there are.
    ///   - grace: how long a process may take to stop before it is killed.
    public init(_ arguments: [String], count: Int, grace: Duration, log: Log) {
        self.arguments = arguments
        self.grace = grace
        ownLog = log
        state = Mutex(State(processes: (0..<count).map { Process(slot: count > 1 ? $0 : nil) }))
    }

    /// The processes as they are now.
    public var processes: [Process] { state.withLock { $0.processes } }

    /// Starts what does not run.
    public func start() {
        state.withLock { state in
            state.isWanted = true
            for index in state.processes.indices where state.processes[index].phase != .running {
                state.processes[index].due = .now
                state.processes[index].failures = 0
            }
        }
    }

    /// Tells all processes to stop, and returns when they have.
    public func stop() async {
        state.withLock { state in
            state.isWanted = false
            for index in state.processes.indices { Self.end(&state.processes[index], grace) }
        }
        // Who starts them again meanwhile has the last word.
        while !isWanted, processes.contains(where: { $0.pid != nil }) { try? await Task.sleep(for: .milliseconds(20)) }
    }

    private var isWanted: Bool { state.withLock { $0.isWanted } }

    /// Stops and starts one process after the other, so that the others go on meanwhile.
    /// - Parameter settle: waits until the process of that place does its work.
    public func restart(settle: (Int) async -> Void) async {
        start()
        for index in processes.indices {
            let old = state.withLock { state in
                Self.end(&state.processes[index], grace)
                return state.processes[index].pid
            }
            while isWanted, let old, processes[index].pid == old { try? await Task.sleep(for: .milliseconds(20)) }
            start()
            while isWanted, processes[index].pid == nil, processes[index].failures == 0 {
                try? await Task.sleep(for: .milliseconds(20))
            }
            guard isWanted else { return }
            await settle(index)
        }
    }

    /// Passes a signal on to all processes.
    public func signal(_ number: Int32) { for pid in processes.compactMap(\.pid) { kill(pid, number) } }

    private static func end(_ process: inout Process, _ grace: Duration) {
        process.due = nil
        guard let pid = process.pid else {
            process.phase = .stopped
            return
        }
        // A second one would end it at once.
        if process.phase != .stopping { kill(pid, SIGTERM) }
        process.phase = .stopping
        process.killAt = process.killAt ?? .now + grace
    }

    /// Looks after the processes until SIGTERM or SIGINT, then stops them.
    /// - Parameter onReload: called at SIGHUP, which the processes get as well.
    public func run(signals: AsyncStream<Int32>, onReload: () -> Void = {}) async {
        start()
        let care = Task {
            while !Task.isCancelled {
                step()
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
        for await number in signals {
            guard number == SIGHUP else { break }
            onReload()
            signal(SIGHUP)
        }
        await stop()
        care.cancel()
    }

    /// Notices who has ended, kills who does not, starts who is due.
    private func step() {
        state.withLock { state in
            for index in state.processes.indices {
                reap(&state.processes[index])
                if state.isWanted, let due = state.processes[index].due, due <= .now, state.processes[index].pid == nil {
                    begin(&state.processes[index], of: state.processes.count)
                }
            }
        }
    }

    private func reap(_ process: inout Process) {
        guard let pid = process.pid else { return }
        if let killAt = process.killAt, killAt <= .now {
            ownLog.error("a process does not stop and is killed", metadata: ["pid": "\(pid)"])
            kill(pid, SIGKILL)
            process.killAt = .now + .seconds(5)
        }
        var status: Int32 = 0
        let ended = waitpid(pid, &status, WNOHANG)
        guard ended == pid || ended < 0 && errno != EINTR else { return }
        process.pid = nil
        process.killAt = nil
        let meaning = Spawn.meaning(ofStatus: status)
        guard process.phase != .stopping else {
            process.phase = .stopped
            process.lastEnd = meaning
            return
        }
        fail(&process, meaning)
    }

    private func fail(_ process: inout Process, _ meaning: String) {
        let words = log.last(5).joined(separator: "\n")
        process.lastEnd = words.isEmpty ? meaning : "\(meaning); its last words:\n\(words)"
        process.failures = .now - process.begun > Self.settled ? 1 : process.failures + 1
        process.phase = process.failures >= 3 ? .crashLoop : .restarting
        process.restarts += 1
        let pause = min(0.5 * Double(1 << min(process.failures - 1, 10)), Self.longestPause)
        process.due = .now + .seconds(pause)
        ownLog.error(
            "a process has \(meaning) and is started again",
            metadata: ["slot": "\(process.slot ?? 0)", "pause-seconds": "\(pause)", "failures": "\(process.failures)"])
    }

    private func begin(_ process: inout Process, of count: Int) {
        process.due = nil
        process.begun = .now
        process.started = .now()
        do throws(Rejection) {
            process.pid = try spawn(slot: process.slot, of: count)
            process.phase = .running
        } catch {
            fail(&process, error.detail)
        }
    }

    private func spawn(slot: Int?, of count: Int) throws(Rejection) -> pid_t {
        let output = try Spawn.pipe()
        let lifeline = try Spawn.pipe()
        // The worker must not wait for whoever reads its log.
        _ = fcntl(output.write, F_SETFL, O_NONBLOCK)
        var child = Spawn(arguments)
        child.environment = [(Self.variable, "1")]
        if let slot { child.environment += [(Slot.variable, "\(slot)"), (Slot.countVariable, "\(count)")] }
        child.input = lifeline.read
        // What a worker writes to standard output is data.
        child.errors = output.write
        child.isGroup = true
        if let journal = StandardErrorLog.journal(output.write) { child.environment.append(("JOURNAL_STREAM", journal)) }
        defer {
            close(lifeline.read)
            close(output.write)
        }
        let pid: pid_t
        do throws(Rejection) { pid = try child.start() } catch {
            close(lifeline.write)
            close(output.read)
            throw error
        }
        let (words, line) = (output.read, lifeline.write)
        let isRead = startThread { [log] in
            Self.read(words, into: log)
            close(words)
            close(line)
        }
        if !isRead {
            close(words)
            close(line)
        }
        return pid
    }

    /// Passes what a process writes on to standard error, and keeps its last lines.
    private static func read(_ descriptor: Int32, into log: LogTail) {
        var rest: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            _ = writeAll(STDERR_FILENO, Array(buffer[..<count]))
            rest += buffer[..<count]
            var start = 0
            while let end = rest[start...].firstIndex(of: 0x0A) {
                log.add(String(decoding: rest[start..<end], as: UTF8.self))
                start = end + 1
            }
            rest.removeFirst(start)
            // A line without an end must not grow for ever.
            if rest.count > 1 << 20 {
                log.add(String(decoding: rest, as: UTF8.self))
                rest = []
            }
        }
        if !rest.isEmpty { log.add(String(decoding: rest, as: UTF8.self)) }
    }

    /// In a process that was started by a supervisor: asks itself to stop when the supervisor is gone.
    static func followSupervisor() {
        guard getenv(variable) != nil else { return }
        unsetenv(variable)
        startThread {
            var byte: UInt8 = 0
            while true {
                let count = Glibc.read(STDIN_FILENO, &byte, 1)
                if count == 0 || count < 0 && errno != EINTR { break }
            }
            kill(getpid(), SIGTERM)
        }
    }
}
