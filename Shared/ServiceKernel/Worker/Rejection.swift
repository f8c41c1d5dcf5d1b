package import IDF

/// Why a worker could not do its work, named by what the caller should do.
public enum Rejection: Error, Sendable, Equatable, CustomStringConvertible {
    /// The data is wrong: never try it again as it is.
    case malformed(String)
    /// Something the worker needs is not in the data: never try it again as it is.
    case missing(String)
    /// Something the worker depends on does not answer: try again later.
    case unavailable(String)
    /// Too much at once: try again after so many seconds.
    case limited(String, retryAfter: Int)

    /// What was found and what is wanted.
    public var detail: String {
        switch self {
        case .malformed(let detail), .missing(let detail), .unavailable(let detail), .limited(let detail, _): detail
        }
    }

    /// Stable name for metrics, answers and dead letters.
    public var code: String {
        switch self {
        case .malformed: "malformed"
        case .missing: "missing"
        case .unavailable: "unavailable"
        case .limited: "limited"
        }
    }

    /// Whether the same data may succeed later.
    public var isTemporary: Bool {
        switch self {
        case .malformed, .missing: false
        case .unavailable, .limited: true
        }
    }

    /// HTTP status of the answer.
    public var status: Int {
        switch self {
        case .malformed, .missing: 422
        case .unavailable: 503
        case .limited: 429
        }
    }

    /// The same as an answer says it.
    package var problem: Problem { Problem(status, code, detail) }

    /// Kind and detail.
    public var description: String { "\(code): \(detail)" }
}
