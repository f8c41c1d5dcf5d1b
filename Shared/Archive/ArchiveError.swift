/// Why something could not be unpacked.
public struct ArchiveError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What the caller can do about it.
    public enum Kind: Sendable, Hashable {
        /// More than the allowed bytes or members; a larger limit may help.
        case tooLarge
        /// Cut off or corrupt; fetching again may help.
        case damaged
        /// Needs a password, which is not supported.
        case encrypted
        /// A method this build cannot unpack.
        case unsupported
        /// A wanted member is not there.
        case missing
        /// There is no room for what is unpacked.
        case notKept
    }

    /// What the caller can do about it.
    public let kind: Kind
    /// The whole message: what, where, what was read so far, what next.
    public let description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    static func tooLarge(_ file: String, limit: Int, after progress: String = "") -> ArchiveError {
        ArchiveError(
            .tooLarge,
            "\(file): unpacks to more than \(limit) bytes\(progress); if that is expected, raise the setting size-limit")
    }
}
