import IDF
import STIX

/// The objects of a report: of a bundle, of an answer of a TAXII server, of a list, or one after the other.
struct STIXBundle {
    let text: ByteView

    /// Calls `body` with each object and its number (from 1), until it answers false; answers whether all brackets are closed.
    func eachObject(_ body: (JSONCursor.Part, Int) -> Bool) -> Bool {
        var cursor = JSONCursor(text)
        var number = 0
        var goesOn = true
        func give(_ part: JSONCursor.Part) -> Bool {
            number += 1
            goesOn = goesOn && body(part, number)
            return goesOn
        }
        while goesOn, let first = cursor.peek() {
            let start = cursor.at
            guard first == UInt8(ascii: "{") else {
                guard first == UInt8(ascii: "[") else {
                    _ = cursor.part().map(give)
                    continue
                }
                guard cursor.eachItem(give) else { return false }
                continue
            }
            cursor.step()
            var isBundle = false
            // A TAXII server that has nothing answers `{}` or `{"more": false}`.
            var isEmpty = true
            while goesOn, let name = cursor.name() {
                if name.elementsEqual("objects".utf8), cursor.peek() == UInt8(ascii: "[") {
                    isBundle = true
                    guard cursor.eachItem(give) else { return false }
                } else {
                    isEmpty = isEmpty && (name.elementsEqual("more".utf8) || name.elementsEqual("next".utf8))
                    _ = cursor.part()
                }
            }
            let isClosed = cursor.peek() == UInt8(ascii: "}")
            if !isClosed, !isBundle {
                // Broken in itself: the whole object as far as brackets tell.
                cursor = JSONCursor(text, in: start..<text.count)
                _ = cursor.part().map(give)
            } else {
                cursor.step()
                if !isBundle, !isEmpty { _ = give(JSONCursor.Part(range: start..<cursor.at, isWhole: true)) }
            }
            if isBundle, !isClosed, goesOn { return false }
        }
        return true
    }

    /// The type of an object; nil where it has none.
    func type(of object: JSONCursor.Part) -> String? {
        guard text[object.range.lowerBound] == UInt8(ascii: "{"),
            let type = JSONCursor.member("type", of: object.range, in: text), type.first == 0x22, type.count > 2, object.isWhole
        else { return nil }
        return String(decoding: type[1..<(type.count - 1)], as: UTF8.self)
    }

    /// What stands in the text there.
    func bytes(_ range: Range<Int>) -> ByteView { ByteView(rebasing: text[range]) }
}
