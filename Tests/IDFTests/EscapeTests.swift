import Testing

@testable import IDF

@Suite struct EscapeTests {
    /// What RFC 8259 asks for, byte by byte.
    private func plain(_ bytes: [UInt8]) -> [UInt8] {
        let short: [UInt8: String] = [0x22: "\\\"", 0x5C: "\\\\", 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r"]
        var out: [UInt8] = [0x22]
        for byte in bytes {
            if let text = short[byte] {
                out += text.utf8
            } else if byte < 0x20 {
                out += "\\u00\(byte < 16 ? "0" : "1")\(String(byte & 15, radix: 16))".utf8
            } else {
                out.append(byte)
            }
        }
        return out + [0x22]
    }

    @Test func agreesByteByByte() {
        var state: UInt64 = 88172645463325252
        func random(_ below: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(below))
        }
        let letters = Array("\"\\\n\u{1}\u{1f}\u{8}abcdefgh 0123456789ABCDEF".utf8)
        for length in [0, 1, 7, 8, 9, 63, 64, 65, 4095, 4096, 4097, 9000] {
            for some in [6, letters.count] {
                let bytes = (0..<length).map { _ in letters[random(some)] }
                var out: [UInt8] = []
                bytes.withUnsafeBufferPointer { JSONText.appendQuoted($0, to: &out) }
                #expect(out == plain(bytes))
            }
        }
    }

    @Test func readsThemAtEveryPlace() throws {
        let known = [
            (#"\""#, "\""), (#"\\"#, "\\"), (#"\\\""#, "\\\""), (#"\"\""#, "\"\""), (#"\"\\"#, "\"\\"), (#"\n"#, "\n"),
            (#"\u00e4"#, "ä"),
        ]
        for before in 0..<35 {
            for after in [0, 1, 14, 15, 16, 17, 33] {
                let (start, end) = (String(repeating: "a", count: before), String(repeating: "b", count: after))
                for (escape, text) in known {
                    let value = try JSONValue(parsing: "\"\(start)\(escape)\(end)\"".utf8)
                    #expect(value == .string(start + text + end))
                }
                for wrong in [#"\x"#, #"\"\x"#, #"\\\a"#, #"\"\ud800"#] {
                    #expect(throws: JSONError.self) { try JSONValue(parsing: "\"\(start)\(wrong)\(end)\"".utf8) }
                }
            }
        }
    }

    @Test func keepsOtherScripts() {
        var out: [UInt8] = []
        Array("ä\"日本\\\u{7f}".utf8).withUnsafeBufferPointer { JSONText.appendQuoted($0, to: &out) }
        #expect(String(decoding: out, as: UTF8.self) == "\"ä\\\"日本\\\\\u{7f}\"")
    }
}
