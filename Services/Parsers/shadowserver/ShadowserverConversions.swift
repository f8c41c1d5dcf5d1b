import IDF

/// What the schema may say about a cell before it becomes a value. The names are Shadowserver's.
enum ShadowserverConversion: String, Sendable, CaseIterable {
    case none = ""
    case utcTime = "add_UTC_to_timestamp"
    case boolean = "convert_bool"
    case emptyToNone = "validate_to_none"
    case integer = "convert_int"
    case float = "convert_float"
    case url = "convert_http_host_and_url"
    case zeroToNone = "invalidate_zero"
    case address = "validate_ip"
    case network = "validate_network"
    case domain = "validate_fqdn"
    case date = "convert_date"
    case dateUTC = "convert_date_utc"
    case base64 = "force_base64"
    case exchangeTaxonomy = "scan_exchange_taxonomy"
    case exchangeType = "scan_exchange_type"
    case exchangeIdentifier = "scan_exchange_identifier"
    case categoryOrDetail = "category_or_detail"
    case vulnerabilities = "extract_cve_from_tag"

    /// Whether the cell says "nothing", so that there is neither a value nor a mistake.
    @inline(__always)
    func isNothing(_ cell: ByteView) -> Bool {
        switch self {
        // What these make of an empty cell may come from other cells of the row.
        case .url, .categoryOrDetail: return false
        case .emptyToNone: return cell.isEmpty || cell.count == 1 && cell[0] == 0x30 || cell.elements("unknown")
        case .zeroToNone: return cell.allSatisfy { $0 == 0x30 }
        case .address: return cell.isEmpty || cell.contains(0x2F) || cell.elements("0.0.0.0")
        case .network: return !cell.contains(0x2F)
        default: return cell.isEmpty
        }
    }

    /// Appends the value as JSON, for custom members; what is not of the conversion's type stays as text.
    func append(_ cell: ByteView, to out: inout [UInt8]) -> Bool {
        switch self {
        case .boolean:
            guard let value = Self.truth(cell) else { break }
            out.append(contentsOf: (value ? "true" : "false").utf8)
            return true
        case .integer, .zeroToNone: if FieldType.integer.sanitise(cell, into: &out) { return true }
        case .float: if FieldType.float.sanitise(cell, into: &out) { return true }
        case .utcTime, .date, .dateUTC: if FieldType.time.sanitise(cell, into: &out) { return true }
        case .address: if FieldType.ip.sanitise(cell, into: &out) { return true }
        case .network: if FieldType.network.sanitise(cell, into: &out) { return true }
        case .domain: return FieldType.domain.sanitise(cell, into: &out)
        default: break
        }
        JSONText.appendQuoted(cell, to: &out)
        return true
    }

    /// Whether a cell that is no value of the field means "nothing", because the column is used for another field, too.
    var dropsMisfits: Bool { self == .address || self == .network || self == .domain }

    /// Whether the conversion makes a text of its own, with `text(_:_:)`.
    var isDerived: Bool {
        switch self {
        case .boolean, .url, .base64, .exchangeTaxonomy, .exchangeType, .exchangeIdentifier, .categoryOrDetail, .vulnerabilities:
            true
        default: false
        }
    }

    /// The text that a derived conversion makes, or nil when there is none.
    func text(_ cell: ByteView, _ other: (OtherColumn) -> ByteView) -> [UInt8]? {
        let isWebshell = String(decoding: cell, as: UTF8.self).contains("exchange;webshell")
        switch self {
        case .boolean: return Self.truth(cell).map { Array(($0 ? "true" : "false").utf8) } ?? Array(cell)
        case .url: return Self.url(cell, other)
        case .base64:
            var out: [UInt8] = []
            if FieldType.base64.sanitise(cell, into: &out) { return Array(cell) }
            return Array(Base64.encode(cell).utf8)
        case .exchangeTaxonomy: return Array((isWebshell ? "intrusions" : "vulnerable").utf8)
        case .exchangeType: return Array((isWebshell ? "system-compromise" : "vulnerable-system").utf8)
        case .exchangeIdentifier: return Array((isWebshell ? "exchange-server-webshell" : "vulnerable-exchange-server").utf8)
        case .categoryOrDetail: return [other(.category), other(.detail), cell].first { !$0.isEmpty }.map { Array($0) }
        case .vulnerabilities:
            let found = Self.vulnerabilities(in: cell)
            return found.isEmpty ? nil : Array(found.joined(separator: ";").utf8)
        default: return Array(cell)
        }
    }

    /// Columns that a conversion may look at besides its own.
    enum OtherColumn: String, CaseIterable {
        case application, host, category, detail
        case httpHost = "http_host"
        case controlName = "cc_dns"
    }

    private static func truth(_ cell: ByteView) -> Bool? {
        guard cell.count <= 8 else { return nil }
        switch String(decoding: cell, as: UTF8.self).lowercased() {
        case "y", "yes", "true", "enabled", "1": return true
        case "n", "no", "false", "disabled", "0": return false
        default: return nil
        }
    }

    /// Scheme, host and path stand in columns of their own; the path may be a request line, or a whole URL after all.
    private static func url(_ cell: ByteView, _ other: (OtherColumn) -> ByteView) -> [UInt8]? {
        var path = Array(cell)
        let parts = path.split(separator: 0x20)
        if parts.count > 1, parts[0].allSatisfy({ $0 >= 0x41 && $0 <= 0x5A }) { path = Array(parts[1]) }
        if String(decoding: path, as: UTF8.self).contains(/^[A-Za-z][A-Za-z0-9+.\-]*:\/\//) { return path }
        guard !path.isEmpty, let host = [other(.controlName), other(.httpHost), other(.host)].first(where: { !$0.isEmpty }) else {
            return nil
        }
        let application = other(.application)
        var url = application.elements("https") ? Array("https://".utf8) : Array("http://".utf8)
        url.append(contentsOf: host)
        if path[0] != 0x2F { url.append(0x2F) }
        return url + path
    }

    /// The numbers of vulnerabilities in a text, in upper case, sorted, each once.
    static func vulnerabilities(in text: ByteView) -> [String] {
        guard text.count >= 9 else { return [] }
        var found: Set<String> = []
        var at = 0
        while at + 9 <= text.count {
            guard text[at] | 0x20 == 0x63, text[at + 1] | 0x20 == 0x76, text[at + 2] | 0x20 == 0x65, text[at + 3] == 0x2D else {
                at += 1
                continue
            }
            var end = at + 4
            while end < text.count, text[end] &- 0x30 < 10 { end += 1 }
            let year = end - at - 4
            let number = end + 1
            guard year == 4, end < text.count, text[end] == 0x2D else {
                at += 4
                continue
            }
            end = number
            while end < text.count, text[end] &- 0x30 < 10 { end += 1 }
            if end - number >= 4 {
                found.insert(String(decoding: text[at..<end], as: UTF8.self).uppercased())
            }
            at = end
        }
        return found.sorted()
    }
}

extension UnsafeBufferPointer where Element == UInt8 {
    /// Whether these are the bytes of a literal.
    @inline(__always)
    func elements(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for index in 0..<count where self[index] != text.utf8Start[index] { return false }
        return true
    }
}
