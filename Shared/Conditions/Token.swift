/// A piece of a condition and where it stands.
struct Token: Equatable {
    enum Kind: Equatable {
        /// A field, keyword, number, address, time…: everything without quotes, as it stands.
        case word(String)
        /// A text, without quotes and escapes.
        case text(String)
        /// Brackets, commas, and any run of other marks.
        case mark(String)
        case end
    }

    let kind: Kind
    let range: Range<Int>

    /// What stands there, for messages.
    var found: String {
        switch kind {
        case .word(let text), .mark(let text): text.shortened
        case .text(let text): Literal.quoted(text.shortened)
        case .end: "the end"
        }
    }

    func isWord(_ word: String) -> Bool { kind == .word(word) }
    func isMark(_ mark: String) -> Bool { kind == .mark(mark) }
}

extension String {
    /// At most 60 characters, for messages.
    var shortened: String {
        unicodeScalars.count <= 60 ? self : String(String.UnicodeScalarView(unicodeScalars.prefix(57))) + "…"
    }
}
