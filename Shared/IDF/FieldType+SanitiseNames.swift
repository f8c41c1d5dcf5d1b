extension FieldType {
    static func ip(_ value: ByteView, into out: inout [UInt8]) -> Bool {
        if let number = IPAddress.parseV4(value) {
            // What can be read is in canonical form already.
            guard number != 0 else { return false }
            appendPlain(value, to: &out)
            return true
        }
        guard let address = lenientAddress(value), address.bits != 0 || !address.isV4 else { return false }
        out.append(UInt8(ascii: "\""))
        address.appendText(to: &out)
        out.append(UInt8(ascii: "\""))
        return true
    }

    /// An address, also with the zone of an interface (`fe80::1%eth0`, cut off), as a network of one address, or as a number.
    private static func lenientAddress(_ value: ByteView) -> IPAddress? {
        var end = 0
        var isNumber = true
        while end < value.count, value[end] != UInt8(ascii: "%") {
            let byte = value[end]
            if byte == UInt8(ascii: "/") {
                guard let network = IPNetwork(value), network.prefixLength == network.address.bitWidth else { return nil }
                return network.address
            }
            isNumber = isNumber && byte.isDigit
            end &+= 1
        }
        if let address = IPAddress(value.part(0, end)) { return address }
        guard isNumber, end == value.count, end <= 39, value[0] != 0x30 || end == 1 else { return nil }
        var number: UInt128 = 0
        for byte in value {
            let product = number.multipliedReportingOverflow(by: 10)
            let sum = product.partialValue.addingReportingOverflow(UInt128(byte &- 0x30))
            guard !product.overflow, !sum.overflow else { return nil }
            number = sum.partialValue
        }
        return IPAddress(bits: number, isV4: number <= UInt128(UInt32.max))
    }

    static func network(_ value: ByteView, into out: inout [UInt8]) -> Bool {
        var network = IPNetwork(value)
        if network == nil, let percent = value.firstIndex(of: UInt8(ascii: "%")) {
            guard !value.contains(UInt8(ascii: "/")) else { return false }
            network = IPNetwork(value.part(0, percent))
            if network?.address.isV4 == true { return false }
        }
        guard let network else { return false }
        out.append(UInt8(ascii: "\""))
        network.appendText(to: &out)
        out.append(UInt8(ascii: "\""))
        return true
    }

    static func domain(_ value: ByteView, into out: inout [UInt8]) -> Bool {
        domain(value, isMapped: false, into: &out)
    }

    private static func domain(_ value: ByteView, isMapped: Bool, into out: inout [UInt8]) -> Bool {
        var start = 0
        var end = value.count
        while start < end, value[start] == UInt8(ascii: ".") { start &+= 1 }
        while end > start, value[end &- 1] == UInt8(ascii: ".") { end &-= 1 }
        let name = value.part(start, end)
        guard name.count > 0 else { return false }
        var hasUpper = false
        var needsEscape = false
        var mayBeAddress = true
        var isWide = false
        var label = 0
        for byte in name {
            if byte == UInt8(ascii: ".") {
                // Labels of a name in another script are measured when it is mapped.
                if !isWide, label == 0 || label > 63 { return false }
                label = 0
                continue
            }
            label &+= 1
            if byte.isDigit { continue }
            mayBeAddress = false
            if byte.isLower { continue }
            if byte.isUpper {
                hasUpper = true
            } else if byte >= 0x80 {
                isWide = true
            } else if byte <= 0x20 || byte == 0x7F || isURLMark(byte) {
                return false
            } else {
                needsEscape = needsEscape || byte == 0x22 || byte == 0x5C
            }
        }
        if isWide || label > 63 || label == 0 || mayBeAddress && IPAddress.parseV4(name) != nil {
            guard isWide, !isMapped else { return false }
            return IDNA.withASCII(name) { domain($0, isMapped: true, into: &out) }
        }
        if hasUpper || needsEscape { return lowercase(name, into: &out) }
        appendPlain(name, to: &out)
        return true
    }

    /// Bytes that make a text a URL, a path or an address with a port.
    @inline(__always)
    private static func isURLMark(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "/") || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
    }

    static func url(_ value: ByteView, into out: inout [UInt8]) -> Bool {
        var prefix: StaticString = ""
        var rest = value
        if value.starts(with: "hxxp://") {
            prefix = "http://"
            rest = value.from(7)
        } else if value.starts(with: "hxxps://") {
            prefix = "https://"
            rest = value.from(8)
        } else if value.starts(with: "file:///") {
            prefix = "file://localhost/"
            rest = value.from(8)
        }
        if prefix.utf8CodeUnitCount == 0 {
            return hasHost(value) && text(value, into: &out)
        }
        var whole: [UInt8] = []
        whole.reserveCapacity(prefix.utf8CodeUnitCount + rest.count)
        whole.append(prefix)
        whole.append(contentsOf: rest)
        return whole.withUnsafeBufferPointer { hasHost($0) && text($0, into: &out) }
    }

    /// True when `//host` follows a scheme or starts the text, and brackets of an IPv6 address come in pairs.
    private static func hasHost(_ value: ByteView) -> Bool {
        var index = 0
        if value[0].isLetter {
            while value.peek(index).isLetter || value.peek(index).isDigit || value.peek(index) == UInt8(ascii: "+")
                || value.peek(index) == UInt8(ascii: "-") || value.peek(index) == UInt8(ascii: ".")
            {
                index &+= 1
            }
            guard value.peek(index) == UInt8(ascii: ":") else { return false }
            index &+= 1
        }
        guard value.peek(index) == UInt8(ascii: "/"), value.peek(index + 1) == UInt8(ascii: "/") else { return false }
        let start = index + 2
        var end = start
        var opened = -1
        var closed = -1
        while end < value.count {
            let byte = value[end]
            if byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") { break }
            if byte == UInt8(ascii: "["), opened < 0 { opened = end }
            if byte == UInt8(ascii: "]") { closed = end }
            end &+= 1
        }
        guard end > start else { return false }
        return opened < 0 && closed < 0 || opened >= 0 && closed > opened
    }
}
