/// `tracestate` of W3C Trace Context, level 1: what tracing systems say of a trace. Nobody here reads it; it goes on as it is.
extension TraceParent {
    /// Most characters that go on.
    private static let stateLimit = 512

    /// The list without empty members and blanks around them; nil when it is malformed or nothing is left. Of one that is too long
    /// members of more than 128 characters go first, then the last ones.
    static func checked(_ state: String) -> String? {
        // More than all members with the blanks around them can have; longer ones are not worth looking at.
        guard state.utf8.count <= 1 << 15 else { return nil }
        var members = state.utf8.split(separator: UInt8(ascii: ",")).map(withoutBlanks).filter { !$0.isEmpty }
        guard members.count <= 32, members.allSatisfy(isMember) else { return nil }
        while members.reduce(members.count - 1, { $0 + $1.count }) > stateLimit {
            members.remove(at: members.firstIndex { $0.count > 128 } ?? members.count - 1)
        }
        return members.isEmpty ? nil : members.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ",")
    }

    private static func withoutBlanks(_ member: Substring.UTF8View) -> Substring.UTF8View {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        var member = member.drop(while: isBlank)
        while let last = member.last, isBlank(last) { member.removeLast() }
        return member
    }

    /// Whether it is `key=value`, each of at most 256 characters.
    private static func isMember(_ member: Substring.UTF8View) -> Bool {
        let parts = member.split(separator: UInt8(ascii: "="), omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ (1...256).contains($0.count) }) else { return false }
        let key = parts[0]
        return key.first.map(isLetterOrDigit) == true
            && key.allSatisfy { isLetterOrDigit($0) || "_-*/@".utf8.contains($0) }
            && parts[1].allSatisfy { (0x20...0x7E).contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static let texts = [#","path":""#, #","not-for":""#].map { Array($0.utf8) }
    private static let start = Array(#","tracestate":"#.utf8)

    /// Reads what `Packet.encode` writes behind the other texts that are looked for at the beginning of a packet.
    /// - Parameter rest: the bytes from the quote that ends `traceparent`.
    static func state(inPacket rest: ArraySlice<UInt8>) -> String? {
        var rest = rest.dropFirst()
        for before in texts where rest.starts(with: before) {
            rest = rest.dropFirst(before.count).drop { $0 != 0x22 }.dropFirst()
        }
        guard rest.starts(with: start) else { return nil }
        var isEscaped = true
        let text = rest.dropFirst(start.count).prefix { byte in
            defer { isEscaped = byte == 0x5C && !isEscaped }
            return byte != 0x22 || isEscaped
        }
        return (try? JSONValue(parsing: text + [0x22]))?.string.flatMap(checked)
    }
}
