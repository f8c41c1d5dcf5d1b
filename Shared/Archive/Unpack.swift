public import Bulk

/// A file taken out of an archive.
public struct ArchiveMember: Sendable {
    /// The name in the archive. It comes from outside: show it, compare it, never use it as a path.
    public let name: String
    /// The content.
    public let content: BulkBytes

    /// Makes a member.
    public init(name: String, content: BulkBytes) {
        self.name = name
        self.content = content
    }
}

/// True for content that `unpack` would take apart: gzip, zip, tar, bzip2, xz, zstd.
public func isArchive(_ content: BulkBytes) -> Bool { content.withBytes { ArchiveKind(of: $0) != .plain } }

/// Takes files out of an archive recognised by its content: zip, tar, and tar or a single file in gzip, bzip2, xz or zstd.
///
/// Anything else is one member unchanged, named `fileName`. A single compressed file is named by its gzip header or by
/// `fileName` without its suffix. Directories, links and devices are skipped; archives in archives stay as they are.
/// - Parameters:
///   - archive: the archive.
///   - only: exact names of the members wanted, all when nil; one that is not there is an error. Single files disregard it.
///   - limit: the most bytes all members may have together; a compressed tar must also as a whole stay below it.
///   - fileName: the archive's name, for messages and single files.
///   - folder: where large members lie in files without a name; nil: in memory.
public func unpack(
    _ archive: BulkBytes, only: [String]? = nil, limit: Int, fileName: String, folder: String? = nil
) throws(ArchiveError) -> [ArchiveMember] {
    let kind = archive.withBytes { ArchiveKind(of: $0) }
    let content: BulkBytes
    switch kind {
    case .zip, .tar:
        return try ArchiveReader.members(of: archive, kind: kind, only: only, limit: limit, fileName: fileName, folder: folder)
    case .plain:
        content = archive
        if archive.count > limit { throw .tooLarge(fileName, limit: limit) }
    case .gzip:
        content = try archive.withBytes { (bytes) throws(ArchiveError) in
            try gunzip(bytes, limit: limit, fileName: fileName, folder: folder)
        }
    case .zstd:
        content = try archive.withBytes { (bytes) throws(ArchiveError) in
            try unzstd(bytes, limit: limit, windowLimit: 27, fileName: fileName, folder: folder)
        }
    case .bzip2, .xz:
        content = try ArchiveReader.filter(archive, kind: kind, limit: limit, fileName: fileName, folder: folder)
    }
    if kind != .plain, content.withBytes({ ArchiveKind(of: $0) }) == .tar {
        return try ArchiveReader.members(of: content, kind: .tar, only: only, limit: limit, fileName: fileName, folder: folder)
    }
    let ownName = kind == .gzip ? archive.withBytes { gzipName($0) } : nil
    return [ArchiveMember(name: ownName ?? (kind == .plain ? fileName : withoutSuffix(fileName)), content: content)]
}

/// How an HTTP body is packed (`Content-Encoding`).
public enum ContentEncoding: String, Sendable, Hashable, CaseIterable {
    /// Not at all.
    case identity
    /// RFC 1952, one or more members.
    case gzip
    /// RFC 8878, with windows up to 8 MiB as RFC 9659 asks.
    case zstd
}

/// Unpacks an HTTP body into at most `limit` bytes; large ones into a file in `folder`, if one is given.
public func decode(
    _ body: BulkBytes, encoding: ContentEncoding, limit: Int, folder: String? = nil
) throws(ArchiveError) -> BulkBytes {
    try body.withBytes { (bytes) throws(ArchiveError) in
        switch encoding {
        case .identity:
            if bytes.count > limit { throw .tooLarge("request body", limit: limit) }
            return body
        case .gzip: return try gunzip(bytes, limit: limit, fileName: "request body", folder: folder)
        case .zstd: return try unzstd(bytes, limit: limit, windowLimit: 23, fileName: "request body", folder: folder)
        }
    }
}

/// `report.csv.gz` → `report.csv`.
private func withoutSuffix(_ name: String) -> String {
    for suffix in [".gz", ".bz2", ".xz", ".zst"] where name.lowercased().hasSuffix(suffix) && name.utf8.count > suffix.utf8.count
    {
        return String(decoding: name.utf8.dropLast(suffix.utf8.count), as: UTF8.self)
    }
    return name
}
