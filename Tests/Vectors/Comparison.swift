import Foundation
import IDF

/// Compares old messages as sets of fields.
///
/// Rules, all of them: `raw` of parsers is compared without delimiters, quotes and line ends and by its end, because IntelMQ
/// writes rows anew and puts the header before each; by value where it is JSON, by its text where it is markup.
/// `time.observation` only where the recording has it, and not of collectors, which make it; numbers, times and nested `extra`
/// by value, times to a microsecond, because IntelMQ computes those of Windows in floating point. The order of a report's
/// events means nothing: IntelMQ goes through sets. `__type` not at all.
enum Comparison {
    static func differences(theirs: [JSONValue], ours: [JSONValue], isParser: Bool, ignoresTime: Bool = false) -> [String] {
        var found: [String] = []
        if theirs.count == ours.count, theirs.count < 200, isParser, isSame(theirs, ours) { return [] }
        if theirs.count != ours.count { found.append("messages: theirs \(theirs.count), ours \(ours.count)") }
        for (index, pair) in zip(theirs, ours).enumerated() {
            for text in differences(pair.0, pair.1, isParser) where !ignoresTime || !text.hasPrefix("time.observation:") {
                found.append("[\(index)] \(text)")
            }
        }
        return found
    }

    private static func isSame(_ theirs: [JSONValue], _ ours: [JSONValue]) -> Bool {
        var rest = ours
        return theirs.allSatisfy { message in
            guard let at = rest.firstIndex(where: { differences(message, $0, true).isEmpty }) else { return false }
            rest.remove(at: at)
            return true
        }
    }

    private static func differences(_ theirs: JSONValue, _ ours: JSONValue, _ isParser: Bool) -> [String] {
        fields(theirs, ours, isParser).map { "\($0.name): theirs \(show($0.theirs)), ours \(show($0.ours))" }
    }

    /// The fields that differ.
    static func fields(
        _ theirs: JSONValue, _ ours: JSONValue, _ isParser: Bool
    ) -> [(name: String, theirs: JSONValue?, ours: JSONValue?)] {
        let a = flat(theirs)
        let b = flat(ours)
        return Set(a.keys).union(b.keys).sorted().compactMap { name in
            let left = a[name]
            let right = b[name]
            if name == "__type" || name == "time.observation" && left == nil { return nil }
            if name == "raw", isParser, sameRow(left, right) { return nil }
            if let left, let right, same(left, right) { return nil }
            return (name, left, right)
        }
    }

    private static func show(_ value: JSONValue?) -> String {
        value.map { String(String(decoding: $0.bytes, as: UTF8.self).prefix(200)) } ?? "nothing"
    }

    /// A message whose fields are nested, as one whose names are dotted.
    static func flattened(_ message: JSONValue) -> JSONValue {
        .object(
            (message.members ?? []).flatMap { member -> [JSONValue.Member] in
                guard member.name != "extra", let inner = flattened(member.value).members, !inner.isEmpty else { return [member] }
                return inner.map { .init(member.name + "." + $0.name, $0.value) }
            })
    }

    private static func flat(_ message: JSONValue) -> [String: JSONValue] {
        var fields: [String: JSONValue] = [:]
        func add(_ name: String, _ value: JSONValue) {
            if let members = value.members, !members.isEmpty {
                for member in members { add(name + "." + member.name, member.value) }
            } else {
                fields[name] = value
            }
        }
        for member in message.members ?? [] {
            // The old bots wrote extra as a text of JSON at times.
            let value =
                member.name == "extra" ? (try? JSONValue(parsing: Array(member.value.plain.utf8))) ?? member.value : member.value
            if member.name.hasPrefix("extra") { add(member.name, value) } else { fields[member.name] = value }
        }
        return fields
    }

    private static func same(_ a: JSONValue, _ b: JSONValue) -> Bool {
        if a.sorted == b.sorted { return true }
        if let x = a.double, let y = b.double { return x == y }
        if let x = a.string, let y = b.string {
            if let s = time(x), let t = time(y) { return abs(s.nanoseconds - t.nanoseconds) <= 1000 }
            if let s = try? JSONValue(parsing: Array(x.utf8)), s.members != nil || s.items != nil {
                return s.sorted == (try? JSONValue(parsing: Array(y.utf8)))?.sorted
            }
        }
        if let x = a.sorted.members, let y = b.sorted.members {
            return x.count == y.count && zip(x, y).allSatisfy { $0.name == $1.name && same($0.value, $1.value) }
        }
        if let x = a.items, let y = b.items { return x.count == y.count && zip(x, y).allSatisfy { same($0, $1) } }
        return false
    }

    static func time(_ text: String) -> Timestamp? {
        guard text.count >= 19 else { return nil }
        return Array(text.utf8).withUnsafeBufferPointer { Timestamp($0) }
    }

    private static func sameRow(_ a: JSONValue?, _ b: JSONValue?) -> Bool {
        func letters(_ value: JSONValue?) -> [UInt8] {
            var text = String(decoding: Base64.decode((value?.string ?? "").utf8) ?? [], as: UTF8.self)
            // Of markup its text: tags are written anew, and entities come as such or as characters.
            if text.hasPrefix("<") {
                for mark in ["<![CDATA[", "]]>"] { text = text.replacingOccurrences(of: mark, with: "") }
                text = text.replacingOccurrences(of: "<[^>]*>", with: "", options: .regularExpression)
                text = text.replacingOccurrences(of: "&amp;", with: "&")
            }
            let bytes = Array(text.utf8)
            return bytes.filter { !",\t|; \r\n\"'\\/{}[]:\0".utf8.contains($0) && $0 < 0x80 }
        }
        // IntelMQ writes rows of JSON anew, with sorted members and in a list of one.
        func document(_ value: JSONValue?) -> JSONValue? {
            let document = try? JSONValue(parsing: Base64.decode((value?.string ?? "").utf8) ?? [])
            return (document?.items?.count == 1 ? document?.items?.first : document)?.sorted
        }
        if let theirs = document(a), let ours = document(b), same(theirs, ours) { return true }
        let (theirs, ours) = (letters(a), letters(b))
        return theirs.count >= ours.count && Array(theirs.suffix(ours.count)) == ours
    }
}
