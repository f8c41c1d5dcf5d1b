/// What a field's values are: how they are checked, brought into canonical form and written as JSON.
public enum FieldType: String, Sendable, CaseIterable {
    /// Any text that is not empty after trimming.
    case keyword
    /// Long text; the same rules as `keyword`, another mapping in stores.
    case text
    /// Text in lower case.
    case lowercase
    /// Text in upper case.
    case uppercase
    /// Printable ASCII (blank to tilde).
    case printable
    /// Printable ASCII in lower case (malware names, protocols).
    case printableLowercase
    /// A file hash: printable ASCII, at most 200 bytes (the old format's rule).
    case fileHash
    /// An event hash: `[A-F0-9./]`, at most 40 characters.
    case eventHash
    /// A UUID in lower case (8-4-4-4-12).
    case uuid
    /// ISO 3166-1 alpha-2 shaped: two letters or digits, upper case.
    case countryCode
    /// An IANA transport protocol keyword in lower case.
    case transport
    /// A domain name: IDNA A-labels, lower case, no trailing dot, not an address.
    case domain
    /// A URL with a network location.
    case url
    /// An IPv4 or IPv6 address.
    case ip
    /// A network in CIDR form, host bits cleared.
    case network
    /// A time in UTC, RFC 3339.
    case time
    /// An autonomous system number, 1…4294967295.
    case asn
    /// A 64-bit signed integer.
    case integer
    /// A port, 0…65535.
    case port
    /// A finite number.
    case float
    /// Degrees north, -90…90.
    case latitude
    /// Degrees east, -180…180.
    case longitude
    /// Per cent, 0…100.
    case accuracy
    /// true or false.
    case boolean
    /// A regional Internet registry: AFRINIC, APNIC, ARIN, LACNIC, RIPE.
    case registry
    /// A class of the RSIT taxonomy.
    case taxonomy
    /// A type of the RSIT taxonomy (with the six of IntelMQ's own).
    case classification
    /// A Traffic Light Protocol label: RED, AMBER, AMBER+STRICT, GREEN, CLEAR, WHITE.
    case tlp
    /// Base64 text (RFC 4648, padded).
    case base64
    /// Any JSON value.
    case json
}
