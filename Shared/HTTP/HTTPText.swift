import Glibc

/// Byte-wise text helpers of both sides.
enum HTTPText {
    /// Whether two header names are the same; ASCII letters compare without case.
    static func same(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        left.count == right.count && zip(left, right).allSatisfy { lower($0) == lower($1) }
    }

    static func lower(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 0x20 : byte }

    /// A decimal length without sign, or nil for anything else.
    static func length(_ text: String) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 &- 48 < 10 }) else { return nil }
        return Int(text)
    }

    /// Replaces `%41` by its byte; a `%` without two hexadecimal digits stays as it is.
    static func percentDecoded(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        guard bytes.contains(UInt8(ascii: "%")) else { return String(decoding: bytes, as: UTF8.self) }
        return String(unsafeUninitializedCapacity: bytes.count) { out in
            var read = 0
            var written = 0
            while read < bytes.count {
                var byte = bytes[read]
                if byte == UInt8(ascii: "%"), read + 2 < bytes.count, let high = digit(bytes[read + 1]),
                    let low = digit(bytes[read + 2])
                {
                    byte = high << 4 | low
                    read += 2
                }
                out[written] = byte
                read += 1
                written += 1
            }
            return written
        }
    }

    /// A header's value without the white space around it, which the server library leaves at the end.
    static func trimmed(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        var part = bytes[...]
        while let last = part.last, last == 32 || last == 9 { part.removeLast() }
        while let first = part.first, first == 32 || first == 9 { part.removeFirst() }
        return String(decoding: part, as: UTF8.self)
    }

    static func trimmed(_ text: UnsafePointer<CChar>) -> String {
        let count = strlen(text)
        return text.withMemoryRebound(to: UInt8.self, capacity: count) { trimmed(UnsafeBufferPointer(start: $0, count: count)) }
    }

    /// A byte of a query (RFC 3986, 2.3): itself, or `%XX`.
    static func percentEncoded(_ byte: UInt8) -> [UInt8] {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: return [byte]
        default:
            let digits = Array("0123456789ABCDEF".utf8)
            return [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }

    /// A header name: one or more token characters (RFC 9110, section 5.6.2).
    static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 48...57, 65...90, 97...122: true
                case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
                default: false
                }
            }
    }

    /// A header value that cannot end its line.
    static func isFieldValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 == 9 || $0 >= 32 && $0 != 127 }
    }
}
