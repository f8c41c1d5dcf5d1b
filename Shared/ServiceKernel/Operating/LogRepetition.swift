import Glibc
import Logging
import Synchronization

/// Keeps what is said again and again from filling the log: after ten of the same message (its text without metadata, its level,
/// its log) within ten seconds the next ones are counted, and one line says how many they were.
final class LogRepetition: Sendable {
    typealias Write = @Sendable (Logger.Level, String, Logger.Metadata) -> Void

    /// Lines of the same message that are written within `window`.
    static let most = 10
    /// Nanoseconds.
    static let window: UInt64 = 10_000_000_000
    /// Different messages that are remembered; a new one beyond them is written and not counted.
    static let capacity = 512

    /// For all logs of the process; what is left is written at its end.
    static let shared: LogRepetition = {
        atexit { LogRepetition.shared.sweep(all: true) }
        return LogRepetition()
    }()

    private struct Key: Hashable {
        let level: Logger.Level
        let label: String
        let message: String
    }

    private struct Entry {
        let began: UInt64
        var count = 1
        let write: Write
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var swept: UInt64 = 0
    }

    private let state = Mutex(State())
    private let now: @Sendable () -> UInt64

    /// - Parameter now: nanoseconds of a clock that never goes back.
    init(now: @escaping @Sendable () -> UInt64 = LogRepetition.monotonic) { self.now = now }

    static func monotonic() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Whether a line is to be written; else it is counted.
    /// - Parameter write: writes the line that says how many there were.
    func allows(_ level: Logger.Level, _ label: String, _ message: String, write: @escaping Write) -> Bool {
        // Long messages that begin alike are taken for the same.
        let key = Key(level: level, label: label, message: message.utf8.count > 512 ? String(message.prefix(128)) : message)
        let now = now()
        sweep()
        return state.withLock { state in
            if state.entries[key] != nil {
                state.entries[key]?.count += 1
                return (state.entries[key]?.count ?? 0) <= Self.most
            }
            if state.entries.count < Self.capacity { state.entries[key] = Entry(began: now, write: write) }
            return true
        }
    }

    /// Writes how often messages were repeated whose time is over; called now and then, also when nothing is logged.
    /// - Parameter all: also those whose time is not over.
    func sweep(all: Bool = false) {
        let now = now()
        let over = state.withLock { state -> [(Key, Entry)] in
            // Looking through hundreds of messages for every line would cost more than the line.
            guard all || now >= state.swept + Self.window / 10 || state.entries.isEmpty else { return [] }
            state.swept = now
            let over = state.entries.filter { all || now >= $0.value.began + Self.window }
            for key in over.keys { state.entries[key] = nil }
            return over.filter { $0.value.count > Self.most }.sorted { $0.value.began < $1.value.began }
        }
        for (key, entry) in over {
            let count = entry.count - Self.most
            entry.write(key.level, "repeated \(count) \(count == 1 ? "time" : "times"): \(key.message)", [:])
        }
    }
}
