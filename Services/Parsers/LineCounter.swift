import IDF

/// Says in which line of a text something stands. Places that are asked for one after the other cost what lies between them.
struct LineCounter {
    private let text: ByteView
    private var at = 0
    private var line = 1

    init(_ text: ByteView) { self.text = text }

    /// The line, from 1, of the byte at an offset.
    mutating func line(of offset: Int) -> Int {
        let between = text[min(at, offset)..<max(at, offset)]
        let breaks = between.reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) }
        line += offset < at ? -breaks : breaks
        at = offset
        return line
    }
}
