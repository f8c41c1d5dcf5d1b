/// Why a database of autonomous systems could not be opened.
///
/// `description` is a sentence for a person: where, what was found, what is wanted, what to do.
public enum ASNDatabaseError: Error, Equatable, Sendable {
    /// No file of that name.
    case missing(path: String)
    /// The file exists, this process may not read it.
    case forbidden(path: String)
    /// The operating system refused for another reason.
    case unreadable(path: String, reason: String)
    /// The right kind of file, damaged.
    case corrupt(path: String, reason: String)
    /// Another kind of file.
    case wrongKind(path: String, found: String)
    /// A line of a text table that says nothing sensible; lines count from 1.
    case badLine(path: String, line: Int, found: String, wanted: String)
    /// The right kind of file without a single network.
    case empty(path: String)
    /// More networks than any routing table has.
    case tooLarge(path: String, limit: Int)
}

extension ASNDatabaseError: CustomStringConvertible {
    private static let kinds = """
        a MaxMind database with autonomous systems (GeoLite2-ASN.mmdb, GeoIP2-ISP.mmdb), \
        a pyasn table (.dat) or a CAIDA table (pfx2as), the text tables plain or with gzip
        """

    /// The error as a sentence.
    public var description: String {
        switch self {
        case .missing(let path):
            "\(path): no such file. Wanted: \(Self.kinds). Fetch one, or correct the path."
        case .forbidden(let path):
            "\(path): this process may not read the file. Give its user read permission on the file and its folders."
        case .unreadable(let path, let reason):
            "\(path): cannot be read: \(reason)."
        case .corrupt(let path, let reason):
            "\(path): the file is damaged: \(reason). Fetch it again."
        case .wrongKind(let path, let found):
            "\(path): found \(found). Wanted: \(Self.kinds)."
        case .badLine(let path, let line, let found, let wanted):
            "\(path), line \(line): found \"\(found)\". Wanted: \(wanted). Correct or remove the line, or fetch the file again."
        case .empty(let path):
            "\(path): the file has no networks. Fetch it again."
        case .tooLarge(let path, let limit):
            "\(path): more than \(limit) networks, which no routing table has. Wanted: \(Self.kinds)."
        }
    }
}
