internal import CSimdJSON
import Glibc
import Synchronization

/// Bytes that keep their address for as long as somebody holds them: what spans of a decoded packet point into.
/// The array is never changed, and the storage of an array that nobody changes does not move.
final class SourceBytes: @unchecked Sendable {
    private let bytes: [UInt8]
    let start: UnsafePointer<UInt8>
    var count: Int { bytes.count }

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        start = bytes.withUnsafeBufferPointer { $0.baseAddress } ?? UnsafePointer(bitPattern: 1)!
    }

    func view(_ offset: Int, _ length: Int) -> ByteView { ByteView(start: start + offset, count: length) }
    var view: ByteView { ByteView(start: start, count: count) }
}

/// Why a text is not JSON, and where.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A sentence: what was found and what is wanted.
    public let message: String
    /// Offset of the offending byte from the start of the text.
    public let offset: Int
    /// Line, from 1.
    public let line: Int
    /// Column in bytes, from 1.
    public let column: Int

    /// The message with its place.
    public var description: String { "\(message) at line \(line), column \(column)" }

    /// The message with its place in an object of a report, whose own place is said elsewhere.
    public var inObject: String { "no JSON: \(message), at byte \(offset + 1) of the object" }
}

/// What a JSON value is.
public enum JSONKind: UInt8, Sendable {
    case object = 0x7B, array = 0x5B, key = 0x6B, string = 0x22, number = 0x30, `true` = 0x74, `false` = 0x66, null = 0x6E
    /// The word for it in error messages.
    public var word: String {
        switch self {
        case .object: "an object"
        case .array: "a list"
        case .key, .string: "text"
        case .number: "a number"
        case .true, .false: "a boolean"
        case .null: "null"
        }
    }
}

/// A reusable tokeniser: libsimdjson behind a shim that answers flat tokens.
final class JSONTokeniser: @unchecked Sendable {
    private let handle: OpaquePointer

    private init() {
        guard let made = idf_json_create() else { fatalError("out of memory") }
        handle = made
    }

    deinit { idf_json_destroy(handle) }

    private static let idle = Mutex<[JSONTokeniser]>([])

    /// Runs `body` with a tokeniser from the pool, so that its buffers are allocated once per thread in practice.
    static func borrow<R, E: Error>(_ body: (JSONTokeniser) throws(E) -> R) throws(E) -> R {
        let one = idle.withLock { $0.popLast() } ?? JSONTokeniser()
        defer { idle.withLock { if $0.count < 8 { $0.append(one) } } }
        return try body(one)
    }

    /// Reads one JSON text; the tokens are valid until the next call.
    func tokens(of text: ByteView, depth: Int) throws(JSONError) -> UnsafeBufferPointer<idf_token> {
        let code = idf_json_parse(handle, text.baseAddress, text.count, UInt32(depth))
        guard code == Int32(IDF_JSON_OK) else {
            throw Self.explain(code, offset: idf_json_error_offset(handle), text: text, depth: depth)
        }
        return UnsafeBufferPointer(start: idf_json_tokens(handle), count: idf_json_count(handle))
    }

    private static func explain(_ code: Int32, offset: Int, text: ByteView, depth: Int) -> JSONError {
        var offset = offset
        let message: String
        switch Int(code) {
        case IDF_JSON_EMPTY: message = "no JSON found: the text is empty"
        case IDF_JSON_UTF8:
            offset = firstInvalidUTF8(text)
            message = "invalid UTF-8 (byte 0x\(hex(text[min(offset, text.count - 1)])))"
        case IDF_JSON_UNCLOSED_STRING:
            offset = unclosedQuote(text)
            message = "this string has no closing quote: the text is cut off or a quote is missing"
        case IDF_JSON_CONTROL_CHARACTER:
            offset = controlCharacter(text)
            message =
                "a control character (0x\(hex(text[offset]))) stands bare in a string; write it as \\u00\(hex(text[offset]))"
        case IDF_JSON_DEPTH: message = "nested deeper than \(depth) levels"
        case IDF_JSON_NUMBER: message = "not a JSON number"
        case IDF_JSON_ESCAPE: message = "an escape that JSON does not know, or half a surrogate pair"
        case IDF_JSON_TRAILING: message = "more text after the end of the JSON document"
        case IDF_JSON_TOO_LONG: message = "longer than 4 GiB"
        case IDF_JSON_MEMORY: message = "out of memory"
        default:
            message =
                offset >= text.count
                ? "the JSON text ends in the middle: it is cut off"
                : "malformed JSON: found \(visible(text[offset])) where something else is wanted"
        }
        var line = 1
        var lineStart = 0
        for index in 0..<min(offset, text.count) where text[index] == 0x0A {
            line += 1
            lineStart = index + 1
        }
        return JSONError(message: message, offset: offset, line: line, column: offset - lineStart + 1)
    }

    private static func hex(_ byte: UInt8) -> String { String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }

    private static func visible(_ byte: UInt8) -> String {
        byte > 0x20 && byte < 0x7F ? "\"\(Character(UnicodeScalar(byte)))\"" : "byte 0x\(hex(byte))"
    }

    private static func firstInvalidUTF8(_ text: ByteView) -> Int {
        var decoder = UTF8()
        var iterator = text.makeIterator()
        var offset = 0
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar): offset += UTF8.width(scalar)
            case .emptyInput, .error: return offset
            }
        }
    }

    private static func unclosedQuote(_ text: ByteView) -> Int {
        var opened: Int?
        var index = 0
        while index < text.count {
            if text[index] == 0x5C, opened != nil {
                index += 1
            } else if text[index] == 0x22 {
                opened = opened == nil ? index : nil
            }
            index += 1
        }
        return opened ?? text.count
    }

    private static func controlCharacter(_ text: ByteView) -> Int {
        var inside = false
        var index = 0
        while index < text.count {
            if inside, text[index] < 0x20 { return index }
            if text[index] == 0x5C, inside {
                index += 1
            } else if text[index] == 0x22 {
                inside.toggle()
            }
            index += 1
        }
        return max(0, text.count - 1)
    }
}

/// Appends the characters of a JSON string's inside (what stands between its quotes), escapes resolved.
/// The tokeniser has checked the escapes.
func appendUnescaped(_ text: ByteView, to out: inout [UInt8]) {
    var index = 0
    func unit(at place: Int) -> UInt32 {
        var value: UInt32 = 0
        for byte in text[place..<(place + 4)] {
            let digit: UInt8 = byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x61 + 10
            value = value << 4 | UInt32(digit)
        }
        return value
    }
    while index < text.count {
        let rest = text.count - index
        let found =
            memchr(text.baseAddress! + index, 0x5C, rest).map {
                UnsafeRawPointer($0) - UnsafeRawPointer(text.baseAddress! + index)
            } ?? rest
        if found > 0 {
            out.append(contentsOf: ByteView(rebasing: text[index..<(index + found)]))
            index += found
        }
        guard index + 1 < text.count else { return }
        let escape = text[index + 1]
        index += 2
        switch escape {
        case 0x62: out.append(0x08)
        case 0x66: out.append(0x0C)
        case 0x6E: out.append(0x0A)
        case 0x72: out.append(0x0D)
        case 0x74: out.append(0x09)
        case 0x75:
            guard index + 4 <= text.count else { return }
            var value = unit(at: index)
            index += 4
            if (0xD800...0xDBFF).contains(value), index + 6 <= text.count {
                value = 0x10000 + (value - 0xD800) << 10 + (unit(at: index + 2) - 0xDC00)
                index += 6
            }
            if let scalar = UnicodeScalar(value) { out.append(contentsOf: UTF8.encode(scalar)!) }
        default: out.append(escape)
        }
    }
}
