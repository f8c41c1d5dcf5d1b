import Glibc
import SQLite

/// The files of a spool's directory, and what is done to them as files.
struct SpoolFiles: Sendable {
    let directory: String
    var main: String { directory + "/spool.sqlite" }
    var log: String { main + "-wal" }
    var lockFile: String { directory + "/spool.lock" }
    var reserveFile: String { directory + "/spool.reserve" }
    /// What was counted, to compare the file with.
    var tally: String { directory + "/spool.tally" }
    /// A repaired copy in the making; of no worth when found.
    var repairing: String { directory + "/spool.sqlite.repairing" }
    /// The file with the log copied into it, to repair from; of no worth when found.
    var replayed: String { directory + "/spool.sqlite.replayed" }
    /// A finished repaired copy, about to take the place of the file.
    var repaired: String { directory + "/spool.sqlite.repaired" }

    func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The words for what the system refused.
    func refused(_ action: String, _ path: String, _ code: Int32) -> SpoolError {
        .disk("cannot \(action) \(path): \(String(cString: strerror(code))); check the path, its owner and the room on the disk")
    }

    /// The same for what SQLite refused.
    func refused(_ error: SQLiteError) -> SpoolError {
        .disk("cannot open the spool \(main): \(error.message) (SQLite code \(error.extendedCode)); check the file and its disk")
    }

    /// Shorter than the least page there can be: SQLite takes such a file for a new one.
    var isEmptyMain: Bool {
        var status = stat()
        return stat(main, &status) == 0 && status.st_size < 512
    }

    /// The bytes of a file; 0 when it is not there.
    func size(_ path: String) -> Int64 {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// The names of damaged files that were set aside.
    var setAside: [String] {
        guard let folder = opendir(directory) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name.hasPrefix("spool.sqlite.corrupt-") { names.append(name) }
        }
        return names.sorted()
    }

    func makeDirectory() throws(SpoolError) {
        var path = ""
        for part in directory.split(separator: "/", omittingEmptySubsequences: true) {
            path += (path.isEmpty && !directory.hasPrefix("/") ? "" : "/") + part
            if mkdir(path, 0o750) != 0, errno != EEXIST {
                let code = errno
                if !exists(path) { throw refused("make directory", path, code) }
            }
        }
    }

    /// Locks the directory for this process; the lock goes with the descriptor.
    func lock() throws(SpoolError) -> Int32 {
        // A process that is just ending, or being started by the last owner, may hold it for a moment.
        for _ in 0..<50 {
            if let descriptor = try lockNow() { return descriptor }
            usleep(10_000)
        }
        throw .disk("the spool in \(directory) is in use by another process; give each process a directory of its own")
    }

    /// The same without waiting; nil when another has it.
    func lockNow() throws(SpoolError) -> Int32? {
        while true {
            let descriptor = open(lockFile, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
            guard descriptor >= 0 else { throw refused("open", lockFile, errno) }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                close(descriptor)
                return nil
            }
            // Whoever adopts a spool removes this file too: a lock on a file that is gone keeps nobody out.
            var own = stat()
            var there = stat()
            if fstat(descriptor, &own) == 0, stat(lockFile, &there) == 0, own.st_ino == there.st_ino { return descriptor }
            close(descriptor)
        }
    }

    /// Whether a process has the spool open.
    var isInUse: Bool {
        let descriptor = open(lockFile, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0
    }

    /// Makes the file with narrow rights (SQLite gives the same to the files beside it); true when it was there.
    func prepareMain() throws(SpoolError) -> Bool {
        var status = stat()
        let wasThere = stat(main, &status) == 0
        let descriptor = open(main, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw refused("open", main, errno) }
        close(descriptor)
        syncDirectory()
        if !wasThere { syncParents() }
        return wasThere
    }

    /// Makes the directory itself durable, whoever has made it: what is synced in it is found only through its parents.
    private func syncParents() {
        var parent = directory.hasPrefix("/") ? directory : "./" + directory
        while let slash = parent.lastIndex(of: "/") {
            parent = String(parent[..<slash])
            SpoolFiles.sync(parent.isEmpty ? "/" : parent)
        }
    }

    /// Makes renames and new files durable.
    func syncDirectory() { SpoolFiles.sync(directory) }

    private static func sync(_ directory: String) {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    /// Blocks kept back on the disk: without them a full disk would also stop the deletion of what was delivered.
    func holdReserve(_ size: Int) -> Bool {
        let descriptor = open(reserveFile, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        if posix_fallocate(descriptor, 0, size) == 0 { return true }
        unlink(reserveFile)
        return false
    }

    /// Removes the spool and, when nothing else is in it, its folder. The file goes first: what is beside it is nothing without it.
    func removeAll() {
        for path in [main, log, main + "-shm", repaired, reserveFile, tally] { unlink(path) }
        removeTemporary()
        unlink(lockFile)
        syncDirectory()
        rmdir(directory)
    }

    func giveUpReserve() { unlink(reserveFile) }

    /// Removes what a repair leaves while it is made.
    func removeTemporary() {
        for path in [repairing, repairing + "-journal", replayed, replayed + "-wal", replayed + "-shm"] { unlink(path) }
    }

    /// Finishes an exchange of the file for its repaired copy. Can be stopped anywhere and done again.
    ///
    /// - Returns: where the damaged file is now; nil when there was nothing to exchange.
    func exchange(at time: Int64) -> String? {
        removeTemporary()
        guard exists(repaired) else { return nil }
        var aside = main + ".corrupt-\(time)"
        var number = 1
        while exists(aside) {
            number += 1
            aside = main + ".corrupt-\(time)-\(number)"
        }
        // The log must not be found beside the repaired file, to which it does not belong.
        rename(log, aside + "-wal")
        unlink(main + "-shm")
        rename(main, aside)
        rename(repaired, main)
        syncDirectory()
        return aside
    }
}
