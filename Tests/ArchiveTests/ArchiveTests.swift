import Testing

@testable import Archive
import Bulk

private func failure(
    _ bytes: [UInt8], only: [String]? = nil, limit: Int = 1 << 20, sourceLocation: SourceLocation = #_sourceLocation
) throws -> ArchiveError {
    do {
        let members = try unpack(bytes, only: only, limit: limit, fileName: "x")
        Issue.record("no error but \(members)", sourceLocation: sourceLocation)
    } catch {
        return error
    }
    throw CancellationError()
}

@Suite struct Unpacking {
    @Test(arguments: [Fixtures.zip, Fixtures.tarGzip, Fixtures.tarXz]) func unpacksArchives(_ bytes: [UInt8]) throws {
        #expect(isArchive(bytes))
        let all = try unpack(bytes, only: nil, limit: 10240, fileName: "report")
        #expect(
            all == [
                Member(name: "a.csv", bytes: Fixtures.table), Member(name: "d/ü.csv", bytes: Fixtures.other),
            ])
        let one = try unpack(bytes, only: ["d/ü.csv"], limit: 10240, fileName: "report")
        #expect(one == [Member(name: "d/ü.csv", bytes: Fixtures.other)])
    }

    @Test(arguments: [Fixtures.gzip, Fixtures.bzip2, Fixtures.xz, Fixtures.zstd]) func unpacksFiles(_ bytes: [UInt8]) throws {
        #expect(isArchive(bytes))
        for suffix in ["", ".gz", ".XZ", ".bz2"] {
            let members = try unpack(bytes, only: ["other"], limit: 8, fileName: "report.csv" + suffix)
            #expect(members == [Member(name: "report.csv", bytes: Fixtures.table)])
        }
    }

    @Test func namesGzipByItsHeader() throws {
        let members = try unpack(Fixtures.namedGzip, limit: 8, fileName: "download")
        #expect(members == [Member(name: "inner.csv", bytes: Fixtures.table)])
    }

    @Test func leavesOtherFilesAlone() throws {
        for text in ["", "PK", "BZh9 is no magic number", "a,b\n", String(repeating: "text ", count: 500)] {
            #expect(!isArchive(Array(text.utf8)))
            let members = try unpack(Array(text.utf8), limit: 10_000, fileName: "x.gz")
            #expect(members == [Member(name: "x.gz", bytes: Array(text.utf8))])
        }
        #expect(!isArchive([UInt8](repeating: 0, count: 2048)))
    }

    @Test func joinsGzipMembersAndIgnoresPadding() throws {
        let bytes = Fixtures.gzip + Fixtures.gzip + [0, 0, 0]
        #expect(try unpack(bytes, limit: 16, fileName: "x")[0].bytes == Fixtures.table + Fixtures.table)
        #expect(try failure(bytes, limit: 15).kind == .tooLarge)
        #expect(try failure(Fixtures.gzip + [1, 2, 3]).description.contains("something else follows"))
        let many = (0..<10_000).flatMap { _ in Fixtures.gzip }
        #expect(try unpack(many, limit: 80_000, fileName: "x")[0].bytes.count == 80_000)
    }

    @Test func unpacksLargerThanItClaims() throws {
        // The size at the end is that of the last member only, and need not be true.
        let many = Fixtures.gzip + (0..<10_000).flatMap { _ in Fixtures.zstd }
        #expect(try failure(many).kind == .damaged)
        let frames = (0..<10_000).flatMap { _ in Fixtures.zstd }
        #expect(try unpack(frames, limit: 80_000, fileName: "x")[0].bytes.count == 80_000)
    }
}

@Suite struct Refusing {
    @Test func refusesMoreThanTheLimit() throws {
        for bytes in [Fixtures.zip, Fixtures.tarGzip, Fixtures.tarXz] {
            let error = try failure(bytes, limit: 39)
            #expect(error.kind == .tooLarge)
            #expect(error.description.contains("size-limit"))
        }
        #expect(try failure(Fixtures.zip, limit: 39).description.contains("after 1 members with 8 bytes, the last a.csv"))
        for bytes in [Fixtures.gzip, Fixtures.bzip2, Fixtures.xz, Fixtures.zstd, Fixtures.table] {
            #expect(try failure(bytes, limit: 7).kind == .tooLarge)
            #expect(try failure(bytes, limit: 0).kind == .tooLarge)
            #expect(try failure(bytes, limit: -1).kind == .tooLarge)
        }
        #expect(throws: Never.self) { try unpack(Fixtures.zip, limit: .max, fileName: "x") }
        #expect(throws: Never.self) { try unpack(Fixtures.gzip, limit: .max, fileName: "x") }
    }

    @Test func namesMissingMembers() throws {
        let error = try failure(Fixtures.zip, only: ["b.csv", "a.csv"])
        #expect(error.kind == .missing)
        #expect(error.description == "x: has no member b.csv; it has a.csv, d/ü.csv")
    }

    @Test func refusesEncryption() throws {
        let error = try failure(Fixtures.encryptedZip)
        #expect(error.kind == .encrypted)
        #expect(error.description.contains("a.csv is encrypted"))
    }

    @Test func refusesTruncation() throws {
        for bytes in [Fixtures.gzip, Fixtures.bzip2, Fixtures.xz, Fixtures.zstd] {
            for count in 10..<bytes.count {
                #expect(try failure(Array(bytes[..<count])).kind == .damaged, "\(bytes[..<count])")
            }
        }
        let error = try failure(Array(Fixtures.gzip.dropLast(4)))
        #expect(error.description.contains("cut off") && error.description.contains("8 bytes could be unpacked"))
        #expect(try failure(Array(Fixtures.zip[..<90])).kind == .damaged)
        let tar = try decode(Fixtures.tarGzip, encoding: .gzip, limit: 1 << 20)
        #expect(try failure(Array(tar[..<4000])).kind == .damaged)
    }

    @Test func checksChecksums() throws {
        for bytes in [Fixtures.gzip, Fixtures.bzip2, Fixtures.xz] {
            var damaged = bytes
            damaged[bytes.count / 2] ^= 4
            #expect(try failure(damaged).kind == .damaged)
        }
        var damaged = Fixtures.gzip
        damaged[damaged.count - 6] ^= 1
        #expect(try failure(damaged).kind == .damaged)
        damaged = Fixtures.zip
        damaged[70] ^= 4
        #expect(try failure(damaged).kind == .damaged)
    }

    @Test func survivesDamage() throws {
        let tar = try decode(Fixtures.tarGzip, encoding: .gzip, limit: 1 << 20)
        var state: UInt64 = 7
        for bytes in [Fixtures.zip, Fixtures.tarGzip, Fixtures.tarXz, Fixtures.bzip2, Fixtures.zstd, Fixtures.encryptedZip, tar] {
            for _ in 0..<500 {
                var damaged = bytes
                for _ in 0..<3 {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    damaged[Int(state >> 33) % bytes.count] = UInt8(truncatingIfNeeded: state >> 24)
                }
                if state % 3 == 0 { damaged.removeLast(Int(state >> 40) % damaged.count) }
                let members = try? unpack(damaged, limit: 100_000, fileName: "x")
                #expect(members.map { $0.reduce(0) { $0 + $1.bytes.count } } ?? 0 <= 100_000)
            }
        }
    }
}

@Suite struct Decoding {
    @Test func decodesBodies() throws {
        for (body, encoding) in [
            (Fixtures.table, ContentEncoding.identity), (Fixtures.gzip, .gzip), (Fixtures.zstd, .zstd), ([], .identity),
        ] {
            let result = try decode(body, encoding: encoding, limit: 8)
            #expect(result == (body.isEmpty ? [] : Fixtures.table))
            if encoding != .identity { #expect(result.capacity - result.count >= 64) }
            if !body.isEmpty {
                #expect(throws: ArchiveError.self) { try decode(body, encoding: encoding, limit: 7) }
            }
        }
        #expect(throws: ArchiveError.self) { try decode([], encoding: .gzip, limit: 8) }
        #expect(throws: ArchiveError.self) { try decode(Fixtures.table, encoding: .gzip, limit: 8) }
        #expect(throws: ArchiveError.self) { try decode(Fixtures.table, encoding: .zstd, limit: 8) }
    }

    @Test func refusesLargeWindows() throws {
        // A frame header that asks for a window of 2^27 bytes.
        let frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x88, 0x01, 0x00, 0x00]
        do {
            _ = try decode(frame, encoding: .zstd, limit: 100)
            Issue.record("no error")
        } catch {
            #expect(error.kind == .unsupported)
        }
    }
}

/// What is unpacked, in memory.
private struct Member: Equatable {
    let name: String
    let bytes: [UInt8]
}

private func unpack(_ bytes: [UInt8], only: [String]? = nil, limit: Int, fileName: String) throws(ArchiveError) -> [Member] {
    try Archive.unpack(BulkBytes(bytes), only: only, limit: limit, fileName: fileName).map {
        Member(name: $0.name, bytes: $0.content.array)
    }
}

private func isArchive(_ bytes: [UInt8]) -> Bool { Archive.isArchive(BulkBytes(bytes)) }

private func decode(_ body: [UInt8], encoding: ContentEncoding, limit: Int) throws(ArchiveError) -> [UInt8] {
    try Archive.decode(BulkBytes(body), encoding: encoding, limit: limit).array
}
