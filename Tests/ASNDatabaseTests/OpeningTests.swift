import ASNDatabase
import Glibc
import Testing

@Suite struct OpeningTests {
    @Test func reportsMissingFile() {
        #expect(errorOpening("/nonexistent/asn.mmdb") == .missing(path: "/nonexistent/asn.mmdb"))
        #expect(errorOpening("") == .missing(path: ""))
        #expect(errorOpening("/tmp\0/x") == .missing(path: "/tmp\0/x"))
        #expect(errorOpening(fixture("asn.mmdb") + "/below") == .missing(path: fixture("asn.mmdb") + "/below"))
    }

    @Test(.enabled(if: geteuid() != 0, "the superuser may read everything"))
    func reportsForbiddenFile() {
        let folder = TestFolder()
        let path = folder.file("192.0.2.0/24\t64496\n")
        chmod(path, 0)
        #expect(errorOpening(path) == .forbidden(path: path))
    }

    @Test func reportsOtherThings() {
        let folder = TestFolder()
        #expect(errorOpening(folder.path) == .wrongKind(path: folder.path, found: "a folder"))
        let pipe = folder.path + "/pipe"
        mkfifo(pipe, 0o600)
        #expect(errorOpening(pipe) == .wrongKind(path: pipe, found: "something that is not a regular file"))
    }

    @Test func reportsEmptyFile() {
        let folder = TestFolder()
        let path = folder.file("")
        #expect(errorOpening(path) == .empty(path: path))
        let comments = folder.file("; nothing\n\n# at all\n", name: "comments")
        #expect(errorOpening(comments) == .empty(path: comments))
    }

    @Test func refusesRandomBytes() {
        let folder = TestFolder()
        var random = Random(state: 3)
        for length in [1, 2, 13, 14, 15, 100, 5_000, 300_000] {
            let path = folder.file((0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) })
            #expect(errorOpening(path) != nil, "\(length) bytes")
        }
    }

    @Test func refusesMarkWithoutDatabase() {
        let folder = TestFolder()
        let mark: [UInt8] = [0xAB, 0xCD, 0xEF] + Array("MaxMind.com".utf8)
        for rest in [[], [0xE0], [0xFF, 0xFF, 0xFF], [UInt8](repeating: 0xE9, count: 200)] as [[UInt8]] {
            guard case .corrupt? = errorOpening(folder.file(mark + rest)) else {
                Issue.record("mark and \(rest.count) bytes")
                continue
            }
        }
    }
}
