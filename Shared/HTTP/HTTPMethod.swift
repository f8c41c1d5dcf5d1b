/// What a request asks to be done (RFC 9110, section 9).
public enum HTTPMethod: String, Sendable {
    /// Read a resource.
    case get = "GET"
    /// Read a resource's headers only.
    case head = "HEAD"
    /// Hand something over.
    case post = "POST"
    /// Put a resource in place.
    case put = "PUT"
    /// Remove a resource.
    case delete = "DELETE"
    /// Change a part of a resource.
    case patch = "PATCH"
    /// Ask what may be done.
    case options = "OPTIONS"
    /// Any method not named here; a server answers it with 405 or 501, a client cannot send it.
    case other

    /// The method whose route answers this one: `get` for `head`, else itself.
    public var route: HTTPMethod { self == .head ? .get : self }

    init(bytes: UnsafePointer<CChar>) {
        switch UInt8(bitPattern: bytes[0]) {
        case UInt8(ascii: "G"): self = equal(bytes, "GET") ? .get : .other
        case UInt8(ascii: "H"): self = equal(bytes, "HEAD") ? .head : .other
        case UInt8(ascii: "P"):
            self = equal(bytes, "POST") ? .post : equal(bytes, "PUT") ? .put : equal(bytes, "PATCH") ? .patch : .other
        case UInt8(ascii: "D"): self = equal(bytes, "DELETE") ? .delete : .other
        case UInt8(ascii: "O"): self = equal(bytes, "OPTIONS") ? .options : .other
        default: self = .other
        }
    }
}

private func equal(_ bytes: UnsafePointer<CChar>, _ name: StaticString) -> Bool {
    for index in 0..<name.utf8CodeUnitCount where UInt8(bitPattern: bytes[index]) != name.utf8Start[index] { return false }
    return bytes[name.utf8CodeUnitCount] == 0
}
