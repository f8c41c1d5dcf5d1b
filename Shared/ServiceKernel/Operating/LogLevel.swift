public import Logging
import Synchronization

/// The level of all logs of this process, changeable while it runs.
public enum LogLevel {
    private static let shared = Atomic<Int>(-1)

    /// Lowest level written by every log of the process, from the next line on; nil: each log follows the level it was made with.
    public static var current: Logger.Level? {
        get {
            let place = shared.load(ordering: .relaxed)
            return place < 0 ? nil : Logger.Level.allCases[place]
        }
        set { shared.store(newValue.flatMap { Logger.Level.allCases.firstIndex(of: $0) } ?? -1, ordering: .relaxed) }
    }
}
