import Bulk
import Glibc
import Synchronization

/// How far a one-time run is, on the last line of a terminal: share of the input, events, events a second. It looks at counters
/// four times a second; the run itself only says which input it has begun.
public final class RunProgress: Sendable {
    /// What is being read.
    private struct Input: Sendable {
        var bytes = 0
        /// Lines of a report, each of which is about an event; 0 for packets, whose bytes are counted as they are read.
        var lines = 0
        var eventsBefore = 0
    }
    private let total: Int
    private let events: @Sendable () -> Int
    private let finished = Atomic<Int>(0)
    private let input = Mutex(Input())
    private let task = Mutex<Task<Void, Never>?>(nil)
    private let begin = ContinuousClock.now

    /// Begins to show, if a person sees standard error and results do not go to the same terminal; else nil.
    /// - Parameters:
    ///   - total: bytes of all input; 0: not known.
    ///   - isFilter: whether results go to standard output.
    ///   - events: how many events were taken so far; called from another task.
    public static func shown(total: Int, isFilter: Bool, events: @escaping @Sendable () -> Int) -> RunProgress? {
        guard isatty(STDERR_FILENO) == 1, !(isFilter && isatty(STDOUT_FILENO) == 1) else { return nil }
        let progress = RunProgress(total: total, events: events)
        progress.start()
        return progress
    }

    init(total: Int, events: @escaping @Sendable () -> Int) {
        self.total = total
        self.events = events
    }

    private func start() {
        task.withLock {
            $0 = Task { [weak self] in
                while (try? await Task.sleep(for: .milliseconds(250))) != nil, let line = self?.line {
                    // The cursor stays at the begin of the line: what is logged meanwhile replaces it.
                    _ = writeAll(STDERR_FILENO, Array("\u{1B}[K\(line)\r".utf8))
                }
            }
        }
    }

    /// A report is read from here on. Its lines are counted, which costs a pass over its bytes.
    func begin(_ report: BulkBytes) {
        let lines = report.occurrences(of: 0x0A)
        input.withLock { $0 = Input(bytes: report.count, lines: lines, eventsBefore: events()) }
    }

    /// So many bytes of all inputs are done.
    func add(_ bytes: Int) { finished.add(bytes, ordering: .relaxed) }

    /// The report begun last is done.
    func end() {
        let lines = input.withLock { input in
            defer { input = Input() }
            return input.lines > 0 ? input.bytes : 0
        }
        add(lines)
    }

    /// Stops and clears the line.
    public func stop() {
        task.withLock { $0?.cancel() }
        _ = writeAll(STDERR_FILENO, Array("\u{1B}[K".utf8))
    }

    /// As `[########------------]  42 %  11.5 of 27.4 MB  45000 events  22100/s`.
    var line: String {
        let events = events()
        let seconds = max(0.001, (ContinuousClock.now - begin) / .seconds(1))
        let tail = "\(events) events  \(Int(Double(events) / seconds))/s"
        guard total > 0 else { return tail }
        let input = input.withLock { $0 }
        let share = input.lines > 0 ? min(1, Double(events - input.eventsBefore) / Double(input.lines)) : 0
        let done = min(total, finished.load(ordering: .relaxed) + Int(share * Double(input.bytes)))
        let marks = done * 20 / total
        let percent = "\(done * 100 / total)"
        return "[\(String(repeating: "#", count: marks))\(String(repeating: "-", count: 20 - marks))] "
            + String(repeating: " ", count: 3 - percent.utf8.count)
            + "\(percent) %  \(Self.megabytes(done)) of \(Self.megabytes(total)) MB  "
            + tail
    }

    private static func megabytes(_ bytes: Int) -> String { "\((Double(bytes) / 100_000).rounded() / 10)" }

    /// Bytes of files together; 0 when one of them is standard input or no file.
    public static func size(of files: [String]) -> Int {
        var sum = 0
        for file in files {
            var status = stat()
            guard file != "-", stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return 0 }
            sum += Int(status.st_size)
        }
        return sum
    }
}
