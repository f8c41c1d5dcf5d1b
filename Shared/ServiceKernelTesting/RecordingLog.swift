public import Logging
public import ServiceKernel
import Synchronization

/// The lines of a log, kept in memory.
public final class RecordedLines: Sendable {
    private let state = Mutex<[String]>([])

    /// No lines.
    public init() {}
    /// Each as `level: message key=value …`.
    public var all: [String] { state.withLock { $0 } }
    /// Whether a line has that text.
    public func contains(_ text: String) -> Bool { all.contains { $0.contains(text) } }

    func add(_ line: String) { state.withLock { $0.append(line) } }
}

private struct RecordingHandler: LogHandler {
    let lines: RecordedLines
    var logLevel = Logger.Level.trace
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let words = ["\(event.level.rawValue): \(event.message)"] + all.map { "\($0.key)=\($0.value)" }
        lines.add(words.joined(separator: " "))
    }
}

extension Log {
    /// A log that keeps its lines instead of writing them.
    public static func recording(_ lines: RecordedLines = RecordedLines()) -> Log {
        Logger(label: "test") { _ in RecordingHandler(lines: lines) }
    }
}
