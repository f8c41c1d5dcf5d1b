/// What the pattern grammar is made of; what a token says is in its bytes.
struct STIXToken {
    enum Kind: Equatable {
        case end, name, hyphenName, keyword
        case string, integer, float, time, hex, base64
        case mark
    }

    var kind: Kind
    /// Its bytes; of texts and other literals in quotes those between the quotes.
    var range: Range<Int>
    /// Where it begins.
    var start: Int
    /// Whether a text has escapes.
    var hasEscapes = false
}
