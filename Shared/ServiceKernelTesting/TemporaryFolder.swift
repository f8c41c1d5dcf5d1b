import Glibc
import ServiceKernel

/// A folder of its own for one test, removed with the value.
public final class TemporaryFolder: Sendable {
    /// Its path, without a slash at the end.
    public let path: String

    /// Makes an empty folder below `/tmp`.
    public init() {
        var template = Array("/tmp/intelmq-test-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        guard let made else { fatalError("cannot make a folder in /tmp: \(String(cString: strerror(errno)))") }
        path = made
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        for name in fileNames(in: path) where unlink("\(path)/\(name)") != 0 { remove("\(path)/\(name)") }
        rmdir(path)
    }

    /// Writes a file below the folder and gives its path; folders on the way are made.
    @discardableResult
    public func write(_ bytes: some Collection<UInt8>, to name: String) -> String {
        var above = path
        for part in name.split(separator: "/").dropLast() {
            above += "/\(part)"
            mkdir(above, 0o700)
        }
        let target = "\(path)/\(name)"
        let descriptor = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { fatalError("cannot write \(target): \(String(cString: strerror(errno)))") }
        let bytes = Array(bytes)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { fatalError("cannot write \(target)") }
        close(descriptor)
        return target
    }
}
