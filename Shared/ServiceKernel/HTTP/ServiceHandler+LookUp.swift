import HTTP
import IDF
import Synchronization

/// Headers of look-ups, made anew only when the worker's database has changed.
struct LookUpHeaders: Sendable {
    let generation: Int
    let tag: String?
    let document: [(name: String, value: String)]
    let text: [(name: String, value: String)]

    init(_ service: Service) {
        generation = service.generation.load(ordering: .relaxed)
        tag = service.configuration.worker.build.map { "\"\($0)\"" }
        let common = [("Cache-Control", "max-age=60")] + (tag.map { [("ETag", $0)] } ?? [])
        document = [("Content-Type", Packet.mediaType)] + common
        text = [("Content-Type", "text/plain; charset=utf-8")] + common
    }
}

/// `GET /v1/lookup/{value}`: answered on the server's own thread.
extension ServiceHandler {
    /// - Parameter path: `/v1/lookup/VALUE` or `/v1/lookup/VALUE/FIELD`.
    func lookup(_ path: String, _ head: HTTPRequestHead) -> HTTPResponse {
        let headers = lookUpHeaders.withLock { headers in
            if headers.generation != service.generation.load(ordering: .relaxed) { headers = LookUpHeaders(service) }
            return headers
        }
        if let tag = headers.tag, let known = head.header("If-None-Match"), Self.matches(known, tag) {
            return HTTPResponse(status: 304, headers: [("ETag", tag)])
        }
        let rest = path.utf8.dropFirst("/v1/lookup/".utf8.count)
        let end = rest.firstIndex(of: 0x2F) ?? rest.endIndex
        var value = String(Substring(rest[..<end]))
        if value.utf8.contains(0x25) { value = HTTPRequestHead.percentDecoded(value) }
        let event: Event
        do throws(Rejection) {
            guard let found = try service.lookup(value) else {
                return problem(Problem(422, "invalid-value", "found \"\(value.prefix(80))\", wanted \(lookupWanted)"))
            }
            event = found
        } catch {
            return problem(error.problem)
        }
        guard end < rest.endIndex else {
            return HTTPResponse(status: 200, headers: headers.document, body: Self.lookupDocument(value, event))
        }
        let name = HTTPRequestHead.percentDecoded(Substring(rest[rest.index(after: end)...]))
        guard let field = FieldID(name) ?? DHO.field(name) else {
            return problem(Problem(404, "unknown-field", "no field \"\(name.prefix(80))\" in the data format"))
        }
        guard let text = event.text(field) else {
            return problem(Problem(404, "not-found", "nothing is known about \(field.name) of \(value.prefix(80))"))
        }
        return HTTPResponse(status: 200, headers: headers.text, body: Array(text.utf8) + [0x0A])
    }

    /// Whether a list of entity tags holds this one (RFC 9110, section 13.1.2: weak comparison).
    private static func matches(_ list: String, _ tag: String) -> Bool {
        list.split(separator: ",").map(\.trimmed).contains { $0 == "*" || $0 == tag || $0 == "W/" + tag }
    }

    var lookupWanted: String { service.configuration.entry.spec.lookup.map(\.field.type.wanted) ?? "a value" }

    static func lookupDocument(_ value: String, _ event: Event) -> [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(512)
        body.append(contentsOf: #"{"data":{"type":"lookup","id":"#.utf8)
        JSONText.appendQuoted(value, to: &body)
        body.append(contentsOf: #","attributes":"#.utf8)
        event.encodeAttributes(into: &body)
        body.append(contentsOf: "}}\n".utf8)
        return body
    }
}
