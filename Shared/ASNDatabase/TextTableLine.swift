import IDF

/// What one line of a text table says.
///
/// pyasn writes `192.0.2.0/24<TAB>64496`, CAIDA `192.0.2.0<TAB>24<TAB>64496`, where several origins of one network
/// are joined with `_` and the members of a set with `,`; the first one counts. `;` and `#` begin comments.
enum TextTableLine {
    case nothing
    case v4(PrefixTable<UInt32>.Row)
    case v6(PrefixTable<UInt128>.Row)
    /// Not understood; what is wanted in its place.
    case bad(wanted: String)

    private static let form = "prefix/length<TAB>number or prefix<TAB>length<TAB>number"

    init(_ line: ByteView) {
        var rest = line[...]
        while let last = rest.last, Self.isBlank(last) { rest.removeLast() }
        while let first = rest.first, Self.isBlank(first) { rest.removeFirst() }
        guard let first = rest.first, first != UInt8(ascii: ";"), first != UInt8(ascii: "#") else {
            self = .nothing
            return
        }
        let address = rest.prefix { $0 != UInt8(ascii: "/") && !Self.isBlank($0) }
        rest = rest[address.endIndex...]
        if rest.first == UInt8(ascii: "/") { rest.removeFirst() } else { Self.skipBlanks(&rest) }
        guard let length = Self.number(&rest), let separator = rest.first, Self.isBlank(separator) else {
            self = .bad(wanted: Self.form)
            return
        }
        Self.skipBlanks(&rest)
        guard let system = Self.number(&rest), rest.allSatisfy(Self.isOrigin), let system = UInt32(exactly: system) else {
            self = .bad(wanted: "an autonomous system number from 0 to 4294967295 after the prefix: \(Self.form)")
            return
        }
        guard let address = IPAddress(ByteView(rebasing: address)) else {
            self = .bad(wanted: "an IPv4 or IPv6 address at the beginning: \(Self.form)")
            return
        }
        guard let network = IPNetwork(address: address, prefixLength: UInt8(clamping: length)) else {
            self = .bad(wanted: "a prefix length from 0 to \(address.bitWidth)")
            return
        }
        let start = network.address.bits
        if address.isV4 {
            self = .v4(.init(start: UInt32(truncatingIfNeeded: start), system: system, length: network.prefixLength))
        } else {
            self = .v6(.init(start: start, system: system, length: network.prefixLength))
        }
    }

    /// The line for an error message: short, printable.
    static func shown(_ line: ByteView) -> String {
        let limit = 60
        var text = ""
        for byte in line.prefix(limit) {
            switch byte {
            case 0x09: text += "\\t"
            case 0x20...0x7E: text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return line.count > limit ? text + "…" : text
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x09 || byte == 0x20 || byte == 0x0D }

    /// What may follow the first number of an origin.
    private static func isOrigin(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || byte == UInt8(ascii: ",") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func skipBlanks(_ rest: inout Slice<ByteView>) {
        while let first = rest.first, isBlank(first) { rest.removeFirst() }
    }

    /// The decimal number at the beginning, ten digits at most; nil without one.
    private static func number(_ rest: inout Slice<ByteView>) -> Int? {
        var value = 0
        var digits = 0
        while let byte = rest.first, byte >= 0x30, byte <= 0x39 {
            digits += 1
            guard digits <= 10 else { return nil }
            value = value * 10 + Int(byte - 0x30)
            rest.removeFirst()
        }
        return digits > 0 ? value : nil
    }
}
