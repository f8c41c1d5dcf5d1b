/// What a server answered.
public struct HTTPClientResponse: Sendable {
    /// The status code of the last answer; other protocols than HTTP give theirs, or 0.
    public let status: Int
    /// The body; empty when its chunks were handed out.
    public let body: [UInt8]
    /// Where the answer came from after redirects, without user and password.
    public let effectiveURL: String
    private let lines: [UInt8]

    init(status: Int, body: [UInt8], effectiveURL: String, lines: [UInt8]) {
        self.status = status
        self.body = body
        self.effectiveURL = effectiveURL
        self.lines = lines
    }

    /// The first header of that name, whatever its case, without surrounding white space; nil when there is none.
    public func header(_ name: String) -> String? {
        let wanted = name.utf8
        for line in lines.split(separator: 10) {
            guard let (key, value) = Self.parts(line), HTTPText.same(key, wanted) else { continue }
            return String(decoding: value, as: UTF8.self)
        }
        return nil
    }

    /// All headers of the last answer, in order.
    public var headers: [(name: String, value: String)] {
        lines.split(separator: 10).compactMap { line in
            Self.parts(line).map { (String(decoding: $0, as: UTF8.self), String(decoding: $1, as: UTF8.self)) }
        }
    }

    private static func parts(_ line: ArraySlice<UInt8>) -> (ArraySlice<UInt8>, ArraySlice<UInt8>)? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        var value = line[(colon + 1)...]
        while let first = value.first, first == 32 || first == 9 { value.removeFirst() }
        while let last = value.last, last == 32 || last == 9 || last == 13 { value.removeLast() }
        return (line[..<colon], value)
    }
}
