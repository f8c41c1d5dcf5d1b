/// Why a text is no pattern, and where.
public struct STIXPatternError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong.
    public enum Reason: Sendable, Hashable {
        /// Something stands where something else is wanted.
        case unexpected(found: String, wanted: String)
        /// A literal that is none.
        case invalid(found: String, wanted: String)
        /// Brackets nested deeper than `STIXPattern.depthLimit`.
        case tooDeep
        /// The same qualifier twice on one expression.
        case duplicate(qualifier: String)
        /// A value that is no hash of the algorithm that the path names.
        case notAHash(found: String, algorithm: String)
        /// More alternatives than may be listed.
        case tooManyAlternatives(limit: Int)
    }

    /// What is wrong.
    public let reason: Reason
    /// Offset of the offending byte in the UTF-8 of the pattern.
    public let offset: Int

    /// What was found, where, and what is wanted.
    public var description: String {
        switch reason {
        case .unexpected(let found, let wanted), .invalid(let found, let wanted):
            "found \(found) at byte \(offset) of the pattern, wanted \(wanted)"
        case .tooDeep: "the pattern nests brackets deeper than \(STIXPattern.depthLimit) levels at byte \(offset)"
        case .duplicate(let qualifier):
            "found a second \(qualifier) on one expression at byte \(offset) of the pattern, wanted one"
        case .notAHash(let found, let algorithm):
            "found \(found) at byte \(offset) of the pattern, wanted a hash of \(algorithm)"
        case .tooManyAlternatives(let limit): "the pattern stands for more than \(limit) alternatives"
        }
    }
}
