import Bulk
import Testing
import YAML

@testable import ServiceKernel

@Suite struct TranscoderTests {
    private func encoding(_ yaml: String) throws -> ServiceKernel.Encoding {
        try ServiceKernel.Encoding(setting: YAMLDocument.parse(Array(yaml.utf8), file: "test.yaml").root)
    }

    private static let text = "Grüße, 日本, 🦀\n"

    @Test(
        arguments: [
            ("windows-1252", [0x80, 0x20, 0xE4], "€ ä"), ("latin-1", [0xE4, 0xFF], "äÿ"),
            ("shift-jis", [0x93, 0xFA, 0x96, 0x7B], "日本"),
            ("utf-16", [0xFF, 0xFE, 0x61, 0, 0xE4, 0], "aä"), ("utf-16", [0xFE, 0xFF, 0, 0x61], "a"),
            ("utf-16le", [0x61, 0], "a"),
            ("detect", [0xEF, 0xBB, 0xBF, 0x61], "a"), ("detect", [0xFF, 0xFE, 0x61, 0], "a"), ("detect", [0xC3, 0xA4], "ä"),
            ("detect", [0xE4], "ä"), ("detect", [], ""), ("utf-8", [0x61], "a"), ("{fallback: shift_jis}", [0x93, 0xFA], "日"),
            ("{name: ascii, bad-bytes: replace}", [0x61, 0xE4, 0x62], "a\u{FFFD}b"),
            ("{name: utf-8, bad-bytes: replace}", [0x61, 0xE3, 0x81], "a\u{FFFD}"),
        ] as [(String, [UInt8], String)]) func decodes(_ name: String, _ bytes: [UInt8], _ text: String) throws
    {
        #expect(try String(decoding: encoding(name).decoded(BulkBytes(bytes), limit: 100).array, as: UTF8.self) == text)
    }

    @Test(arguments: 1...7) func piecesMakeNoDifference(_ size: Int) throws {
        let bytes = Self.utf16(Self.text)
        var transcoder = try Transcoder(from: "utf-16")
        var out: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            try transcoder.convert(bytes[start..<min(start + size, bytes.count)], into: &out)
        }
        try transcoder.finish(into: &out)
        #expect(String(decoding: out, as: UTF8.self) == Self.text)
    }

    private static func utf16(_ text: String) -> [UInt8] {
        [0xFF, 0xFE] + text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    }

    @Test(
        arguments: [
            ("ascii", [0x61, 0xE4], "byte 1 of the text is 0xe4"), ("utf-16le", [0x61, 0, 0x62], "byte 2 of the text is 0x62"),
            ("utf-8", [0xE3, 0x81], "utf-8"),
        ] as [(String, [UInt8], String)]) func refusesBadBytes(_ name: String, _ bytes: [UInt8], _ part: String) throws
    {
        let problem = #expect(throws: Rejection.self) { try encoding(name).decoded(BulkBytes(bytes), limit: 100) }
        #expect(problem?.detail.contains(part) == true)
    }

    @Test func aLargeTextHasALimitAndComesThrough() throws {
        let many = [UInt8](repeating: 0xE4, count: 300_000)
        #expect(try encoding("latin-1").decoded(BulkBytes(many), limit: 600_000).count == 600_000)
        #expect(throws: Rejection.self) { try encoding("latin-1").decoded(BulkBytes(many), limit: 599_999) }
    }

    /// Texts over many pieces, in which characters are cut, and one that turns out to be no UTF-8 only at its end.
    @Test func whatIsInAFileIsReadInPieces() throws {
        let text = String(repeating: "Zürich 日本 €\n", count: 200_000)
        func file(_ bytes: [UInt8]) throws -> BulkBytes {
            var writer = BulkWriter(directory: "/var/tmp", threshold: 0)
            try bytes.withUnsafeBufferPointer { try writer.append($0) }
            return try writer.finish()
        }
        let same = try encoding("detect").decoded(file(Array(text.utf8)), limit: .max, folder: "/var/tmp")
        #expect(same.isFile && same.array == Array(text.utf8))
        let wide = try encoding("detect").decoded(file(Self.utf16(text)), limit: .max, folder: "/var/tmp")
        #expect(wide.array == Array(text.utf8))
        let latin = try encoding("detect").decoded(file(Array(text.utf8) + [0xE4]), limit: .max)
        #expect(latin.array.suffix(2) == Array("ä".utf8) && latin.count > text.utf8.count)
    }

    @Test(arguments: ["no-such", "utf-8//IGNORE", "{name: utf-8, x: 1}", "{bad-bytes: maybe}", "\"\""])
    func refusesSettings(_ yaml: String) { #expect(throws: SettingProblem.self) { try encoding(yaml) } }
}
