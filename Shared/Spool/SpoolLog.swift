import Glibc

/// The write-ahead log beside the spool's file, looked at as bytes (<https://sqlite.org/fileformat2.html#walformat>).
///
/// SQLite stops at the first frame whose checksum is wrong and forgets all later ones without a word. That is right for a torn end;
/// but a bit that changed in the middle would take with it what was acknowledged after it. A frame's checksum goes on from that of
/// the frame before, which stands in that frame's head: so each frame behind a changed one can still be told to be sound.
struct SpoolLog {
    /// One frame: where it is and what it is for.
    struct Frame {
        let offset: Int64
        let page: UInt32
        /// The pages of the whole file, when a transaction ends with this frame; else 0.
        let pagesAfterCommit: UInt32
        let isSound: Bool
        /// Whether its head says that it belongs to the log's present life.
        let isOwn: Bool
    }

    /// What was found wrong.
    struct Damage {
        /// Frames that changed.
        let frames: Int
        /// Sound frames behind the first of them, up to the last one that ends a transaction.
        let framesBehind: Int
        let bytesBehind: Int64
        let isHeaderDamaged: Bool

        var words: String {
            let what = isHeaderDamaged ? "its head" : "\(frames) of its frames"
            return "\(what) changed on the disk; \(framesBehind) sound frames (\(bytesBehind) bytes) lie behind"
        }
    }

    static let headSize = 32
    static let frameHeadSize = 24

    let path: String
    let pageSize: Int
    /// All frames of the log's present life, changed ones included, up to the last sound one that ends a transaction.
    private(set) var frames: [Frame] = []
    private(set) var isHeaderSound = false

    /// The checksum of the format: two sums over pairs of words.
    struct Sums: Equatable {
        var first: UInt32 = 0
        var second: UInt32 = 0

        mutating func add(_ bytes: UnsafeRawBufferPointer, isBigEndian: Bool) {
            var (one, two) = (first, second)
            var at = 0
            while at + 8 <= bytes.count {
                var low = bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)
                var high = bytes.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self)
                if isBigEndian != (UInt32(1).bigEndian == 1) {
                    low = low.byteSwapped
                    high = high.byteSwapped
                }
                one = one &+ low &+ two
                two = two &+ high &+ one
                at += 8
            }
            (first, second) = (one, two)
        }
    }

    /// Reads the log at `path`; nil when there is none, or nothing in it.
    init?(path: String) {
        self.path = path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var head = [UInt8](repeating: 0, count: SpoolLog.headSize)
        guard pread(descriptor, &head, head.count, 0) == head.count else { return nil }
        let words = head.withUnsafeBytes { head in (0..<8).map { SpoolLog.word(head, $0 * 4) } }
        var sums = Sums()
        let isBigEndian = words[0] == 0x377f_0683
        head.withUnsafeBytes { sums.add(UnsafeRawBufferPointer(rebasing: $0[0..<24]), isBigEndian: isBigEndian) }
        isHeaderSound = words[0] & ~1 == 0x377f_0682 && sums == Sums(first: words[6], second: words[7])
        // What the log of a spool looks like when its own words cannot be trusted.
        pageSize = isHeaderSound ? Int(words[2]) : Store.pageSize
        guard pageSize >= 512, pageSize <= 65_536 else { return nil }
        walk(
            descriptor, salts: isHeaderSound ? (words[4], words[5]) : nil, start: isHeaderSound ? sums : nil,
            isBigEndian: isHeaderSound ? isBigEndian : UInt32(1).bigEndian == 1)
    }

    private static func word(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> UInt32 {
        UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self))
    }

    private mutating func walk(_ descriptor: Int32, salts known: (UInt32, UInt32)?, start: Sums?, isBigEndian: Bool) {
        var salts = known
        var before = start
        var offset = Int64(SpoolLog.headSize)
        let size = SpoolLog.frameHeadSize + pageSize
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { buffer.deallocate() }
        var keep = 0
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return }
        let headOnly = SpoolLog.frameHeadSize
        // Up to the end of the file: behind a stretch that was destroyed there may be more. Of frames that are left of an earlier
        // life only the heads are read.
        while offset + Int64(size) <= status.st_size {
            guard pread(descriptor, buffer.baseAddress, headOnly, Int(offset)) == headOnly else { break }
            let bytes = UnsafeRawBufferPointer(buffer)
            let own = (SpoolLog.word(bytes, 8), SpoolLog.word(bytes, 12))
            if salts == nil { salts = own }
            let stored = Sums(first: SpoolLog.word(bytes, 16), second: SpoolLog.word(bytes, 20))
            var isSound = false
            let isOwn = salts.map { $0 == own } ?? false
            if isOwn, var sums = before {
                guard pread(descriptor, buffer.baseAddress, size, Int(offset)) == size else { break }
                sums.add(UnsafeRawBufferPointer(rebasing: bytes[0..<8]), isBigEndian: isBigEndian)
                sums.add(UnsafeRawBufferPointer(rebasing: bytes[headOnly...]), isBigEndian: isBigEndian)
                isSound = sums == stored
            }
            frames.append(
                Frame(
                    offset: offset, page: SpoolLog.word(bytes, 0), pagesAfterCommit: SpoolLog.word(bytes, 4), isSound: isSound,
                    isOwn: isOwn))
            if isSound, SpoolLog.word(bytes, 4) > 0 { keep = frames.count }
            before = stored
            offset += Int64(size)
        }
        frames.removeLast(frames.count - keep)
    }

    /// What changed, when a sound end of a transaction lies behind it; nil for a log that is sound, or only torn at its end.
    ///
    /// Frames that a killed process left of a transaction it never finished may also stand behind the end, but none that ends one.
    var damage: Damage? {
        let isFirstSound = isHeaderSound && frames.first?.isSound == true
        guard let first = isFirstSound ? frames.firstIndex(where: { !$0.isSound }) : frames.indices.first else { return nil }
        let behind = frames[first...].count { $0.isSound }
        return Damage(
            frames: frames.count { !$0.isSound }, framesBehind: behind,
            bytesBehind: Int64(behind * (pageSize + SpoolLog.frameHeadSize)), isHeaderDamaged: !isHeaderSound)
    }
}

extension SpoolLog {
    /// Makes a copy of the spool's file as it would be with all frames copied into it, the changed ones included: a packet says by its
    /// own checksum whether it is still what was written.
    func replay(onto main: String, as target: String) throws(SpoolError) {
        let from = open(main, O_RDONLY | O_CLOEXEC)
        let log = open(path, O_RDONLY | O_CLOEXEC)
        let to = open(target, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        defer { for descriptor in [from, log, to] where descriptor >= 0 { close(descriptor) } }
        func fail(_ path: String) -> SpoolError {
            .disk("cannot write \(path): \(String(cString: strerror(errno))); free some space; the spool's files are untouched")
        }
        guard from >= 0, log >= 0, to >= 0 else { throw fail(target) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var offset = 0
        while case let count = pread(from, &buffer, buffer.count, offset), count > 0 {
            guard pwrite(to, buffer, count, offset) == count else { throw fail(target) }
            offset += count
        }
        let pages = frames.last?.pagesAfterCommit ?? 0
        for frame in frames where frame.isOwn && frame.page > 0 && frame.page <= pages {
            guard pread(log, &buffer, pageSize, Int(frame.offset) + SpoolLog.frameHeadSize) == pageSize else { continue }
            guard pwrite(to, buffer, pageSize, (Int(frame.page) - 1) * pageSize) == pageSize else { throw fail(target) }
        }
        if pages > 0 { ftruncate(to, Int(pages) * pageSize) }
    }
}
