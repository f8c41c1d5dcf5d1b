import Glibc
import ServiceKernel
import Synchronization

/// Starts the services and starts them again whenever they end, at once, as systemd would.
///
/// `tick` runs on the main thread alone: a process is told to die with the thread that started it, so it must be one that stays.
final class Supervisor: Sendable {
    struct Counts: Sendable {
        var starts = 0
        var kills = 0
        var stops = 0
        var terminations = 0
        /// Signals SIGHUP, and how often one was sent, or several at once.
        var hangups = 0
        var reloads = 0
        /// Ends by SIGTERM or SIGHUP before the service had a handler for it.
        var earlyEnds = 0
        /// Starts of the look-up hop refused while its database was a broken one.
        var refusedStarts = 0
        /// Seconds from SIGTERM, or the end of a stop after it, to the end.
        var slowestEnd = 0.0
    }

    /// A service and the process that is it now.
    struct Slot: Sendable {
        /// 0: none.
        var process: pid_t = 0
        /// Must not run now.
        var isHeld = false
        /// Not to be started before.
        var notBefore = ContinuousClock.now
        var stoppedUntil: ContinuousClock.Instant?
        var terminatedAt: ContinuousClock.Instant?
        var isKilled = false
        var wasHungUp = false
        /// Whether its database was a broken one at any time of the process.
        var sawBrokenDatabase = false
        var peakMemory = 0
    }

    struct State: Sendable {
        var slots: [Slot]
        var counts = Counts()
        var databaseIsBroken = false
        var isOver = false
    }

    let hops: [Hop]
    let binary: String
    let ledger: Ledger
    let state: Mutex<State>
    private let setpriv: String
    private let lastSample = Mutex(ContinuousClock.now)

    init(_ binary: String, _ hops: [Hop], _ ledger: Ledger) throws(TortureError) {
        guard let setpriv = Machine.program("setpriv") else {
            throw TortureError("setpriv is missing, which makes services die with this program (apt-get install util-linux)")
        }
        self.setpriv = setpriv
        self.binary = binary
        self.hops = hops
        self.ledger = ledger
        state = Mutex(State(slots: hops.map { _ in Slot() }))
    }

    /// Buries what has ended, starts what should run, wakes what has been stopped long enough.
    func tick(_ now: ContinuousClock.Instant) {
        let samples = lastSample.withLock { last in
            guard now - last > .milliseconds(200) else { return false }
            last = now
            return true
        }
        state.withLock { state in
            for place in hops.indices {
                if state.slots[place].process != 0 { watch(place, &state, now, samples: samples) }
                let slot = state.slots[place]
                if slot.process == 0, !slot.isHeld, !state.isOver, now >= slot.notBefore { start(place, &state) }
            }
        }
    }

    private func watch(_ place: Int, _ state: inout State, _ now: ContinuousClock.Instant, samples: Bool) {
        let process = state.slots[place].process
        if samples { state.slots[place].peakMemory = max(state.slots[place].peakMemory, Machine.peakMemory(process)) }
        var status: Int32 = 0
        if waitpid(process, &status, WNOHANG) == process {
            judge(place, status, &state, now)
            state.slots[place].process = 0
            return
        }
        if let until = state.slots[place].stoppedUntil, now >= until {
            kill(process, SIGCONT)
            state.slots[place].stoppedUntil = nil
            // It could not do anything meanwhile.
            if state.slots[place].terminatedAt != nil { state.slots[place].terminatedAt = now }
        }
        if let asked = state.slots[place].terminatedAt, state.slots[place].stoppedUntil == nil, !state.slots[place].isKilled,
            now - asked > .seconds(Hop.drain + 5)
        {
            ledger.report("\(hops[place].name) still runs \(Hop.drain + 5) s after SIGTERM; its drain is \(Hop.drain) s")
            state.slots[place].isKilled = true
            kill(process, SIGKILL)
        }
    }

    /// Whether a process ended as it was made to, and if not, a finding.
    private func judge(_ place: Int, _ status: Int32, _ state: inout State, _ now: ContinuousClock.Instant) {
        let slot = state.slots[place]
        let hop = hops[place]
        let signal = status & 0x7F
        let code = status >> 8 & 0xFF
        // Until a program has its handlers it has the system's: before its log says that it has started.
        let isYoung = !Machine.tail(hop.log, lines: 20).split(whereSeparator: \.isWhitespace).contains("pid=\(slot.process)")
        let how = signal != 0 ? "died of signal \(signal)" : "ended with code \(code)"
        if slot.isKilled, signal == SIGKILL { return }
        if isYoung, signal == SIGTERM && slot.terminatedAt != nil || signal == SIGHUP && slot.wasHungUp {
            state.counts.earlyEnds += 1
        } else if signal == 0, code == 0, let asked = slot.terminatedAt {
            state.counts.slowestEnd = max(state.counts.slowestEnd, (now - asked).inSeconds)
        } else if signal == 0, code == 78, slot.sawBrokenDatabase {
            state.counts.refusedStarts += 1
            state.slots[place].notBefore = now + .milliseconds(50)
        } else {
            let asked = slot.terminatedAt != nil ? " after SIGTERM" : " by itself"
            ledger.report("\(hop.name) (\(hop.worker)) \(how)\(asked); the end of its log:\n\(Machine.tail(hop.log, lines: 6))")
            state.slots[place].notBefore = now + .milliseconds(500)
        }
    }

    private func start(_ place: Int, _ state: inout State) {
        let hop = hops[place]
        let words =
            [setpriv, "--pdeathsig", "KILL"] + hop.wrapper + [binary, hop.worker, "serve", "--config", hop.configuration]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, hop.log, O_WRONLY | O_CREAT | O_APPEND, 0o640)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // This program blocks signals that it waits for and ignores others; services must not inherit that.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, 0x08 | 0x04)  // POSIX_SPAWN_SETSIGMASK, POSIX_SPAWN_SETSIGDEF
        func pointers(_ words: [String]) -> [UnsafeMutablePointer<CChar>?] { words.map { strdup($0) } + [nil] }
        let arguments = pointers(words)
        let environment = pointers(Machine.environment + hop.environment)
        defer { for pointer in arguments + environment { free(pointer) } }
        // A connection of ours that it inherited would stay open when we break it.
        for name in fileNames(in: "/proc/self/fd") {
            if let descriptor = Int32(name), descriptor > 2 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
        var process: pid_t = 0
        let code = posix_spawn(&process, setpriv, &actions, &attributes, arguments, environment)
        var slot = Slot(notBefore: .now, sawBrokenDatabase: state.databaseIsBroken, peakMemory: state.slots[place].peakMemory)
        if code == 0 {
            slot.process = process
            state.counts.starts += 1
        } else {
            ledger.report("cannot start \(hop.name): \(Machine.reason(code))")
            slot.notBefore = .now + .seconds(1)
        }
        state.slots[place] = slot
    }

    /// Ends everything at once; nothing is started from then on.
    func endAll() {
        state.withLock { state in
            state.isOver = true
            for place in hops.indices where state.slots[place].process != 0 {
                kill(state.slots[place].process, SIGKILL)
                waitpid(state.slots[place].process, nil, 0)
                state.slots[place].process = 0
            }
        }
    }
}
