/// What literals of patterns must look like.
enum STIXLiterals {
    /// `2026-11-20T12:00:00.5Z`: the parts within their bounds; days of short months and leap seconds are not looked up.
    static func isTime(_ text: ArraySlice<UInt8>) -> Bool {
        let bytes = Array(text)
        guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z") else { return false }
        for (place, mark) in [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")] as [(Int, Unicode.Scalar)] {
            guard bytes[place] == UInt8(ascii: mark) else { return false }
        }
        func number(_ places: Range<Int>) -> Int? {
            guard bytes[places].allSatisfy(\.isDigit) else { return nil }
            return bytes[places].reduce(0) { $0 * 10 + Int($1 &- 0x30) }
        }
        guard number(0..<4) != nil, let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19)
        else { return false }
        let fraction = bytes[19..<(bytes.count - 1)]
        guard
            fraction.isEmpty
                || fraction.count > 1 && fraction.first == UInt8(ascii: ".") && fraction.dropFirst().allSatisfy(\.isDigit)
        else { return false }
        return (1...12).contains(month) && (1...31).contains(day) && hour < 24 && minute < 60 && second <= 60
    }

    static func isHex(_ text: ArraySlice<UInt8>) -> Bool { text.count % 2 == 0 && text.allSatisfy(\.isHexDigit) }

    static func isBase64(_ text: ArraySlice<UInt8>) -> Bool {
        let padding = text.suffix(2).count { $0 == UInt8(ascii: "=") }
        return !text.isEmpty && text.count % 4 == 0
            && text.dropLast(padding).allSatisfy {
                ($0.isNameByte && $0 != 0x5F) || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "/")
            }
    }

    /// Digits of the hashes that are written in hexadecimal, by the name of the algorithm without hyphens in upper case.
    private static let digits: [String: [Int]] = [
        "MD5": [32], "MD6": [32, 40, 56, 64, 96, 128], "RIPEMD160": [40], "SHA1": [40], "SHA224": [56], "SHA256": [64],
        "SHA384": [96], "SHA512": [128], "SHA3224": [56], "SHA3256": [64], "SHA3384": [96], "SHA3512": [128],
        "WHIRLPOOL": [128],
    ]

    /// Whether a text may be a hash of that algorithm; any text is one of an unknown algorithm.
    static func isHash(_ text: String, algorithm: String) -> Bool {
        guard let lengths = digits[algorithm.uppercased().filter { $0 != "-" }] else { return true }
        return lengths.contains(text.utf8.count) && text.utf8.allSatisfy(\.isHexDigit)
    }
}
