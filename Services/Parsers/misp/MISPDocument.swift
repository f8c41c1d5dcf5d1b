import IDF

/// An event of MISP as it stands in a report: what it says of itself read, its attributes one after the other.
struct MISPDocument {
    /// The members save attributes and what MISP computes of them.
    let head: JSONValue
    private let members: [String: JSONCursor.Part]
    private let text: ByteView

    init(_ members: [String: JSONCursor.Part], _ text: ByteView) {
        self.members = members
        self.text = text
        let left: Set<String> = [
            "Attribute", "Object", "Galaxy", "RelatedEvent", "ShadowAttribute", "EventReport", "CryptographicKey",
        ]
        head = .object(
            members.sorted { $0.key < $1.key }.compactMap { name, part in
                guard part.isWhole, !left.contains(name) else { return nil }
                return (try? JSONValue(parsing: ByteView(rebasing: text[part.range]))).map { .init(name, $0) }
            })
    }

    /// The members of an object where they stand; of two with one name the first.
    static func members(of object: Range<Int>, in text: ByteView) -> [String: JSONCursor.Part] {
        var cursor = JSONCursor(text, in: object)
        cursor.step()
        var found: [String: JSONCursor.Part] = [:]
        while let name = cursor.name() {
            guard let part = cursor.part() else { break }
            let key = String(decoding: name, as: UTF8.self)
            if found[key] == nil, found.count < 256 { found[key] = part }
        }
        return found
    }

    /// The event's attributes, then those of its objects.
    var attributes: [JSONCursor.Part] {
        var found: [JSONCursor.Part] = []
        func gather(_ list: JSONCursor.Part?) {
            guard let list else { return }
            var cursor = JSONCursor(text, in: list.range)
            guard cursor.peek() == UInt8(ascii: "[") else { return }
            _ = cursor.eachItem { item in
                found.append(item)
                return true
            }
        }
        gather(members["Attribute"])
        if let objects = members["Object"] {
            var cursor = JSONCursor(text, in: objects.range)
            guard cursor.peek() == UInt8(ascii: "[") else { return found }
            _ = cursor.eachItem { object in
                gather(Self.members(of: object.range, in: text)["Attribute"])
                return true
            }
        }
        return found
    }

    /// What stands there.
    func bytes(_ range: Range<Int>) -> ByteView { ByteView(rebasing: text[range]) }

    /// The malware that the whole event is about: of the last attribute in the category "Payload type".
    func malware(_ attributes: [JSONCursor.Part]) -> String? {
        for part in attributes.reversed() where part.isWhole {
            guard let category = JSONCursor.member("category", of: part.range, in: text),
                category.elementsEqual("\"Payload type\"".utf8)
            else { continue }
            if let value = (try? JSONValue(parsing: bytes(part.range)))?["value"]?.string { return value }
        }
        return nil
    }

    /// An event with what this one says of itself and that attribute only.
    func alone(_ attribute: ByteView) -> [UInt8] {
        var out = Array("{\"Event\":".utf8)
        head.append(to: &out)
        out.removeLast()
        if head.members?.isEmpty == false { out.append(0x2C) }
        out += Array("\"Attribute\":[".utf8) + attribute + Array("]}}".utf8)
        return out
    }
}
