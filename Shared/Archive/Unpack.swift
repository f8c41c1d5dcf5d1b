/// A file taken out of an archive.
public struct ArchiveMember: Sendable, Hashable {
    /// The name in the archive. It comes from outside: show it, compare it, never use it as a path.
    public let name: String
    /// The content.
    public let bytes: [UInt8]

    /// Makes a member.
    public init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}

/// True for content that `unpack` would take apart: gzip, zip, tar, bzip2, xz, zstd.
public func isArchive(_ bytes: [UInt8]) -> Bool {
    ArchiveKind(of: bytes) != .plain
}

/// Takes files out of an archive recognised by its content: zip, tar, and tar or a single file in gzip, bzip2, xz or zstd.
///
/// Anything else is one member unchanged, named `fileName`. A single compressed file is named by its gzip header or by
/// `fileName` without its suffix. Directories, links and devices are skipped; archives in archives stay as they are.
/// - Parameters:
///   - bytes: the archive.
///   - only: exact names of the members wanted, all when nil; one that is not there is an error. Single files disregard it.
///   - limit: the most bytes all members may have together; a compressed tar must also as a whole stay below it.
///   - fileName: the archive's name, for messages and single files.
public func unpack(
    _ bytes: [UInt8], only: [String]? = nil, limit: Int, fileName: String
) throws(ArchiveError) -> [ArchiveMember] {
    let kind = ArchiveKind(of: bytes)
    let content: [UInt8]
    switch kind {
    case .zip, .tar:
        return try ArchiveReader.members(of: bytes, kind: kind, only: only, limit: limit, fileName: fileName)
    case .plain:
        content = bytes
        if bytes.count > limit { throw .tooLarge(fileName, limit: limit) }
    case .gzip:
        content = try gunzip(bytes, limit: limit, fileName: fileName)
    case .zstd:
        content = try unzstd(bytes, limit: limit, windowLimit: 27, fileName: fileName)
    case .bzip2, .xz:
        content = try ArchiveReader.filter(bytes, kind: kind, limit: limit, fileName: fileName)
    }
    if kind != .plain, ArchiveKind(of: content) == .tar {
        return try ArchiveReader.members(of: content, kind: .tar, only: only, limit: limit, fileName: fileName)
    }
    let ownName = kind == .gzip ? gzipName(bytes) : nil
    return [ArchiveMember(name: ownName ?? (kind == .plain ? fileName : withoutSuffix(fileName)), bytes: content)]
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

/// Unpacks an HTTP body into at most `limit` bytes.
///
/// The result has at least 64 bytes of spare capacity, which SIMD readers want behind their input.
public func decode(_ body: [UInt8], encoding: ContentEncoding, limit: Int) throws(ArchiveError) -> [UInt8] {
    var result: [UInt8]
    switch encoding {
    case .identity:
        if body.count > limit { throw .tooLarge("request body", limit: limit) }
        result = body
    case .gzip: result = try gunzip(body, limit: limit, fileName: "request body")
    case .zstd: result = try unzstd(body, limit: limit, windowLimit: 23, fileName: "request body")
    }
    if result.capacity - result.count < Output.spare { result.reserveCapacity(result.count + Output.spare) }
    return result
}

/// `report.csv.gz` → `report.csv`.
private func withoutSuffix(_ name: String) -> String {
    for suffix in [".gz", ".bz2", ".xz", ".zst"] where name.lowercased().hasSuffix(suffix) && name.utf8.count > suffix.utf8.count
    {
        return String(decoding: name.utf8.dropLast(suffix.utf8.count), as: UTF8.self)
    }
    return name
}
