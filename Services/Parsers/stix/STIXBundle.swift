import Glibc
import IDF
import STIX

/// The objects of a report: of a bundle, of an answer of a TAXII server, of a list, or one after the other.
struct STIXBundle {
    /// What is done with objects of a type.
    enum Kind {
        case indicator, observation, observable
        /// Read for what they say of others; no events are made of them.
        case context
        case other
    }

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

    /// What an object is for the reading; nil where it has no type.
    func kind(of object: JSONCursor.Part) -> Kind? {
        guard text[object.range.lowerBound] == UInt8(ascii: "{"),
            let type = JSONCursor.member("type", of: object.range, in: text), type.first == 0x22, type.count > 2, object.isWhole
        else { return nil }
        for (name, kind) in Self.kinds
        where name.utf8CodeUnitCount == type.count - 2 && memcmp(name.utf8Start, type.baseAddress! + 1, type.count - 2) == 0 {
            return kind
        }
        return .other
    }

    /// What stands in the text there.
    func bytes(_ range: Range<Int>) -> ByteView { ByteView(rebasing: text[range]) }

    private static let kinds: [(name: StaticString, kind: Kind)] = [
        ("indicator", .indicator), ("observed-data", .observation),
        // The cyber-observable objects of STIX 2.1.
        ("ipv4-addr", .observable), ("domain-name", .observable), ("url", .observable), ("file", .observable),
        ("artifact", .observable), ("autonomous-system", .observable), ("directory", .observable), ("email-addr", .observable),
        ("email-message", .observable), ("ipv6-addr", .observable), ("mac-addr", .observable), ("mutex", .observable),
        ("network-traffic", .observable), ("process", .observable), ("software", .observable), ("user-account", .observable),
        ("windows-registry-key", .observable), ("x509-certificate", .observable),
        ("relationship", .context), ("identity", .context), ("marking-definition", .context), ("attack-pattern", .context),
        ("infrastructure", .context), ("intrusion-set", .context), ("malware", .context), ("threat-actor", .context),
        ("tool", .context), ("vulnerability", .context),
    ]
}
