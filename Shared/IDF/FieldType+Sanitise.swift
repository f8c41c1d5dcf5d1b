extension FieldType {
    /// What kind of JSON value a type is on the wire.
    public enum JSONKind: Sendable {
        /// A quoted string.
        case string
        /// A number.
        case number
        /// `true` or `false`.
        case boolean
        /// Any JSON value.
        case any
    }

    /// What kind of JSON value this type is on the wire.
    public var jsonKind: JSONKind {
        switch self {
        case .asn, .integer, .port, .float, .latitude, .longitude, .accuracy: .number
        case .boolean: .boolean
        case .json: .any
        default: .string
        }
    }

    /// Appends the canonical JSON value of `text` to `out`: strings quoted and escaped, numbers and booleans bare.
    ///
    /// Blanks around the text do no harm. Returns false and leaves `out` as it was when the text is no valid value of this type.
    /// - Parameter text: the unquoted UTF-8 text of a value: a CSV cell, the unescaped content of a JSON string, the digits
    ///   of a JSON number. Bytes that are not UTF-8 are left out, but of names and addresses: without them those would be others.
    public func sanitise(_ text: ByteView, into out: inout [UInt8]) -> Bool {
        if !text.isASCII, JSONText.firstBadByte(text) < text.count {
            switch self {
            case .domain, .url, .ip, .network: return false
            default: break
            }
            // Before blanks are cut: what is left out may hide them.
            return text.withoutBadBytes { sanitiseText($0, into: &out) }
        }
        return sanitiseText(text, into: &out)
    }

    /// Whether a text is in canonical form already, as far as that can be seen without making the form: what is false may still be.
    /// - Parameter text: the inside of a JSON string without escapes; its UTF-8 has been checked.
    @inline(__always)
    func isPlainlyCanonical(_ text: ByteView) -> Bool {
        guard text.count > 0, text[0] > 0x20, text[0] < 0x80, text[text.count - 1] > 0x20, text[text.count - 1] < 0x80
        else { return false }
        switch self {
        case .keyword, .text: return true
        case .lowercase: return text.allSatisfy { $0 < 0x80 && !$0.isUpper }
        case .printableLowercase: return text.allSatisfy { $0 < 0x7F && !$0.isUpper }
        case .printable: return text.allSatisfy { $0 < 0x7F }
        case .countryCode: return text.count == 2 && text.allSatisfy { $0.isUpper || $0.isDigit }
        default: return false
        }
    }

    @inline(__always)
    private func sanitiseText(_ text: ByteView, into out: inout [UInt8]) -> Bool {
        let value = text.trimmed()
        guard value.count > 0 else { return self == .json && FieldType.json(text, into: &out) }
        switch self {
        case .keyword, .text: return FieldType.text(value, into: &out)
        case .lowercase: return FieldType.lowercase(value, into: &out)
        case .uppercase: return FieldType.uppercase(value, into: &out)
        case .printable: return FieldType.printable(value, limit: .max, lowercased: false, into: &out)
        case .printableLowercase: return FieldType.printable(value, limit: .max, lowercased: true, into: &out)
        case .fileHash: return FieldType.printable(value, limit: 200, lowercased: false, into: &out)
        case .eventHash: return FieldType.eventHash(value, into: &out)
        case .uuid: return FieldType.uuid(value, into: &out)
        case .countryCode: return FieldType.countryCode(value, into: &out)
        case .transport: return FieldType.transport(value, into: &out)
        case .domain: return FieldType.domain(value, into: &out)
        case .url: return FieldType.url(value, into: &out)
        case .ip: return FieldType.ip(value, into: &out)
        case .network: return FieldType.network(value, into: &out)
        case .time: return FieldType.time(value, into: &out)
        case .asn: return FieldType.asn(value, into: &out)
        case .integer: return FieldType.integer(value, .min ... .max, into: &out)
        case .port: return FieldType.integer(value, 0...65535, into: &out)
        case .float: return FieldType.float(value, -.infinity ... .infinity, into: &out)
        case .latitude: return FieldType.float(value, -90...90, into: &out)
        case .longitude: return FieldType.float(value, -180...180, into: &out)
        case .accuracy: return FieldType.float(value, 0...100, into: &out)
        case .boolean: return FieldType.boolean(value, into: &out)
        case .registry: return FieldType.registry(value, into: &out)
        case .taxonomy: return FieldType.taxonomy(value, into: &out)
        case .classification: return FieldType.classification(value, into: &out)
        case .tlp: return FieldType.tlp(value, into: &out)
        case .base64: return FieldType.base64(value, into: &out)
        case .json: return FieldType.json(text, into: &out)
        }
    }

    /// One phrase that says what a value of this type is, for error messages.
    public var wanted: String {
        switch self {
        case .keyword, .text: "text that is not empty"
        case .lowercase: "text in lower case that is not empty"
        case .uppercase: "text in upper case that is not empty"
        case .printable: "printable ASCII text"
        case .printableLowercase: "printable ASCII text in lower case"
        case .fileHash: "a file hash: printable ASCII text of at most 200 characters, like d41d8cd98f00b204e9800998ecf8427e"
        case .eventHash: "an event hash: at most 40 of the characters A-F, 0-9, full stop and slash"
        case .uuid: "a UUID in lower case, like 0198f2c4-7d1e-7a2b-9c3d-4e5f60718293"
        case .countryCode: "a country code of two letters (ISO 3166-1), like AT"
        case .transport: "the name of a transport protocol in lower case (IANA), like tcp"
        case .domain: "a domain name without blanks, scheme, port or path that is no address, like www.example.com"
        case .url: "a URL with a host, like https://www.example.com/path"
        case .ip: "an IPv4 or IPv6 address other than 0.0.0.0, like 192.0.2.1"
        case .network: "a network in CIDR form, like 192.0.2.0/24 or 2001:db8::/32"
        case .time: "a time with year, month and day, like 2026-11-20T12:00:00Z"
        case .asn: "the number of an autonomous system, 1 to 4294967295"
        case .integer: "a whole number of at most 64 bits, like 42"
        case .port: "a port number, 0 to 65535"
        case .float: "a finite number, like 4.2"
        case .latitude: "degrees north, a number from -90 to 90"
        case .longitude: "degrees east, a number from -180 to 180"
        case .accuracy: "per cent, a number from 0 to 100"
        case .boolean: "true or false"
        case .registry: "a regional Internet registry: AFRINIC, APNIC, ARIN, LACNIC or RIPE"
        case .taxonomy: "a class of the RSIT taxonomy: " + TaxonomyClass.allCases.map(\.rawValue).joined(separator: ", ")
        case .classification: "a type of the RSIT taxonomy, like phishing, c2-server or infected-system"
        case .tlp: "a Traffic Light Protocol label: RED, AMBER, AMBER+STRICT, GREEN, CLEAR or WHITE"
        case .base64: "padded base64 text (RFC 4648), like Zm9v"
        case .json: "a JSON value"
        }
    }

    /// Appends text that needs no escaping between quotes.
    @inline(__always)
    static func appendPlain(_ text: ByteView, to out: inout [UInt8]) {
        out.appendQuotedPlain(text)
    }

    @inline(__always)
    static func appendPlain(_ text: StaticString, to out: inout [UInt8]) {
        appendPlain(ByteView(start: text.utf8Start, count: text.utf8CodeUnitCount), to: &out)
    }
}
