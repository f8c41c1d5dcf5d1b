import Glibc

/// Takes a file that one process at a time may hold, and writes its own number into it.
/// - Parameter owner: who holds it, for the message: `a statusd of asn-lookup`.
/// - Returns: the open file; the lock ends with it.
package func takeLock(_ path: String, for owner: String) throws(ConfigurationError) -> Int32 {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
        throw ConfigurationError(["error: cannot write \(path): \(String(cString: strerror(errno)))"])
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        let process = readFile(path).map { String(decoding: $0, as: UTF8.self).filter(\.isNumber) } ?? ""
        close(descriptor)
        throw ConfigurationError([
            "error: \(owner) runs already\(process.isEmpty ? "" : " (process \(process))"): it holds \(path); stop it first"
        ])
    }
    ftruncate(descriptor, 0)
    _ = writeAll(descriptor, Array("\(getpid())\n".utf8))
    return descriptor
}
