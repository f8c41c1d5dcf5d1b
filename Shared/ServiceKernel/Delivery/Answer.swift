public import IDF

/// What a channel is told about a packet it brought.
public struct Answer: Sendable {
    /// HTTP status: 200 handed on, 202 kept, 4xx and 5xx refused.
    public var status: Int
    /// Why it was refused.
    public var problems: [Problem] = []
    /// Events of an accepted packet that became dead letters: place in the packet, code, detail.
    public var failed: [(index: Int, code: String, detail: String)] = []
    /// Events and reports accepted.
    public var accepted = 0
    /// Seconds after which it may work.
    public var retryAfter: Double?

    /// Whether the data is ours now.
    public var isAccepted: Bool { status < 300 }

    static func refused(_ status: Int, _ code: String, _ detail: String, retryAfter: Double? = nil) -> Answer {
        Answer(status: status, problems: [Problem(status, code, detail)], retryAfter: retryAfter)
    }
}
