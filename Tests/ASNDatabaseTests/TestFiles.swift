import ASNDatabase
import CZlib
import Foundation
import IDF
import Testing

/// A folder for the files of one test, removed with the value.
final class TestFolder {
    let path: String

    init() {
        var template = Array("/tmp/asn-database-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } }
        path = made ?? "/tmp"
    }

    deinit { if path != "/tmp" { try? FileManager.default.removeItem(atPath: path) } }

    /// Writes a file into the place of an older one, as `cp` does; gives its path.
    @discardableResult
    func file(_ bytes: some Collection<UInt8>, name: String = "table") -> String {
        let target = "\(path)/\(name)"
        let descriptor = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        let all = Array(bytes)
        var written = 0
        while written < all.count {
            let got = all.withUnsafeBytes { write(descriptor, $0.baseAddress?.advanced(by: written), all.count - written) }
            guard got > 0 else { break }
            written += got
        }
        close(descriptor)
        return target
    }

    @discardableResult
    func file(_ text: String, name: String = "table") -> String { file(text.utf8, name: name) }

    /// Writes a file packed with gzip.
    func packed(_ text: String) -> String {
        let target = "\(path)/table.gz"
        guard let stream = gzopen(target, "wb") else { return target }
        var text = text
        text.withUTF8 { _ = gzwrite(stream, $0.baseAddress, UInt32($0.count)) }
        gzclose(stream)
        return target
    }
}

/// The path of a committed file.
func fixture(_ name: String) -> String {
    String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/") ?? #filePath.endIndex)) + "/fixtures/" + name
}

func bytes(ofFile path: String) -> [UInt8] {
    let descriptor = open(path, O_RDONLY)
    defer { close(descriptor) }
    var all = [UInt8](repeating: 0, count: 1 << 20)
    let got = all.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    return Array(all.prefix(max(got, 0)))
}

/// An address from its text; `::` where the text is wrong.
func address(_ text: String) -> IPAddress { IPAddress(text) ?? IPAddress(bits: 0, isV4: false) }

/// A network from its text.
func network(_ text: String) throws -> IPNetwork {
    try #require(Array(text.utf8).withUnsafeBufferPointer { IPNetwork($0) })
}

/// The error of opening a file; nil where it opens.
func errorOpening(_ path: String) -> ASNDatabaseError? {
    do throws(ASNDatabaseError) {
        _ = try ASNDatabase(path: path)
        return nil
    } catch {
        return error
    }
}
