import Glibc

/// What tells one edition of a file from another without reading it.
struct FileStamp: Equatable, Sendable {
    let device: UInt64
    let inode: UInt64
    let size: Int64
    let seconds: Int64
    let nanoseconds: Int64

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        seconds = Int64(status.st_mtim.tv_sec)
        nanoseconds = Int64(status.st_mtim.tv_nsec)
    }

    init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }
}

/// An opened file, closed with the value. Its stamp is taken before anything is read, so that a change during reading shows later.
struct DatabaseFile: ~Copyable {
    let path: String
    let descriptor: CInt
    let stamp: FileStamp

    init(path: String) throws(ASNDatabaseError) {
        // A path from a configuration may hold a NUL, which C would take as its end.
        guard !path.utf8.contains(0) else { throw .missing(path: path) }
        // Not blocking, or a named pipe would hold the start for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT, ENOTDIR: throw .missing(path: path)
            case EACCES, EPERM: throw .forbidden(path: path)
            default: throw .unreadable(path: path, reason: Self.reason())
            }
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let reason = Self.reason()
            close(descriptor)
            throw .unreadable(path: path, reason: reason)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            let found = status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "something that is not a regular file"
            throw .wrongKind(path: path, found: found)
        }
        guard status.st_size > 0 else {
            close(descriptor)
            throw .empty(path: path)
        }
        self.path = path
        self.descriptor = descriptor
        stamp = FileStamp(status)
    }

    deinit { close(descriptor) }

    /// What the last failed system call says.
    static func reason() -> String { String(cString: strerror(errno)) }

    /// Whether the mark of the MaxMind format stands in the last 128 KiB, where the format wants it.
    func isMaxMind() throws(ASNDatabaseError) -> Bool {
        let mark: [UInt8] = [0xAB, 0xCD, 0xEF] + Array("MaxMind.com".utf8)
        let length = Int(min(stamp.size, 128 * 1024))
        var tail = [UInt8](repeating: 0, count: length)
        let got = tail.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, length, off_t(stamp.size) - off_t(length)) }
        guard got >= 0 else { throw .unreadable(path: path, reason: Self.reason()) }
        guard got >= mark.count else { return false }
        for start in (0...(got - mark.count)).reversed() where tail[start] == mark[0] {
            if tail[start..<(start + mark.count)].elementsEqual(mark) { return true }
        }
        return false
    }
}
