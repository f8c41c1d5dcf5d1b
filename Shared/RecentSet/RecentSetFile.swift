import Glibc

/// The memory behind a set: a mapped file, or anonymous memory. Layout, little-endian:
/// a page of header (8 bytes magic, 4 version, 4 slot size, 8 buckets, 8 capacity, 8 seed, 8 check of these), then the buckets.
struct RecentSetFile: ~Copyable, @unchecked Sendable {
    static let magic: UInt64 = 0x5445_5354_4e43_4552  // "RECNTSET"
    static let version: UInt32 = 1
    static let headerBytes = 4_096
    static let slotBytes = 32
    static let bucketSlots = 8

    let base: UnsafeMutableRawPointer
    let length: Int
    let buckets: Int
    let capacity: Int
    let seed: UInt64
    private let descriptor: Int32

    deinit {
        munmap(base, length)
        if descriptor >= 0 { close(descriptor) }
    }

    /// Twice as many slots as keys: with buckets of eight, about one key in a hundred then loses its place early when all are used.
    static func buckets(_ capacity: Int) -> Int { max(1, (capacity * 2 + bucketSlots - 1) / bucketSlots) }

    static func length(_ buckets: Int) -> Int { headerBytes + buckets * bucketSlots * slotBytes }

    /// Memory of this process only.
    init(capacity: Int) throws(RecentSetError) {
        let buckets = RecentSetFile.buckets(capacity)
        let length = RecentSetFile.length(buckets)
        guard let base = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), base != MAP_FAILED
        else { throw .system("cannot get \(length) bytes of memory: \(String(cString: strerror(errno)))") }
        madvise(base, length, MADV_HUGEPAGE)
        self.init(base: base, length: length, buckets: buckets, capacity: capacity, seed: RecentSetFile.newSeed(), descriptor: -1)
    }

    /// The file at `path`, made when it is missing or empty. An existing one keeps its own capacity.
    init(path: String, capacity: Int) throws(RecentSetError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw RecentSetFile.refused("open", path, errno) }
        do throws(RecentSetError) {
            // A process that is just ending, or being started by the last owner, may hold it for a moment.
            var tries = 0
            while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
                tries += 1
                guard tries < 50 else { throw .inUse(path) }
                usleep(10_000)
            }
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw RecentSetFile.refused("look at", path, errno) }
            guard status.st_mode & S_IFMT == S_IFREG else { throw .wrongFile("\(path) is not a regular file") }
            let size = Int(status.st_size)
            let found = size == 0 ? nil : try RecentSetFile.header(descriptor, path, size)
            let buckets = found?.buckets ?? RecentSetFile.buckets(capacity)
            let length = RecentSetFile.length(buckets)
            // Every block must be there: a full disk would otherwise end the process at some later store.
            let code = posix_fallocate(descriptor, 0, length)
            guard code == 0 else {
                if size == 0 { ftruncate(descriptor, 0) }
                throw RecentSetFile.refused("reserve \(length) bytes for", path, code)
            }
            guard let base = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), base != MAP_FAILED
            else { throw RecentSetFile.refused("map", path, errno) }
            self.init(
                base: base, length: length, buckets: buckets, capacity: found?.capacity ?? capacity,
                seed: found?.seed ?? RecentSetFile.newSeed(), descriptor: descriptor)
        } catch {
            close(descriptor)
            throw error
        }
        writeHeader()
    }

    private init(base: UnsafeMutableRawPointer, length: Int, buckets: Int, capacity: Int, seed: UInt64, descriptor: Int32) {
        self.base = base
        self.length = length
        self.buckets = buckets
        self.capacity = capacity
        self.seed = seed
        self.descriptor = descriptor
    }

    private static func newSeed() -> UInt64 { UInt64.random(in: .min ... .max) }

    private static func refused(_ action: String, _ path: String, _ code: Int32) -> RecentSetError {
        .system("cannot \(action) \(path): \(String(cString: strerror(code))); check its owner and the room on the disk")
    }

    private static func check(_ buckets: UInt64, _ capacity: UInt64, _ seed: UInt64) -> UInt64 {
        mixed(mixed(mixed(buckets ^ magic) ^ capacity) ^ seed)
    }

    private func writeHeader() {
        let fields: [UInt64] = [
            RecentSetFile.magic, UInt64(RecentSetFile.version) | UInt64(RecentSetFile.slotBytes) << 32, UInt64(buckets),
            UInt64(capacity), seed, RecentSetFile.check(UInt64(buckets), UInt64(capacity), seed),
        ]
        for (at, field) in fields.enumerated() {
            base.storeBytes(of: field.littleEndian, toByteOffset: at * 8, as: UInt64.self)
        }
    }

    /// What the header says; nil when the file was never finished (a header of zeros).
    private static func header(
        _ descriptor: Int32, _ path: String, _ size: Int
    ) throws(RecentSetError) -> (buckets: Int, capacity: Int, seed: UInt64)? {
        var fields = [UInt64](repeating: 0, count: 6)
        let got = fields.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        fields = fields.map { UInt64(littleEndian: $0) }
        if got == 48, fields.allSatisfy({ $0 == 0 }) { return nil }
        guard got == 48, fields[0] == magic else { throw .wrongFile("\(path) is not a memory of recent keys") }
        let found = fields[1] & 0xffff_ffff
        guard found == UInt64(version), fields[1] >> 32 == UInt64(slotBytes) else {
            throw .wrongFile(
                "\(path) has format \(found) with slots of \(fields[1] >> 32) bytes; wanted \(version) with \(slotBytes)")
        }
        guard fields[5] == check(fields[2], fields[3], fields[4]), let buckets = Int(exactly: fields[2]),
            let capacity = Int(exactly: fields[3]), capacity >= 1, capacity <= RecentSet.greatestCapacity,
            buckets == RecentSetFile.buckets(capacity)
        else { throw .wrongFile("\(path) has a damaged header") }
        guard size == length(buckets) else {
            throw .wrongFile("\(path) has \(size) bytes; its header wants \(length(buckets)): it was cut or grew")
        }
        return (buckets, capacity, fields[4])
    }
}

/// A number whose bits all depend on all bits of the input (the finalizer of SplitMix64).
@inline(__always) func mixed(_ input: UInt64) -> UInt64 {
    var value = input
    value = (value ^ (value &>> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value &>> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value &>> 31)
}
