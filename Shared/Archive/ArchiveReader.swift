import Bulk
import CArchive

/// Reads archives in memory with libarchive.
struct ArchiveReader: ~Copyable {
    /// More members than any report has; each costs time and memory even when it is empty.
    private static let memberLimit = 100_000

    private let handle: OpaquePointer
    private let locale: carchive_locale
    private let kind: ArchiveKind
    private let limit: Int
    private let fileName: String
    private let folder: String?
    private var taken: [ArchiveMember] = []
    private var total = 0

    /// All wanted files of a zip or tar archive.
    static func members(
        of archive: BulkBytes, kind: ArchiveKind, only: [String]?, limit: Int, fileName: String, folder: String?
    ) throws(ArchiveError) -> [ArchiveMember] {
        try archive.withBytes { (view) throws(ArchiveError) in
            var reader = try ArchiveReader(kind: kind, limit: limit, fileName: fileName, folder: folder)
            try reader.open(UnsafeRawBufferPointer(view))
            return try reader.members(only: only)
        }
    }

    /// The content of a bzip2 or xz file.
    static func filter(
        _ packed: BulkBytes, kind: ArchiveKind, limit: Int, fileName: String, folder: String?
    ) throws(ArchiveError) -> BulkBytes {
        try packed.withBytes { (view) throws(ArchiveError) in
            let reader = try ArchiveReader(kind: kind, limit: limit, fileName: fileName, folder: folder)
            try reader.open(UnsafeRawBufferPointer(view))
            let entry = try reader.nextEntry()
            // libarchive hands on what is too short for its filters.
            guard archive_filter_code(reader.handle, 0) != ARCHIVE_FILTER_NONE else {
                throw ArchiveError(
                    .damaged, "\(fileName): the \(kind) data is cut off after \(view.count) bytes; fetch it again")
            }
            guard entry != nil else { return BulkBytes([]) }
            return try reader.content(expected: view.count * 4, input: view.count)
        }
    }

    private init(kind: ArchiveKind, limit: Int, fileName: String, folder: String?) throws(ArchiveError) {
        guard let handle = archive_read_new() else {
            throw ArchiveError(.damaged, "\(fileName): not enough memory to unpack")
        }
        self.handle = handle
        locale = carchive_locale_enter()
        self.kind = kind
        self.limit = limit
        self.fileName = fileName
        self.folder = folder
        switch kind {
        case .zip:
            archive_read_support_format_zip(handle)
        case .tar:
            archive_read_support_format_tar(handle)
        default:
            archive_read_support_filter_bzip2(handle)
            archive_read_support_filter_xz(handle)
            archive_read_support_format_raw(handle)
            archive_read_support_format_empty(handle)
        }
    }

    deinit {
        archive_read_free(handle)
        carchive_locale_leave(locale)
    }

    private func open(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
        if archive_read_open_memory(handle, bytes.baseAddress, bytes.count) != ARCHIVE_OK { throw failure() }
    }

    private mutating func members(only: [String]?) throws(ArchiveError) -> [ArchiveMember] {
        let wanted = only.map(Set.init)
        var seen: [String] = []
        var entries = 0
        while let entry = try nextEntry() {
            entries += 1
            if entries > Self.memberLimit {
                throw ArchiveError(.tooLarge, "\(fileName): holds more than \(Self.memberLimit) members\(progress)")
            }
            guard archive_entry_filetype(entry) == 0o100000, archive_entry_hardlink(entry) == nil else { continue }
            let name = name(of: entry, number: entries)
            if let wanted, !wanted.contains(name) {
                if seen.count < 10 { seen.append(name) }
                continue
            }
            if archive_entry_is_encrypted(entry) != 0 {
                throw ArchiveError(
                    .encrypted,
                    "\(fileName): member \(shown(name)) is encrypted\(progress); ask the sender for an archive without password")
            }
            let expected = archive_entry_size_is_set(entry) != 0 ? Int(clamping: archive_entry_size(entry)) : 0
            let content = try content(expected: expected, input: 1 << 20, name: name)
            taken.append(ArchiveMember(name: name, content: content))
            total += content.count
        }
        if let only, let missing = only.first(where: { name in !taken.contains { $0.name == name } }) {
            let others = (taken.prefix(10).map(\.name) + seen).prefix(10).map(shown).joined(separator: ", ")
            throw ArchiveError(
                .missing, "\(fileName): has no member \(shown(missing)); it has \(others.isEmpty ? "no files" : others)")
        }
        return taken
    }

    /// The next header; nil at the end.
    private func nextEntry() throws(ArchiveError) -> OpaquePointer? {
        var entry: OpaquePointer?
        switch archive_read_next_header(handle, &entry) {
        case ARCHIVE_EOF: return nil
        // Warnings are about names and attributes; the content is whole.
        case ARCHIVE_OK, ARCHIVE_WARN: return entry
        default: throw failure()
        }
    }

    private func name(of entry: OpaquePointer, number: Int) -> String {
        if let name = archive_entry_pathname(entry) ?? archive_entry_pathname_utf8(entry) { return String(cString: name) }
        return "member \(number)"
    }

    /// Reads the content of the entry whose header was read last.
    private func content(expected: Int, input: Int, name: String? = nil) throws(ArchiveError) -> BulkBytes {
        var output = Output(limit: limit - total, expected: expected, input: input, fileName: fileName, folder: folder)
        while true {
            var count = 0
            do throws(ArchiveError) {
                try output.fill { room in
                    count = archive_read_data(handle, room.baseAddress, room.count)
                    return max(count, 0)
                }
            } catch {
                throw error.kind == .tooLarge ? .tooLarge(fileName, limit: limit, after: progress) : error
            }
            if count == 0 { return try output.finish() }
            // A warning here means that a checksum does not match.
            if count < 0 { throw failure(in: name, after: output.count) }
        }
    }

    private var progress: String {
        guard let last = taken.last else { return "" }
        return " after \(taken.count) members with \(total) bytes, the last \(shown(last.name))"
    }

    private func failure(in member: String? = nil, after count: Int = 0) -> ArchiveError {
        let reason = archive_error_string(handle).map { String(cString: $0) } ?? "no reason given"
        let place = member.map { " in member \(shown($0)) after \(count) bytes" } ?? (count > 0 ? " after \(count) bytes" : "")
        let lowered = reason.lowercased()
        if lowered.contains("encrypted") || lowered.contains("passphrase") {
            return ArchiveError(
                .encrypted,
                "\(fileName): the \(kind) data is encrypted\(place)\(progress); ask the sender for one without password")
        }
        if lowered.contains("unsupported") {
            return ArchiveError(.unsupported, "\(fileName): the \(kind) data cannot be unpacked\(place): \(reason)\(progress)")
        }
        return ArchiveError(.damaged, "\(fileName): the \(kind) data is damaged\(place): \(reason)\(progress); fetch it again")
    }
}

/// A name fit for a message: short, and without characters that could steer a terminal.
private func shown(_ name: String) -> String {
    var result = ""
    for scalar in name.unicodeScalars.prefix(200) {
        result.unicodeScalars.append(scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar)
    }
    return result
}
