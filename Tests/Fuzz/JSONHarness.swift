import IDF

/// A JSON text that is read must be written as a text of the same value.
func fuzzJSON(_ bytes: UnsafePointer<UInt8>?, _ count: Int) {
    let input = array(bytes, count)
    do throws(JSONError) {
        let value = try JSONValue(parsing: input)
        expect(reread(value.bytes) == value, "another value: \(shown(input))")
        expect(reread(Array(value.pretty().utf8)) == value, "another value when laid out: \(shown(input))")
        expect(reread(value.sorted.bytes).sorted == value.sorted, "another value when sorted: \(shown(input))")
        _ = (value.string, value.integer, value.double, value.bool, value.items?.count, value["a"], value.plain)
    } catch {
        expect(error.line >= 1 && error.column >= 1 && error.offset <= count, "an error outside the text: \(error)")
    }
}

private func reread(_ bytes: [UInt8]) -> JSONValue {
    do throws(JSONError) {
        return try JSONValue(parsing: bytes)
    } catch {
        fatalError("what was written cannot be read: \(error): \(shown(bytes))")
    }
}
