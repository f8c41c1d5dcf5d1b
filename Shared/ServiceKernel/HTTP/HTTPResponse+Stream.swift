package import HTTP
import Synchronization

extension HTTPResponse {
    /// An answer that a task writes until it is done or nobody reads any more.
    package static func streamed(_ type: String, _ body: @escaping @Sendable (HTTPBodyWriter) async -> Void) -> HTTPResponse {
        let box = TaskBox()
        let writer = HTTPBodyWriter(limit: 4 << 20) { box.cancel() }
        box.hold(
            Task {
                await body(writer)
                writer.finish()
            })
        return HTTPResponse(headers: [("Content-Type", type)], stream: writer)
    }
}

/// A task that is cancelled by whoever is told first that nobody reads any more.
private final class TaskBox: Sendable {
    private let state = Mutex<(task: Task<Void, Never>?, isOver: Bool)>((nil, false))

    func hold(_ task: Task<Void, Never>) {
        let isOver = state.withLock { state in
            state.task = task
            return state.isOver
        }
        if isOver { task.cancel() }
    }

    func cancel() {
        let task = state.withLock { state in
            state.isOver = true
            return state.task
        }
        task?.cancel()
    }
}
