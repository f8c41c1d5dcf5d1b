/// The place of a packet in a trace (W3C Trace Context, level 1): which trace it belongs to, and which hop sent it.
///
/// Written `00-TRACE-PARENT-FLAGS` in lower-case hexadecimal, as a header of requests and in a packet's `meta.traceparent`.
public struct TraceParent: Sendable, Hashable, CustomStringConvertible {
    /// The trace, 16 bytes; never all zero. It stays the same on the way through the fleet.
    public let trace: UUID
    /// The hop that has sent the packet, never 0.
    public let parent: UInt64
    /// Whether the one who asked records the trace.
    public let isSampled: Bool
    /// What tracing systems have noted of the trace, `vendor=value,…`: passed on as it is (`tracestate`); nil where there is none.
    public private(set) var state: String?

    /// Begins a trace whose id is that of the report or packet it begins with, so that one finds the other.
    public init(beginning id: UUID) {
        trace = id.high | id.low == 0 ? .v7() : id
        parent = Self.newParent()
        isSampled = false
    }

    /// The random half of a new UUID, which has its upper bit set and so is never 0.
    private static func newParent() -> UInt64 { UUID.v7().low }

    /// The same trace with a new parent: what the next hop is told.
    public func next() -> TraceParent {
        TraceParent(trace: trace, parent: Self.newParent(), isSampled: isSampled, state: state)
    }

    /// The same with what tracing systems have noted; malformed notes are left out.
    public func with(state: String?) -> TraceParent {
        TraceParent(trace: trace, parent: parent, isSampled: isSampled, state: state.flatMap(Self.checked))
    }

    /// Reads the written form. Malformed ones are nil: whoever gets one begins a new trace.
    public init?(_ text: some StringProtocol) {
        guard let read = Self.read(Array(text.utf8.prefix(257))[...]) else { return nil }
        self = read
    }

    /// Reads what `Packet.encode` has written at the beginning of a packet, without reading the packet; nil where there is none.
    public init?(inPacket bytes: [UInt8]) {
        guard let text = Packet.headText("traceparent", of: bytes), let read = Self.read(text) else { return nil }
        self = read
        state = Self.state(inPacket: bytes[text.endIndex...])
    }

    private static func read(_ bytes: ArraySlice<UInt8>) -> TraceParent? {
        let text = Array(bytes)
        guard text.count >= 55, text[2] == 0x2D, text[35] == 0x2D, text[52] == 0x2D else { return nil }
        guard let version = number(text[0..<2]), let high = number(text[3..<19]), let low = number(text[19..<35]),
            let parent = number(text[36..<52]), let flags = number(text[53..<55])
        else { return nil }
        // Later versions may say more behind a dash; 255 is none.
        guard version != 0xFF, text.count == 55 || version > 0 && text[55] == 0x2D else { return nil }
        guard high | low != 0, parent != 0 else { return nil }
        return TraceParent(trace: UUID(high: high, low: low), parent: parent, isSampled: flags & 1 == 1)
    }

    private init(trace: UUID, parent: UInt64, isSampled: Bool, state: String? = nil) {
        (self.trace, self.parent, self.isSampled, self.state) = (trace, parent, isSampled, state)
    }

    /// Lower-case hexadecimal only, as the standard wants.
    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case 0x30...0x39: value = value << 4 | UInt64(digit - 0x30)
            case 0x61...0x66: value = value << 4 | UInt64(digit - 0x61 + 10)
            default: return nil
            }
        }
        return value
    }

    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// The trace alone, 32 hexadecimal digits: `trace.id` of log lines.
    public var traceID: String { Self.hex(trace.high) + Self.hex(trace.low) }

    /// The written form, of version 00.
    public var description: String { "00-\(traceID)-\(Self.hex(parent))-0\(isSampled ? 1 : 0)" }
}

extension Packet {
    /// The named path of a packet that `encode` has written, without reading the packet; nil for the usual one.
    public static func path(of bytes: [UInt8]) -> String? {
        headText("path", of: bytes).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The edges that such a packet is not for.
    public static func notFor(of bytes: [UInt8]) -> [String] {
        headText("not-for", of: bytes)?.split(separator: 0x2C).map { String(decoding: $0, as: UTF8.self) } ?? []
    }

    /// A member that `encode` writes right behind the id, about 170 bytes from the start. In the text of another member the quotes
    /// would be escaped.
    fileprivate static func headText(_ name: String, of bytes: [UInt8]) -> ArraySlice<UInt8>? {
        guard let found = bytes.prefix(420).firstRange(of: Array("\"\(name)\":\"".utf8)) else { return nil }
        return bytes[found.upperBound...].prefix { $0 != 0x22 }
    }
}
