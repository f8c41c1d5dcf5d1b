/// What a run says about one thing that must not lose an event.
struct Verdict: Sendable {
    enum Result: String, Sendable {
        case pass
        case fail
        /// It could not be tried here; nothing is proved.
        case skipped
    }

    let name: String
    let result: Result
    /// What was done and seen, or why not.
    let words: String

    init(_ name: String, _ result: Result, _ words: String) {
        self.name = name
        self.result = result
        self.words = words
    }

    init(_ name: String, holds: Bool, _ words: String) { self.init(name, holds ? .pass : .fail, words) }
}
