import Synchronization

/// The last lines that processes have written, and whoever reads along. Bounded: a reader that is slower than the lines misses some.
public final class LogTail: Sendable {
    private struct State {
        var lines: [String] = []
        /// Place of the oldest line, once there are as many as are kept.
        var first = 0
        var readers: [Int: AsyncStream<String>.Continuation] = [:]
        var nextReader = 0

        func last(_ count: Int) -> ArraySlice<String> { (lines[first...] + lines[..<first]).suffix(max(0, count)) }
    }

    private let limit: Int
    private let state = Mutex(State())

    /// Keeps so many lines.
    public init(limit: Int = 1000) { self.limit = limit }

    /// Adds a line without its end.
    public func add(_ line: String) {
        // The journal's priority is not for people.
        let bytes = line.utf8.prefix(3)
        let line = bytes.first == 0x3C && bytes.last == 0x3E ? String(line.dropFirst(3)) : line
        state.withLock { state in
            if state.lines.count < limit {
                state.lines.append(line)
            } else {
                state.lines[state.first] = line
                state.first = (state.first + 1) % limit
            }
            for reader in state.readers.values { reader.yield(line) }
        }
    }

    /// The last lines, oldest first.
    public func last(_ count: Int) -> [String] {
        state.withLock { Array($0.last(count)) }
    }

    /// The last lines, and then those that come; ends when the task that reads is cancelled.
    public func follow(last count: Int) -> AsyncStream<String> {
        let (stream, continuation) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(limit))
        let number = state.withLock { state in
            for line in state.last(count) { continuation.yield(line) }
            state.nextReader += 1
            state.readers[state.nextReader] = continuation
            return state.nextReader
        }
        continuation.onTermination = { [weak self] _ in self?.state.withLock { _ = $0.readers.removeValue(forKey: number) } }
        return stream
    }
}
