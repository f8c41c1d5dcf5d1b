package import HTTP
package import IDF

extension HTTPResponse {
    package static func meta(_ name: String, _ count: Int) -> HTTPResponse {
        .json(.object([.init("meta", .object([.init(name, .integer(count))]))]))
    }

    /// The answer to a body over the limit of control calls.
    package static func tooLarge(_ limit: Int) -> HTTPResponse {
        .problem(Problem(413, "too-large", "the limit of bodies here is \(limit) bytes (limits.body)"))
    }

    package static func json(_ value: JSONValue, status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, headers: [("Content-Type", Packet.mediaType)], body: value.bytes + [0x0A])
    }

    /// A JSON:API error document with the status of its first error.
    package static func problems(_ all: [Problem]) -> HTTPResponse {
        HTTPResponse(
            status: all.first?.status ?? 500, headers: [("Content-Type", Packet.mediaType)], body: Problem.document(all) + [0x0A])
    }

    package static func problem(_ one: Problem) -> HTTPResponse { problems([one]) }
}
