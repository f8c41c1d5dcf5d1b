import Glibc

/// Makes a folder and those above it.
public func makeFolder(_ path: String) throws(Rejection) {
    var made = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
        made += "/\(part)"
        if mkdir(made, 0o750) != 0, errno != EEXIST {
            throw .unavailable("cannot make the folder \(made): \(String(cString: strerror(errno)))")
        }
    }
}

/// Makes the folder that a file will lie in.
/// - Parameter isTrial: only looks whether file and folder could be made.
public func makeFolder(ofFile path: String, isTrial: Bool = false) throws(Rejection) {
    let parts = path.split(separator: "/").dropLast()
    let folder = (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    if !isTrial { return try makeFolder(folder) }
    var near = parts
    while !near.isEmpty, access((path.hasPrefix("/") ? "/" : "") + near.joined(separator: "/"), F_OK) != 0 { near.removeLast() }
    let place = (path.hasPrefix("/") ? "/" : near.isEmpty ? "." : "") + near.joined(separator: "/")
    guard access(path, F_OK) == 0 ? access(path, W_OK) == 0 : access(place, W_OK | X_OK) == 0 else {
        throw .unavailable("cannot write \(path): \(String(cString: strerror(errno)))")
    }
}

/// The names in a folder, sorted; none if it cannot be read.
public func fileNames(in folder: String) -> [String] {
    guard let handle = opendir(folder) else { return [] }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// Reads a whole file or a stream.
public func readAll(_ descriptor: Int32, limit: Int = .max) -> [UInt8]? {
    var bytes: [UInt8] = []
    var status = stat()
    if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, Int(status.st_size) <= limit {
        // With room for the read that finds the end: otherwise the whole would be copied for it.
        bytes.reserveCapacity(Int(status.st_size) + 65536 + 64)
    }
    var done = false
    while !done {
        let start = bytes.count
        let step = max(65536, min(bytes.capacity - start - 64, 4 << 20))
        bytes.append(contentsOf: repeatElement(0, count: step))
        let got = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress! + start, step) }
        bytes.removeLast(step - max(0, got))
        if got < 0 {
            if errno == EINTR { continue }
            return nil
        }
        done = got == 0
        if bytes.count > limit {
            errno = EFBIG
            return nil
        }
    }
    return bytes
}

/// Reads a file; nil leaves the reason in `errno`.
public func readFile(_ path: String, limit: Int = .max) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return readAll(descriptor, limit: limit)
}

/// Writes a file so that a reader sees the old or the new content whole, also after a crash.
/// - Parameter mode: who may read it; files that may hold secrets take 0o600.
public func replaceFile(_ path: String, with bytes: [UInt8], mode: mode_t = 0o644) throws(Rejection) {
    let temporary = "\(path).new-\(getpid())"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw .unavailable("cannot write \(temporary): \(String(cString: strerror(errno)))") }
    let written = writeAll(descriptor, bytes) && fsync(descriptor) == 0
    let reason = String(cString: strerror(errno))
    close(descriptor)
    guard written, rename(temporary, path) == 0 else {
        unlink(temporary)
        throw .unavailable("cannot write \(path): \(reason)")
    }
}

/// What tells one edition of a file from another without reading it.
public struct FileStamp: Equatable, Sendable {
    private let inode: UInt64
    private let size: Int64
    /// When it was changed last, in seconds since 1970.
    public let seconds: Int
    private let nanoseconds: Int

    /// The stamp of the file as it is now; nil where there is none.
    public init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        (inode, size) = (UInt64(status.st_ino), Int64(status.st_size))
        (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    }
}
