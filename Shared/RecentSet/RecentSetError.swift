/// Why the memory's file cannot be used. Nothing was changed.
public enum RecentSetError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The capacity is below 1 or beyond what can be addressed.
    case badCapacity(Int)
    /// The system refused: what, where, why.
    case system(String)
    /// The file is something else, of another version, or cut: what was found and wanted.
    case wrongFile(String)
    /// Another process uses the file.
    case inUse(String)

    /// What happened and what to do, for people.
    public var description: String {
        switch self {
        case .badCapacity(let capacity): "a capacity of \(capacity) keys is not possible; give 1 to \(RecentSet.greatestCapacity)"
        case .system(let words): words
        case .wrongFile(let words): "\(words); move it away to begin with an empty memory"
        case .inUse(let path): "\(path) is in use by another process; give each process a file of its own"
        }
    }
}
