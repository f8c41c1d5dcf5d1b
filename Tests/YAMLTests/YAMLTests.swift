import Testing

@testable import YAML

private func parse(_ text: String) throws -> YAMLNode {
    try YAMLDocument.parse(Array(text.utf8), file: "test.yaml").root
}

private func failure(_ bytes: [UInt8]) throws -> YAMLError {
    do {
        _ = try YAMLDocument.parse(bytes, file: "etc/x.yaml")
    } catch {
        return error
    }
    Issue.record("no error for \(String(decoding: bytes.prefix(80), as: UTF8.self))")
    throw CancellationError()
}

private func failure(_ text: String) throws -> YAMLError {
    try failure(Array(text.utf8))
}

@Suite struct YAMLValues {
    @Test func readsScalarsByTheCoreSchema() throws {
        let root = try parse("{a: 5, b: '5', c: 0x1F, d: 0o17, e: 1.5e3, f: yes, g: true, h: ~, i: , j: .inf, k: 0x-1, l: 1e999}")
        #expect(root["a"]?.int == 5)
        #expect(root["a"]?.string == "5")
        #expect(root["a"]?.double == 5)
        #expect(root["b"]?.int == nil)
        #expect(root["b"]?.string == "5")
        #expect(root["c"]?.int == 31)
        #expect(root["d"]?.int == 15)
        #expect(root["e"]?.double == 1500)
        #expect(root["e"]?.int == nil)
        #expect(root["f"]?.bool == nil)
        #expect(root["f"]?.string == "yes")
        #expect(root["g"]?.bool == true)
        #expect(root["h"]?.isNull == true)
        #expect(root["h"]?.string == nil)
        #expect(root["i"]?.isNull == true)
        #expect(root["j"]?.double == .infinity)
        #expect(root["k"]?.int == nil)
        #expect(root["l"]?.double == nil)
        #expect(root["zz"] == nil)
        #expect(try parse("99999999999999999999").int == nil)
        #expect(try parse("nan").double == nil)
        #expect(try parse("!!str 5").int == nil)
        #expect(try parse("!!int \"5\"").int == 5)
    }

    @Test func readsCollectionsInOrder() throws {
        let root = try parse("list:\n- 1\n- two\nmap:\n  b: 1\n  a: 2\n")
        #expect(root["list"]?.array?.map(\.string) == ["1", "two"])
        #expect(root["map"]?.pairs?.map(\.key.string) == ["b", "a"])
        #expect(root.array == nil)
        let long = try parse((0..<100).map { "k\($0): \($0)" }.joined(separator: "\n"))
        #expect(long["k57"]?.int == 57)
        #expect(long["k100"] == nil)
    }

    @Test func readsJSON() throws {
        let root = try parse("{\n\t\"a\":[1,-2.5,null,true,\"x\\/y\\u00e9\\n\"],\n\t\"emoji\":\"\\ud83d\\ude00 \\\\ud83d\"}")
        #expect(root["a"]?.array?.count == 5)
        #expect(root["a"]?.array?[1].double == -2.5)
        #expect(root["a"]?.array?[4].string == "x/yé\n")
        #expect(root["emoji"]?.string == "😀 \\ud83d")
    }

    @Test func readsEmptyTextsAsNull() throws {
        for text in ["", "\n", "# only a comment\n", "---\n", "\u{FEFF}", "---\n...\n"] {
            #expect(try parse(text).isNull, "\(text)")
        }
        #expect(try parse("\u{FEFF}a: 1")["a"]?.int == 1)
    }

    @Test func marksCountFromOne() throws {
        let node = try #require(try parse("a: 1\nb:\n  ü: wörter\n")["b"]?.pairs?.first)
        #expect(node.key.mark == YAMLMark(line: 3, column: 3))
        #expect(node.value.mark == YAMLMark(line: 3, column: 6))
        #expect(node.value.endMark == YAMLMark(line: 3, column: 12))
    }

    @Test func sharesAliases() throws {
        let root = try parse("a: &x {n: 1}\nb: *x\n")
        #expect(root["b"]?["n"]?.int == 1)
        #expect(root["a"] === root["b"])
    }
}

@Suite struct YAMLErrors {
    @Test func showsTheLine() throws {
        let error = try failure("asn:\n  a: b: c\n")
        #expect(error.mark == YAMLMark(line: 2, column: 7))
        #expect(error.snippet == "  a: b: c")
        #expect(
            error.description == """
                error: mapping values are not allowed in this context
                  --> etc/x.yaml:2:7
                   |  a: b: c
                   |      ^
                """)
    }

    @Test func underlinesNodes() throws {
        let document = try YAMLDocument.parse(Array("worker:\n  databse: /x\n  m: {a: 1}\n".utf8), file: "etc/asn.yaml")
        let pair = try #require(document.root["worker"]?.pairs?.first)
        #expect(
            document.diagnostic("unknown setting \"databse\"", at: pair.key, help: "did you mean \"database\"?") == """
                error: unknown setting "databse"
                  --> etc/asn.yaml:2:3
                   |  databse: /x
                   |  ^^^^^^^  did you mean "database"?
                """)
        #expect(document.diagnostic("x", at: document.root).description.hasSuffix("|  worker:\n   |  ^^^^^^"))
        let flow = try #require(document.root["worker"]?["m"])
        #expect(document.diagnostic("x", at: flow).description.hasSuffix("|  m: {a: 1}\n   |     ^^^^^^"))
    }

    @Test func refusesWhatWouldBeAmbiguous() throws {
        let twice = try failure("a: 1\nb: 2\n\"a\": 3\n")
        #expect(twice.mark == YAMLMark(line: 3, column: 1))
        #expect(twice.description.contains("first in line 1, column 1"))
        #expect(try failure("a: 1\n---\nb: 1\n").message.contains("second document"))
        #expect(try failure("a: 1\n---\nb: 1\n").mark?.line == 2)
        #expect(try failure("? [a]\n: 1\n").message.contains("key"))
        #expect(try failure("a: !secret x\n").message.contains("!secret"))
        #expect(try failure("a: !!map x\n").message.contains("tag"))
        #expect(try failure("a: *x\n").message.contains("*x"))
        #expect(try failure("a: &x [*x]\n").message.contains("*x"))
    }

    @Test func namesTabs() throws {
        #expect(try failure("a:\n\tb: 1\n").message == "a tab cannot indent")
        #expect(try failure("a:\n  b:\n  \t- 1\n").mark?.line == 3)
        #expect(try failure("a:\n  b: 1\n\tc: 2\n").mark?.line == 3)
    }

    @Test func refusesOtherEncodings() throws {
        let latin = try failure(Array("a: 1\nb: ".utf8) + [0xFC, 0x0A])
        #expect(latin.message.contains("UTF-8"))
        #expect(latin.mark == YAMLMark(line: 2, column: 4))
        #expect(try failure([0xFF, 0xFE, 0x61, 0x00]).message.contains("UTF-16"))
        #expect(try failure(Array("a: \u{0}b".utf8)).message.contains("control"))
        #expect(try failure(Array("a: b".utf8) + [0xF0, 0x9F]).message.contains("UTF-8"))
    }

    @Test func boundsDepthSizeAndExpansion() throws {
        #expect(throws: Never.self) { try parse(String(repeating: "[", count: 100) + String(repeating: "]", count: 100)) }
        #expect(try failure(String(repeating: "[", count: 101) + String(repeating: "]", count: 101)).message.contains("100"))
        #expect(try failure(String(repeating: "[", count: 1_000_000)).message.contains("100"))
        #expect(try failure(String(repeating: "- ", count: 1_000_000)).message.contains("100"))
        #expect(try failure(String(repeating: "{a: ", count: 1_000_000)).message.contains("100"))
        var laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<12 {
            laughs += "a\(level): &a\(level) [" + (0..<10).map { _ in "*a\(level - 1)" }.joined(separator: ", ") + "]\n"
        }
        #expect(try failure(laughs).message.contains("aliases expanded"))
        var tower = "a0: &a0 [x]\n"
        for level in 1..<200 { tower += "a\(level): &a\(level) [*a\(level - 1)]\n" }
        #expect(try failure(tower).message.contains("deeper"))
        #expect(try failure([UInt8](repeating: 0x20, count: (16 << 20) + 1)).message.contains("at most"))
        #expect(try failure("[" + String(repeating: "a,", count: 1_100_000) + "]").message.contains("1000000"))
    }

    @Test func survivesDamage() {
        let text = Array("a: &x [1, {b: \"c\\u00e9\"}, 'd']\nl: |\n  text\n  more\nm: *x\n? k\n: v\nü: €😀 # end\n".utf8)
        var state: UInt64 = 42
        for _ in 0..<5000 {
            var bytes = text
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[Int(state >> 33) % bytes.count] = UInt8(truncatingIfNeeded: state >> 24)
            }
            _ = try? YAMLDocument.parse(bytes, file: "x")
        }
        for count in text.indices { _ = try? YAMLDocument.parse(Array(text[..<count]), file: "x") }
    }

    @Test func namesFilesItCannotRead() throws {
        do {
            _ = try YAMLDocument.read(path: "/nonexistent/x.yaml")
            Issue.record("no error")
        } catch {
            #expect(error.message.contains("No such file"))
            #expect(error.mark == nil)
        }
        #expect(throws: YAMLError.self) { try YAMLDocument.read(path: "/tmp") }
    }

    @Test func clipsLongLinesAndControls() throws {
        let document = try YAMLDocument.parse(
            Array(("{" + (0..<9999).map { "\"x\($0)\": \u{202E}\t" }.joined(separator: ", ") + "}").utf8), file: "x")
        let pair = try #require(document.root.pairs?[5000])
        let lines = document.diagnostic("m", at: pair.key).description.split(separator: "\n")
        #expect(lines.allSatisfy { $0.unicodeScalars.count < 130 && !$0.contains("\u{202E}") && !$0.contains("\t") })
        let marked = lines[2].unicodeScalars.dropFirst(lines[3].unicodeScalars.prefix { $0 != "^" }.count)
        #expect(String(marked.prefix(7)) == "\"x5000\"")
        #expect(lines[3].hasSuffix(" ^^^^^^^"))
    }
}
