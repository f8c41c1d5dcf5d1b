// The members that a protocol asks for are documented there.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

/// A Swift type that values of fields are read and written as.
public protocol FieldValue: Sendable, Equatable {
    /// Reads the characters of a JSON string without its quotes, or the text of a number or boolean.
    init?(field text: ByteView)
    /// Appends the value as JSON.
    func appendField(to out: inout [UInt8])
}

extension String: FieldValue {
    public init?(field text: ByteView) { self = String(decoding: text, as: UTF8.self) }
    public func appendField(to out: inout [UInt8]) { JSONText.appendQuoted(self, to: &out) }
}

extension Int: FieldValue {
    public init?(field text: ByteView) {
        guard let value = Int64(field: text) else { return nil }
        self = Int(value)
    }
    public func appendField(to out: inout [UInt8]) { JSONText.append(Int64(self), to: &out) }
}

extension UInt32: FieldValue {
    public init?(field text: ByteView) {
        guard let value = Int64(field: text), let fits = UInt32(exactly: value) else { return nil }
        self = fits
    }
    public func appendField(to out: inout [UInt8]) { JSONText.append(Int64(self), to: &out) }
}

extension Double: FieldValue {
    public init?(field text: ByteView) {
        guard let value = Double(String(decoding: text, as: UTF8.self)) else { return nil }
        self = value
    }
    public func appendField(to out: inout [UInt8]) { out.append(contentsOf: description.utf8) }
}

extension Bool: FieldValue {
    public init?(field text: ByteView) {
        switch text.first {
        case 0x74: self = true
        case 0x66: self = false
        default: return nil
        }
    }
    public func appendField(to out: inout [UInt8]) { out.append(contentsOf: (self ? "true" : "false").utf8) }
}

extension IPAddress: FieldValue {
    public init?(field text: ByteView) { self.init(text) }
    public func appendField(to out: inout [UInt8]) { quoted(&out) { appendText(to: &$0) } }
}

extension IPNetwork: FieldValue {
    public init?(field text: ByteView) { self.init(text) }
    public func appendField(to out: inout [UInt8]) { quoted(&out) { appendText(to: &$0) } }
}

extension Timestamp: FieldValue {
    public init?(field text: ByteView) { self.init(text) }
    public func appendField(to out: inout [UInt8]) { quoted(&out) { appendText(to: &$0) } }
}

private func quoted(_ out: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
    out.append(0x22)
    body(&out)
    out.append(0x22)
}

extension Int64 {
    fileprivate init?(field text: ByteView) {
        let isNegative = text.first == 0x2D
        let digits = text[(isNegative ? 1 : 0)...]
        guard !digits.isEmpty, digits.count <= 19 else { return nil }
        // Downwards, for there is one more number below zero than above.
        var value: Int64 = 0
        for byte in digits {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            let (times, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, more) = times.subtractingReportingOverflow(Int64(byte - 0x30))
            if over || more { return nil }
            value = sum
        }
        guard isNegative || value != .min else { return nil }
        self = isNegative ? value : -value
    }
}
