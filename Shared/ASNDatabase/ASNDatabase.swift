public import IDF

/// Who announces an address: an opened database of autonomous systems.
///
/// Reads MaxMind databases (GeoLite2-ASN, GeoIP2-ISP and others with `autonomous_system_number`) and the text
/// tables of pyasn and CAIDA, plain or with gzip; the content decides, not the name of the file.
///
/// ```swift
/// let database = try ASNDatabase(path: "/var/lib/intelmq/GeoLite2-ASN.mmdb")
/// database.system(announcing: address)?.number
/// ```
///
/// An opened database never changes, so that look-ups from any number of threads need no lock. It is a copy in memory: a file
/// that is overwritten or cut short while in use does no harm. To follow a file, ask `changedOnDisk()` now and
/// then and open it anew.
public final class ASNDatabase: Sendable {
    private enum Content: Sendable {
        case maxMind(MaxMindReader)
        case text(TextTable)
    }

    private let content: Content
    private let stamp: FileStamp

    /// Where the database was read from.
    public let path: String
    /// What tells one edition of the data from another (for an ETag): the build time of a MaxMind database, time of
    /// change and size of a text table.
    public let build: String
    /// When the data were made: the build time of a MaxMind database, the time of change of a text table; seconds
    /// since 1970-01-01 UTC.
    public let buildTime: Int64
    /// The number of networks; a MaxMind database may count one announced network as several.
    public let entryCount: Int

    /// Opens and checks a database; large ones take a fraction of a second.
    ///
    /// - Throws: `ASNDatabaseError` when the file is missing, unreadable, damaged, empty or of another kind.
    public init(path: String) throws(ASNDatabaseError) {
        let file = try DatabaseFile(path: path)
        self.path = path
        stamp = file.stamp
        if try file.isMaxMind() {
            let reader = try MaxMindReader(file: file)
            content = .maxMind(reader)
            build = String(reader.buildTime)
            buildTime = reader.buildTime
            entryCount = reader.networkCount
        } else {
            let table = try TextTable(file: file)
            content = .text(table)
            build = "\(stamp.seconds).\(stamp.nanoseconds)-\(stamp.size)"
            buildTime = stamp.seconds
            entryCount = table.count
        }
    }

    /// The system that announces the most specific network containing the address; nil where none is known.
    public func system(announcing address: IPAddress) -> AutonomousSystem? {
        switch content {
        case .maxMind(let reader): reader.system(announcing: address)
        case .text(let table): table.system(announcing: address)
        }
    }

    /// Whether another edition lies at `path` now, by one `stat` call; false while there is no file.
    public func changedOnDisk() -> Bool {
        guard let now = FileStamp(path: path) else { return false }
        return now != stamp
    }
}
