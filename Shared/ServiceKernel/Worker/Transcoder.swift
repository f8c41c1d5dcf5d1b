public import Bulk
import Glibc
public import IDF
public import YAML

/// Turns text in another encoding into UTF-8, piece by piece (iconv of the C library).
public struct Transcoder: ~Copyable {
    /// What becomes of bytes that the encoding does not have.
    public enum BadBytes: String, SettingChoice, SettingValue {
        /// The text is refused, with the place.
        case refuse
        /// Each becomes U+FFFD.
        case replace
    }

    static let piece = 1 << 16

    private let name: String
    private let badBytes: BadBytes
    private let handle: iconv_t
    /// Bytes of a character whose rest has not come yet.
    private var rest: [UInt8] = []
    private var consumed = 0
    private var isAtStart = true

    /// - Parameter encoding: a name that iconv knows, as `windows-1252`, `utf-16`, `shift_jis`.
    public init(from encoding: String, badBytes: BadBytes = .refuse) throws(Rejection) {
        let name = Self.name(encoding)
        // A suffix would change what iconv does with bad bytes.
        guard !name.isEmpty, name.utf8.allSatisfy({ $0 != 0x2F && $0 > 0x20 && $0 < 0x7F }), name.utf8.count <= 40,
            let handle = iconv_open("UTF-8", name), Int(bitPattern: handle) != -1
        else {
            throw .malformed(
                "no encoding \"\(encoding.prefix(40))\", wanted a name that iconv -l shows, as windows-1252 or detect")
        }
        self.name = name
        self.badBytes = badBytes
        self.handle = handle
    }

    deinit { iconv_close(handle) }

    /// Names in common use that the C library spells otherwise.
    private static func name(_ encoding: String) -> String {
        let names = ["latin-1": "ISO-8859-1", "latin1": "ISO-8859-1", "shift-jis": "SHIFT_JIS", "ansi": "WINDOWS-1252"]
        return names[encoding.lowercased()] ?? encoding
    }

    /// The encoding that a byte order mark at the begin of a text names; nil without one.
    public static func mark(of text: some Collection<UInt8>) -> (encoding: String, length: Int)? {
        let head = Array(text.prefix(4))
        if head.starts(with: [0xEF, 0xBB, 0xBF]) { return ("UTF-8", 3) }
        if head == [0xFF, 0xFE, 0, 0] { return ("UTF-32LE", 4) }
        if head == [0, 0, 0xFE, 0xFF] { return ("UTF-32BE", 4) }
        if head.starts(with: [0xFF, 0xFE]) { return ("UTF-16LE", 2) }
        return head.starts(with: [0xFE, 0xFF]) ? ("UTF-16BE", 2) : nil
    }

    /// Converts the next piece of the text; a character may be cut between two pieces.
    public mutating func convert(_ bytes: some Collection<UInt8>, into out: inout [UInt8]) throws(Rejection) {
        var input = rest + bytes
        rest = []
        let used = try run(&input, &out)
        rest = Array(input[used...])
        // No character of any encoding is that long.
        if rest.count > 16 { throw bad(at: consumed, rest[0]) }
    }

    /// The end of the text: a character that is cut off is bad.
    public mutating func finish(into out: inout [UInt8]) throws(Rejection) {
        if let first = rest.first {
            if badBytes == .refuse { throw bad(at: consumed, first) }
            out.append(contentsOf: "\u{FFFD}".utf8)
            rest = []
        }
        var none: [UInt8] = []
        _ = try run(&none, &out)
    }

    /// Converts until the input or what can be converted of it ends.
    /// - Returns: how many bytes were used.
    private mutating func run(_ input: inout [UInt8], _ out: inout [UInt8]) throws(Rejection) -> Int {
        var used = 0
        var space = [CChar](repeating: 0, count: Self.piece)
        while true {
            var failure: Int32 = 0
            let (read, written): (Int, Int) = input.withUnsafeMutableBytes { source in
                space.withUnsafeMutableBufferPointer { target in
                    var left = source.count - used
                    var room = target.count
                    var into = target.baseAddress
                    var from = source.baseAddress.map { ($0 + used).assumingMemoryBound(to: CChar.self) }
                    errno = 0
                    let isEnd = source.isEmpty
                    let result = isEnd ? iconv(handle, nil, nil, &into, &room) : iconv(handle, &from, &left, &into, &room)
                    if Int(truncatingIfNeeded: result) == -1 { failure = errno }
                    return (source.count - used - left, target.count - room)
                }
            }
            used += read
            consumed += read
            space.withUnsafeBytes { append($0[..<written], &out) }
            switch failure {
            case E2BIG: continue
            case EILSEQ:
                guard badBytes == .replace else { throw bad(at: consumed, input[used]) }
                out.append(contentsOf: "\u{FFFD}".utf8)
                used += 1
                consumed += 1
            default: return used
            }
        }
    }

    /// A byte order mark is no text.
    private mutating func append(_ bytes: Slice<UnsafeRawBufferPointer>, _ out: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        out.append(contentsOf: isAtStart && bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes)
        isAtStart = false
    }

    private func bad(at place: Int, _ byte: UInt8) -> Rejection {
        .malformed(
            "byte \(place) of the text is 0x\(String(byte, radix: 16)), which \(name) does not have; is the encoding right? "
                + "bad-bytes: replace takes such bytes as U+FFFD")
    }
}

/// How the reports that a parser is given are written: the member `encoding` of a configuration.
public struct Encoding: SettingValue, Equatable {
    /// A name that iconv knows; `detect` goes by the byte order mark, without one it is UTF-8, or `fallback` where it is none.
    public var name: String
    /// What becomes of bytes that the encoding does not have.
    public var badBytes = Transcoder.BadBytes.refuse
    /// For `detect`: of texts without a mark that are not UTF-8.
    public var fallback = "windows-1252"

    /// That encoding; bytes that it does not have are refused.
    public init(_ name: String) { self.name = name }

    /// Reads `windows-1252`, or `{name: detect, fallback: shift_jis, bad-bytes: replace}`.
    public init(setting node: YAMLNode) throws(SettingProblem) {
        guard let pairs = node.pairs else {
            name = try String(setting: node)
            try check(node)
            return
        }
        name = "detect"
        for (key, value) in pairs {
            switch key.string {
            case "name": name = try String(setting: value)
            case "fallback": fallback = try String(setting: value)
            case "bad-bytes": badBytes = try Transcoder.BadBytes(setting: value)
            default:
                throw SettingProblem(
                    "unknown member \"\(key.string ?? "")\"",
                    help: advice(on: key.string ?? "", known: ["name", "fallback", "bad-bytes"]), at: key)
            }
        }
        try check(node)
    }

    private func check(_ node: YAMLNode) throws(SettingProblem) {
        for one in [name, fallback] where one != "detect" || one == fallback {
            do throws(Rejection) { _ = try Transcoder(from: one) } catch { throw SettingProblem(error.detail, at: node) }
        }
    }

    /// JSON Schema of the member.
    public static var schema: JSONValue {
        .object([
            "description": .string("How the reports are written: a name that iconv knows, or detect."),
            "type": .array([.string("string"), .string("object")]),
        ])
    }
    /// The encoding as it is written in a configuration.
    public var sample: String {
        "{name: \(name.sample), fallback: \(fallback.sample), bad-bytes: \(badBytes.rawValue)}"
    }

    /// The text in UTF-8.
    /// - Parameters:
    ///   - limit: most bytes that it may become.
    ///   - folder: where a large one lies in a file without a name; nil: in memory.
    public func decoded(_ text: BulkBytes, limit: Int, folder: String? = nil) throws(Rejection) -> BulkBytes {
        try text.withBytes { (bytes) throws(Rejection) in
            var encoding = name
            var start = 0
            if let mark = Transcoder.mark(of: bytes), name == "detect" || name.lowercased().hasPrefix("utf") {
                (encoding, start) = (mark.encoding, mark.length)
            } else if name == "detect" {
                encoding = Self.isUTF8(text) ? "UTF-8" : fallback
            }
            if encoding == "UTF-8", start == 0, Self.isUTF8(text) { return text }
            var transcoder = try Transcoder(from: encoding, badBytes: badBytes)
            var writer = BulkWriter(directory: folder, expected: min(bytes.count + bytes.count / 4, limit))
            var piece: [UInt8] = []
            do {
                while start <= bytes.count {
                    let end = min(start + Transcoder.piece, bytes.count)
                    if start < end {
                        try transcoder.convert(bytes[start..<end], into: &piece)
                    } else {
                        try transcoder.finish(into: &piece)
                    }
                    guard writer.count + piece.count <= limit else {
                        throw Rejection.malformed("the report is more than \(limit) bytes in UTF-8; see limits: report")
                    }
                    try piece.withUnsafeBufferPointer { (piece) throws(BulkError) in try writer.append(piece) }
                    piece.removeAll(keepingCapacity: true)
                    text.release()
                    start = start < end ? end : end + 1
                }
                return try writer.finish()
            } catch let error as BulkError {
                throw .unavailable("\(error)")
            } catch {
                throw error as? Rejection ?? .unavailable("\(error)")
            }
        }
    }

    private static func isUTF8(_ text: BulkBytes) -> Bool {
        text.withBytes { bytes in
            var start = 0
            while start < bytes.count {
                var end = min(start + 1 << 20, bytes.count)
                // No character is cut: one that goes on behind the piece belongs to the next.
                if end < bytes.count {
                    for _ in 0..<3 where bytes[end] & 0xC0 == 0x80 { end -= 1 }
                }
                let piece = UnsafeBufferPointer(rebasing: bytes[start..<end])
                guard piece.allSatisfy({ $0 < 0x80 }) || String(validating: piece, as: UTF8.self) != nil else { return false }
                text.release()
                start = end
            }
            return true
        }
    }
}
