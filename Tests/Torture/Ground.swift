import HTTP
import Synchronization

/// What all parts of a run have in common.
final class Ground: Sendable {
    let options: Options
    let root: String
    let client = HTTPClient(connectionsPerHost: 16)
    let load: Load
    private let all = Mutex<[Supervisor]>([])

    init(_ options: Options, root: String) throws(TortureError) {
        self.options = options
        self.root = root
        load = try Load()
    }

    /// Whether there is time for many rounds.
    var isLong: Bool { options.seconds >= 60 }

    /// Those whose services the main thread has to look after.
    var supervisors: [Supervisor] { all.withLock { $0 } }

    func add(_ supervisor: Supervisor) { all.withLock { $0.append(supervisor) } }
}
