import Bulk
import Foundation
import Testing

@Suite struct BulkTests {
    private let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "bulk-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private func write(_ pieces: [[UInt8]], threshold: Int) throws -> BulkBytes {
        var writer = BulkWriter(directory: folder, threshold: threshold)
        for piece in pieces { try piece.withUnsafeBufferPointer { try writer.append($0) } }
        #expect(writer.count == pieces.reduce(0) { $0 + $1.count })
        return try writer.finish()
    }

    @Test(arguments: [0, 1, 63, 64, 4095, 4096, 4097, 100_000]) func sameBytesInMemoryAndInAFile(size: Int) throws {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let pieces = stride(from: 0, to: size, by: 1000).map { Array(bytes[$0..<min($0 + 1000, size)]) }
        let small = try write(pieces, threshold: 1 << 20)
        let large = try write(pieces, threshold: 0)
        #expect(!small.isFile)
        #expect(large.isFile == (size > 0))
        for one in [small, large, BulkBytes(bytes)] {
            #expect(one.count == size)
            #expect(one.array == bytes)
            #expect(one.prefix(10) == Array(bytes.prefix(10)))
            #expect(one.occurrences(of: 31) == bytes.count { $0 == 31 })
            one.release()
            #expect(one.withBytes { Array($0) } == bytes)
        }
        // SIMD readers look behind the end.
        large.withBytes { bytes in
            guard large.isFile, let base = bytes.baseAddress else { return }
            for place in 0..<64 { #expect(base[size + place] == 0) }
        }
    }

    @Test func theFileHasNoName() throws {
        let bytes = try write([Array(repeating: 7, count: 10_000)], threshold: 100)
        #expect(bytes.isFile)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        try FileManager.default.removeItem(atPath: folder)
        #expect(bytes.array == Array(repeating: 7, count: 10_000))
    }

    @Test(arguments: [0, 1 << 20]) func linesWithTheirNumbers(threshold: Int) throws {
        func lines(_ text: String) throws -> [String] {
            var found: [String] = []
            try write([Array(text.utf8)], threshold: threshold).eachLine { line, number in
                found.append("\(number) \(String(decoding: line, as: UTF8.self))")
                return true
            }
            return found
        }
        #expect(try lines("") == [])
        #expect(try lines("a") == ["1 a"])
        #expect(try lines("a\n\nb\r\n") == ["1 a", "2 ", "3 b\r"])
        #expect(try lines("\n") == ["1 "])
        #expect(try lines("\u{FEFF}a\nb") == ["1 a", "2 b"])
        var seen = 0
        try write([Array("a\nb\nc\n".utf8)], threshold: threshold).eachLine { _, _ in
            seen += 1
            return seen < 2
        }
        #expect(seen == 2)
    }

    @Test func aFolderThatIsNotThereIsNamed() throws {
        var writer = BulkWriter(directory: "\(folder)/gone", threshold: 0)
        let bytes: [UInt8] = [1]
        let error = #expect(throws: BulkError.self) { try bytes.withUnsafeBufferPointer { try writer.append($0) } }
        #expect(error?.description.contains("\(folder)/gone") == true)
        #expect(error?.isOutOfSpace == false)
    }

    @Test func withoutAFolderAllStaysInMemory() throws {
        var writer = BulkWriter(directory: nil, threshold: 0)
        try Array("report".utf8).withUnsafeBufferPointer { try writer.append($0) }
        let bytes = try writer.finish()
        #expect(!bytes.isFile && bytes.array == Array("report".utf8))
    }

    /// Only who may mount a small disk can fill one.
    @Test(.enabled(if: geteuid() == 0)) func aFullDiskIsSaid() throws {
        guard mount("tmpfs", folder, "tmpfs", 0, "size=64k") == 0 else { return }
        defer { umount2(folder, 2) }
        var writer = BulkWriter(directory: folder, threshold: 0)
        let piece = Array(repeating: UInt8(1), count: 8192)
        let error = #expect(throws: BulkError.self) {
            for _ in 0..<100 { try piece.withUnsafeBufferPointer { try writer.append($0) } }
        }
        #expect(error?.isOutOfSpace == true)
        #expect(error?.description.contains(folder) == true)
    }

    /// A quarter of a gigabyte passes through, and little of it is ever in memory.
    @Test func memoryDoesNotGrowWithTheBytes() throws {
        var writer = BulkWriter(directory: "/var/tmp")
        let line = Array("192.0.2.1,80,tcp,example.com,2026-11-20T12:00:00Z\n".utf8)
        let piece = Array(repeatElement(line, count: 20_000).joined())
        for _ in 0..<(256 << 20) / piece.count { try piece.withUnsafeBufferPointer { try writer.append($0) } }
        let bytes = try writer.finish()
        let before = Self.resident
        var (lines, peak) = (0, 0)
        bytes.eachLine { _, number in
            lines = number
            if number % 1000 == 0 { peak = max(peak, Self.resident - before) }
            return true
        }
        #expect(lines == bytes.count / line.count)
        #expect(peak < 64 << 20, "\(peak >> 20) MB")
    }

    /// Bytes of this process in memory.
    private static var resident: Int {
        let words = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
        return (words.flatMap { Int($0[1]) } ?? 0) * 4096
    }
}
