import Glibc
import SQLite

/// The files of a spool's directory, and what is done to them as files.
struct SpoolFiles: Sendable {
    let directory: String
    var main: String { directory + "/spool.sqlite" }
    private var lockFile: String { directory + "/spool.lock" }
    private var reserveFile: String { directory + "/spool.reserve" }
    /// A repaired copy in the making; of no worth when found.
    var repairing: String { directory + "/spool.sqlite.repairing" }
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
        let descriptor = open(lockFile, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw refused("open", lockFile, errno) }
        // A process that is just ending, or being started by the last owner, may hold it for a moment.
        var tries = 0
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            tries += 1
            if tries < 50 {
                usleep(10_000)
                continue
            }
            close(descriptor)
            throw .disk("the spool in \(directory) is in use by another process; give each process a directory of its own")
        }
        return descriptor
    }

    /// Makes the file with narrow rights (SQLite gives the same to the files beside it); true when it was there.
    func prepareMain() throws(SpoolError) -> Bool {
        var status = stat()
        let wasThere = stat(main, &status) == 0
        let descriptor = open(main, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw refused("open", main, errno) }
        close(descriptor)
        syncDirectory()
        return wasThere
    }

    /// Makes renames and new files durable.
    func syncDirectory() {
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

    func giveUpReserve() { unlink(reserveFile) }

    /// Finishes an exchange of the file for its repaired copy. Can be stopped anywhere and done again.
    ///
    /// - Returns: where the damaged file is now; nil when there was nothing to exchange.
    func exchange(at time: Int64) -> String? {
        unlink(repairing)
        unlink(repairing + "-journal")
        guard exists(repaired) else { return nil }
        var aside = main + ".corrupt-\(time)"
        var number = 1
        while exists(aside) {
            number += 1
            aside = main + ".corrupt-\(time)-\(number)"
        }
        // The log must not be found beside the repaired file, to which it does not belong.
        rename(main + "-wal", aside + "-wal")
        unlink(main + "-shm")
        rename(main, aside)
        rename(repaired, main)
        syncDirectory()
        return aside
    }
}
