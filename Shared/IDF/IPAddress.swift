/// An IPv4 or IPv6 address.
///
/// Both versions share one 128-bit number, so that comparing and looking up need no branch:
/// IPv4 sits in the low 32 bits.
public struct IPAddress: Hashable, Sendable {
    /// The address as a number; for IPv4 the low 32 bits.
    public let bits: UInt128
    /// True for IPv4.
    public let isV4: Bool

    /// Makes an address from its number; for IPv4 only the low 32 bits may be set.
    public init(bits: UInt128, isV4: Bool) {
        self.bits = bits
        self.isV4 = isV4
    }

    /// Reads an address in its usual text form: `192.0.2.1` (four decimal numbers, no leading zeros) or RFC 4291, in any case,
    /// also with an IPv4 tail (`::ffff:192.0.2.1`). No blanks, brackets, zone or prefix; `nil` for anything else.
    @inline(__always)
    public init?(_ text: ByteView) {
        if let number = IPAddress.parseV4(text) {
            self.init(bits: UInt128(number), isV4: true)
        } else if let number = IPAddress.parseV6(text) {
            self.init(bits: number, isV4: false)
        } else {
            return nil
        }
    }

    /// Reads an address as `init(_: ByteView)` does.
    public init?(_ text: some StringProtocol) {
        var copy = String(text)
        guard let address = copy.withUTF8({ IPAddress($0) }) else { return nil }
        self = address
    }

    /// The length of an address of this version in bits: 32 or 128.
    public var bitWidth: Int { isV4 ? 32 : 128 }

    static func parseV4(_ text: ByteView) -> UInt32? {
        guard text.count >= 7, text.count <= 15 else { return nil }
        var address: UInt32 = 0
        var octet: UInt32 = 0
        var digits = 0
        var dots = 0
        for index in 0..<text.count {
            let byte = text[index]
            if byte.isDigit {
                // A leading zero means octal to some programs and decimal to others: nobody can say which address is meant.
                if digits > 0, octet == 0 { return nil }
                octet = octet &* 10 &+ UInt32(byte &- 0x30)
                digits &+= 1
                if octet > 255 { return nil }
            } else {
                guard byte == UInt8(ascii: "."), digits > 0, dots < 3 else { return nil }
                address = address << 8 | octet
                octet = 0
                digits = 0
                dots &+= 1
            }
        }
        guard dots == 3, digits > 0 else { return nil }
        return address << 8 | octet
    }

    static func parseV6(_ text: ByteView) -> UInt128? {
        guard text.count >= 2, text.count <= 45 else { return nil }
        var index = 0
        var head: UInt128 = 0
        var tail: UInt128 = 0
        var groups = 0
        var groupsAfterGap = -1
        if text[0] == UInt8(ascii: ":") {
            guard text[1] == UInt8(ascii: ":") else { return nil }
            groupsAfterGap = 0
            index = 2
        }
        while index < text.count {
            let start = index
            var group: UInt32 = 0
            while index < text.count, text[index].hexValue < 16 {
                group = group << 4 | UInt32(text[index].hexValue)
                index &+= 1
                if index &- start > 4 { return nil }
            }
            if text.peek(index) == UInt8(ascii: "."), let low = parseV4(text.from(start)) {
                tail = tail << 32 | UInt128(low)
                groups &+= 2
                if groupsAfterGap >= 0 { groupsAfterGap &+= 2 }
                break
            }
            guard index > start, groups < 8 else { return nil }
            tail = tail << 16 | UInt128(group)
            groups &+= 1
            if groupsAfterGap >= 0 { groupsAfterGap &+= 1 }
            if index == text.count { break }
            guard text[index] == UInt8(ascii: ":") else { return nil }
            index &+= 1
            if text.peek(index) == UInt8(ascii: ":") {
                guard groupsAfterGap < 0 else { return nil }
                head = tail
                tail = 0
                groupsAfterGap = 0
                index &+= 1
            } else if index == text.count {
                return nil
            }
        }
        if groupsAfterGap < 0 { return groups == 8 ? tail : nil }
        guard groups < 8 else { return nil }
        let headGroups = groups &- groupsAfterGap
        return headGroups == 0 ? tail : head << UInt128(16 &* (8 &- headGroups)) | tail
    }
}

extension IPAddress: CustomStringConvertible {
    /// The address in canonical text form (RFC 5952, lower case, hexadecimal groups only).
    public var description: String {
        var text: [UInt8] = []
        appendText(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends the canonical text form, as `description` has it.
    public func appendText(to out: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 40) { buffer in
            let end = isV4 ? writeV4(buffer) : writeV6(buffer)
            out.append(contentsOf: ByteView(rebasing: ByteView(buffer)[0..<end]))
        }
    }

    private func writeV4(_ buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
        let number = UInt32(truncatingIfNeeded: bits)
        var end = 0
        var shift: UInt32 = 32
        while shift > 0 {
            shift &-= 8
            let octet = UInt8(truncatingIfNeeded: number >> shift)
            if octet >= 100 {
                buffer[end] = 0x30 &+ octet / 100
                end &+= 1
            }
            if octet >= 10 {
                buffer[end] = 0x30 &+ octet / 10 % 10
                end &+= 1
            }
            buffer[end] = 0x30 &+ octet % 10
            end &+= 1
            if shift > 0 {
                buffer[end] = UInt8(ascii: ".")
                end &+= 1
            }
        }
        return end
    }

    private func writeV6(_ buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
        let gap = longestGap()
        var end = 0
        var index = 0
        while index < 8 {
            if index == gap.lowerBound, !gap.isEmpty {
                buffer[end] = UInt8(ascii: ":")
                buffer[end &+ 1] = UInt8(ascii: ":")
                end &+= 2
                index = gap.upperBound
                continue
            }
            if index > 0, index != gap.upperBound || gap.isEmpty {
                buffer[end] = UInt8(ascii: ":")
                end &+= 1
            }
            let value = group(index)
            var shift = value >= 0x1000 ? 12 : value >= 0x100 ? 8 : value >= 0x10 ? 4 : 0
            while shift >= 0 {
                let digit = UInt8(truncatingIfNeeded: value >> UInt16(shift)) & 15
                buffer[end] = digit < 10 ? 0x30 &+ digit : 0x57 &+ digit
                end &+= 1
                shift &-= 4
            }
            index &+= 1
        }
        return end
    }

    private func group(_ index: Int) -> UInt16 {
        UInt16(truncatingIfNeeded: bits >> UInt128(112 &- 16 &* index))
    }

    /// The first longest run of two or more zero groups; empty where there is none.
    private func longestGap() -> Range<Int> {
        var best = 0..<0
        var index = 0
        while index < 8 {
            let start = index
            while index < 8, group(index) == 0 { index &+= 1 }
            if index &- start >= 2, index &- start > best.count { best = start..<index }
            index &+= 1
        }
        return best
    }
}
