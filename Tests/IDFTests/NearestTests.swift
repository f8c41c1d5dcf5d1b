import IDF
import Testing

@Suite struct NearestNames {
    @Test func findsMisspellings() {
        let names = ["database", "data-path", "overwrite", "ip", "http-url"]
        #expect(nearest("databse", in: names) == "database")
        #expect(nearest("overwrtie", in: names) == "overwrite")
        #expect(nearest("HTTP_URL", in: names) == "http-url")
        #expect(nearest("pi", in: names) == "ip")
        #expect(nearest("xx", in: names) == nil)
        #expect(nearest("something", in: names) == nil)
        #expect(nearest("", in: names) == nil)
        #expect(nearest("a", in: []) == nil)
        #expect(nearest("source_ipp", in: Field.all.map(\.name)) == "source.ip")
        #expect(nearest("completely.different.thing", in: Field.all.map(\.name)) == nil)
        #expect(nearest(String(repeating: "a", count: 100_000), in: names) == nil)
        #expect(advice(on: "databse", known: names) == "did you mean \"database\"?")
        #expect(advice(on: "xx", known: ["ip", "file"]) == "known are: ip, file")
    }
}
