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

/// Look-ups: of one value, on the server's own thread, and of many.
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

    /// `POST /v1/lookup`: a JSON array, or one value a line.
    func lookupMany(_ body: [UInt8]) -> HTTPResponse {
        var values: [String]
        if body.first(where: { $0 > 0x20 }) == 0x5B {
            do {
                values = (try JSONValue(parsing: body).items ?? []).map(\.plain)
            } catch {
                return problem(Problem(400, "malformed-json", "\(error)", line: error.line, column: error.column))
            }
        } else {
            values = body.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self).trimmed }
            // NDJSON: one JSON string a line.
            values = values.map { $0.hasPrefix("\"") ? (try? JSONValue(parsing: $0.utf8))?.string ?? $0 : $0 }
        }
        guard values.count <= service.configuration.limits.events else {
            return problem(
                Problem(
                    413, "too-many-values",
                    "found \(values.count) values, the limit is \(service.configuration.limits.events) (limits.events)"))
        }
        var out: [UInt8] = []
        for value in values {
            do {
                if let event = try service.lookup(value) {
                    out.append(contentsOf: Self.lookupDocument(value, event))
                } else {
                    out.append(
                        contentsOf: Problem.document([
                            Problem(422, "invalid-value", "found \"\(value.prefix(80))\", wanted \(lookupWanted)")
                        ]))
                    out.append(0x0A)
                }
            } catch {
                out.append(contentsOf: Problem.document([error.problem]))
                out.append(0x0A)
            }
        }
        return HTTPResponse(status: 200, headers: [("Content-Type", "application/x-ndjson")], body: out)
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
