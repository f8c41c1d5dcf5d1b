import Glibc
import Logging

/// Several processes of one worker on the same port (`--processes N`), each with a spool slot of its own.
/// A process that dies is started again, with growing pauses.
struct ProcessGroup {
    /// The environment variable by which a process knows its slot.
    static let variable = "INTELMQ_SLOT"
    /// The slot of this process, if it is one of several.
    static var slot: Int? { number(variable) }
    /// The environment variable that says how many there are.
    static let countVariable = "INTELMQ_SLOTS"
    /// How many processes there are.
    static var slots: Int { number(countVariable) ?? 1 }

    private static func number(_ variable: String) -> Int? { getenv(variable).flatMap { Int(String(cString: $0)) } }

    /// Folders of a service's state that no process has any more, since there are fewer processes than there were, or other ones.
    /// - Parameters:
    ///   - state: the folder of this process.
    ///   - slot: its slot.
    static func abandoned(beside state: String, slot: Int?) -> [String] {
        // One process is enough to look after them.
        guard slot ?? 0 == 0 else { return [] }
        let base =
            slot == nil ? state : state.split(separator: "/").dropLast().reduce(state.hasPrefix("/") ? "" : ".") { "\($0)/\($1)" }
        let others = fileNames(in: base).filter { name in
            guard name.hasPrefix("slot-"), let number = Int(name.dropFirst(5)) else { return false }
            return slot == nil || number >= slots
        }
        return (slot == nil ? [] : [base]) + others.sorted().map { "\(base)/\($0)" }
    }

    let count: Int
    let arguments: [String]
    let log: Log

    /// Runs until SIGTERM or SIGINT and all processes have ended.
    func run(signals: AsyncStream<Int32>) async {
        var running: [pid_t: Int] = [:]
        var pauses = [Double](repeating: 0, count: count)
        var due: [Int: ContinuousClock.Instant] = [:]
        for slot in 0..<count { if let pid = start(slot) { running[pid] = slot } }
        let (ticks, continuation) = AsyncStream.makeStream(of: Int32.self)
        let relay = Task { for await signal in signals { continuation.yield(signal) } }
        let clock = Task { while (try? await Task.sleep(for: .milliseconds(100))) != nil { continuation.yield(0) } }
        var isStopping = false
        for await signal in ticks {
            if signal != 0 {
                isStopping = isStopping || signal != SIGHUP
                for pid in running.keys { kill(pid, signal) }
            }
            var status: Int32 = 0
            while case let pid = waitpid(-1, &status, WNOHANG), pid > 0 {
                guard let slot = running.removeValue(forKey: pid), !isStopping else { continue }
                pauses[slot] = min(max(0.5, pauses[slot] * 2), 30)
                due[slot] = .now + .seconds(pauses[slot])
                log.error("a process has ended and is started again", metadata: ["slot": "\(slot)", "status": "\(status)"])
            }
            if isStopping, running.isEmpty { break }
            for (slot, time) in due where !isStopping && time <= .now {
                due[slot] = nil
                if let pid = start(slot) { running[pid] = slot }
            }
        }
        relay.cancel()
        clock.cancel()
    }

    private func start(_ slot: Int) -> pid_t? {
        var environment = [
            strdup("\(Self.variable)=\(slot)") as UnsafeMutablePointer<CChar>?, strdup("\(Self.countVariable)=\(count)"),
        ]
        var at = environ
        while let entry = at.pointee {
            environment.append(strdup(entry))
            at += 1
        }
        environment.append(nil)
        var words = arguments.map { strdup($0) as UnsafeMutablePointer<CChar>? } + [nil]
        defer { for text in environment + words { free(text) } }
        words.append(nil)
        var pid: pid_t = 0
        guard posix_spawn(&pid, "/proc/self/exe", nil, nil, words, environment) == 0 else {
            log.error("cannot start a process", metadata: ["slot": "\(slot)"])
            return nil
        }
        return pid
    }
}
