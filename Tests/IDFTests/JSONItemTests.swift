import Testing

@testable import IDF

/// Values of reports, found one after the other.
@Suite struct JSONItemTests {
    /// Each value as `line/object text`, and `!` behind the only one.
    private func read(_ text: String, at path: [String] = [], upTo limit: Int = .max) throws(JSONError) -> [String] {
        var found: [String] = []
        let bytes = Array(text.utf8)
        try bytes.withUnsafeBufferPointer { (bytes) throws(JSONError) in
            try JSONItem.each(in: bytes, at: path, skips: { $0.first == UInt8(ascii: "#") }) { item in
                let place = item.object.map { "/\($0)" } ?? "\(item.line)"
                found.append("\(place) \(String(decoding: item.bytes, as: UTF8.self))\(item.isAlone ? "!" : "")")
                return found.count < limit
            }
        }
        return found
    }

    @Test func aListOneALineOrDocuments() throws {
        #expect(try read("[]") == [])
        #expect(try read(" [ {\"a\":[1,2]} ,\n\"]\\\"[\",3]\n") == ["/1 {\"a\":[1,2]}", "/2 \"]\\\"[\"", "/3 3"])
        #expect(try read("{\"a\":1}") == ["1 {\"a\":1}!"])
        #expect(try read("\n\n  {\"a\":1}\r\n\n") == ["3 {\"a\":1}!"])
        #expect(try read("\u{FEFF}{\"a\":1}\n{\"b\":2}\n") == ["1 {\"a\":1}", "2 {\"b\":2}"])
        #expect(try read("# head\n{\"a\":1}\n# foot\n") == ["2 {\"a\":1}"])
        #expect(try read("{\n\"a\":1\n}") == ["1 {\n\"a\":1\n}!"])
        #expect(try read("{\n\"a\":1\n}\n{\n\"b\":2\n}") == ["1 {\n\"a\":1\n}", "4 {\n\"b\":2\n}"])
        #expect(try read("{}\n{}\n{}", upTo: 2) == ["1 {}", "2 {}"])
        #expect(try read("[1,2,3]", upTo: 2) == ["/1 1", "/2 2"])
    }

    /// Whoever reads the value says that it is no JSON; the rest is read.
    @Test func whatIsBrokenSpoilsOnlyItself() throws {
        #expect(try read("{\"a\":\n{\"b\":2}\n{\"c\":3}") == ["1 {\"a\":", "2 {\"b\":2}", "3 {\"c\":3}"])
        #expect(try read("{\"a\":1}\n{\"b\n{\"c\":3}") == ["1 {\"a\":1}", "2 {\"b", "3 {\"c\":3}"])
        #expect(try read("{\"a\":\"x}\n{\"b\":\"y\"}\n") == ["1 {\"a\":\"x}", "2 {\"b\":\"y\"}"])
        #expect(try read("{\n\"a\":1\n}\n{\n\"b\"") == ["1 {\n\"a\":1\n}", "4 {", "5 \"b\""])
        #expect(try read("[{\"a\":1},{bad},{\"c\":3}]") == ["/1 {\"a\":1}", "/2 {bad}", "/3 {\"c\":3}"])
    }

    @Test(
        arguments: [
            ("", "empty"), (" \n ", "empty"), ("<html>\n</html>", "line 1, column 1"), ("nothing", "line 1, column 1"),
            ("[{\"a\":1},{\"b\":", "after item 2"), ("[1,2", "cut off"), ("[", "after item 0"), ("[1] x", "more text"),
            ("\n\n<", "line 3, column 1"),
        ] as [(String, String)]) func whatIsNoReportIsRefusedBeforeItIsRead(_ text: String, _ part: String) throws
    {
        let error = #expect(throws: JSONError.self) { try read(text) }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }

    @Test func listsWithinDocuments() throws {
        let text = "{\"x\":{\"list\":[0]},\"data\":{\"n\":\"[\",\"list\":[{\"a\":1},2]},\"more\":[3]}"
        #expect(try read(text, at: ["data", "list"]) == ["/1 {\"a\":1}", "/2 2"])
        #expect(try read(text, at: ["data", "n"]) == ["/1 \"[\""])
        // A list is what is asked for already.
        #expect(try read("[1]", at: ["data"]) == ["/1 1"])
        for path in [["list"], ["data", "list", "a"], ["nothing"]] {
            let error = #expect(throws: JSONError.self) { try read(text, at: path) }
            #expect(error?.message.contains("no list \"\(path.joined(separator: "."))\"") == true)
        }
    }

    /// Many broken lines take no more time than good ones.
    @Test func brokenLinesAreReadOnce() throws {
        let text = String(repeating: "{\"a\":\n", count: 100_000)
        #expect(try read(text).count == 100_000)
    }
}
