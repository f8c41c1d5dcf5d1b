/// A network: an address and how many of its leading bits count.
public struct IPNetwork: Hashable, Sendable {
    /// The lowest address of the network: host bits are zero.
    public let address: IPAddress
    /// The number of leading bits that count: 0…32 or 0…128.
    public let prefixLength: UInt8

    /// Makes a network; host bits of `address` are cleared. `nil` when the prefix is longer than the address.
    public init?(address: IPAddress, prefixLength: UInt8) {
        guard prefixLength <= address.bitWidth else { return nil }
        let mask = IPNetwork.mask(prefixLength, width: address.bitWidth)
        self.address = IPAddress(bits: address.bits & mask, isV4: address.isV4)
        self.prefixLength = prefixLength
    }

    /// Reads `192.0.2.0/24`, `2001:db8::/32`, `192.0.2.0/255.255.255.0`, `192.0.2.0/0.0.0.255` or a single address.
    /// Host bits are cleared. No blanks around or within; `nil` for anything else.
    public init?(_ text: ByteView) {
        var slash = 0
        while slash < text.count, text[slash] != UInt8(ascii: "/") { slash &+= 1 }
        guard let address = IPAddress(text.part(0, slash)) else { return nil }
        if slash == text.count {
            self.init(address: address, prefixLength: UInt8(address.bitWidth))
            return
        }
        guard let length = IPNetwork.prefixLength(text.from(slash + 1), of: address) else { return nil }
        self.init(address: address, prefixLength: length)
    }

    /// True when `other` lies in this network; addresses of the other version never do.
    public func contains(_ other: IPAddress) -> Bool {
        other.isV4 == address.isV4 && other.bits & IPNetwork.mask(prefixLength, width: address.bitWidth) == address.bits
    }

    private static func mask(_ length: UInt8, width: Int) -> UInt128 {
        let ones = UInt128.max >> UInt128(128 - width)
        return length == 0 ? 0 : ones & (ones << UInt128(width - Int(length)))
    }

    private static func prefixLength(_ text: ByteView, of address: IPAddress) -> UInt8? {
        if address.isV4, let mask = IPAddress.parseV4(text) {
            // A mask has its ones in front, a Cisco-style wildcard at the end; 0.0.0.0 reads as a mask.
            if mask == 0 { return 0 }
            if (~mask).leadingZeroBitCount + mask.trailingZeroBitCount == 32 { return UInt8(mask.nonzeroBitCount) }
            if mask.leadingZeroBitCount + (~mask).trailingZeroBitCount == 32 { return UInt8(32 - mask.nonzeroBitCount) }
            return nil
        }
        guard text.count > 0, text.count <= 3 else { return nil }
        var length = 0
        for byte in text {
            guard byte.isDigit else { return nil }
            length = length * 10 + Int(byte - 0x30)
        }
        return length <= address.bitWidth ? UInt8(length) : nil
    }
}

extension IPNetwork: CustomStringConvertible {
    /// The network in CIDR form, `192.0.2.0/24`.
    public var description: String {
        var text: [UInt8] = []
        appendText(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends the CIDR form, as `description` has it.
    public func appendText(to out: inout [UInt8]) {
        address.appendText(to: &out)
        out.append(UInt8(ascii: "/"))
        JSONText.append(Int64(prefixLength), to: &out)
    }
}
