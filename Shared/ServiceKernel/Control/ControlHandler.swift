import HTTP
import IDF
import Spool

/// The calls that operate a service: on its control socket `STATE/control.sock`, which only the service's own user may open.
final class ControlHandler: HTTPHandler {
    let service: Service
    private let desk: DeadLetterDesk

    /// The calls for a service; also used without a socket, when the service does not run.
    init(_ service: Service) {
        self.service = service
        desk = DeadLetterDesk(service: service)
    }

    /// Name of the socket in the folder of the service's state.
    static let socketName = "control.sock"
    /// Most letters that one call lists, deletes or sends again.
    static let most = 10_000

    func immediate(_ head: HTTPRequestHead) -> HTTPResponse? {
        switch (head.path, head.method.route) {
        case ("/livez", .get): HTTPResponse(text: "ok\n")
        case ("/metrics", .get): HTTPResponse(metrics: service, head)
        default: nil
        }
    }

    func bodyLimit(_ head: HTTPRequestHead) -> Int { service.configuration.limits.body.bytes }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        await answer(
            request.head.method.route, request.head.path, request.head.query.map { ($0.name, $0.value) }, request.body)
    }

    /// Answers one call.
    func answer(_ method: HTTPMethod, _ path: String, _ query: [(String, String)], _ body: [UInt8]) async -> HTTPResponse {
        let steps = path.split(separator: "/").dropFirst().map(String.init)
        do throws(Rejection) {
            switch (method, steps.first, steps.count) {
            case (.get, "status", 1): return .json(service.status)
            case (_, "dead-letters", 1): return try await deadLetters(method, query)
            case (.post, "dead-letters", 2) where steps[1] == "replay": return try await replay(try await chosen(query), query)
            case (.post, "dead-letters", 2) where steps[1] == "import": return try await importDump(body)
            case (_, "dead-letters", 2...3):
                guard let id = Int64(steps[1]) else { throw .malformed("\"\(steps[1])\" is no number of a dead letter") }
                return try await deadLetter(method, id, steps.count == 3 ? steps[2] : nil, query, body)
            default:
                return .problem(
                    Problem(
                        404, "unknown-path",
                        "no such call here; there are GET /v1/status, and GET, PUT, DELETE, POST …/replay and …/import on /v1/dead-letters"
                    ))
            }
        } catch {
            if case .missing(let what) = error { return .problem(Problem(404, "not-found", what)) }
            return .problem(Problem(error.status, error.code, error.detail))
        }
    }

    // MARK: dead letters

    private func deadLetters(_ method: HTTPMethod, _ query: [(String, String)]) async throws(Rejection) -> HTTPResponse {
        switch method {
        case .get:
            let limit = try Self.number("limit", query) ?? 100
            let after = try Self.number("after", query)
            let (letters, total) = try await desk.list(
                try Self.filter(query), limit: min(max(1, Int(limit)), Self.most), after: after)
            return .json(
                .object([
                    "data": .array(letters.map { $0.letter.resource($0.id) }), "meta": .object(["total": .integer(total)]),
                ]))
        case .delete:
            let ids = try await chosen(query).map(\.id)
            return .json(.object(["meta": .object(["deleted": .integer(try await desk.delete(ids))])]))
        default: return .problem(Problem(405, "wrong-method", "/v1/dead-letters takes GET and DELETE"))
        }
    }

    private func deadLetter(
        _ method: HTTPMethod, _ id: Int64, _ verb: String?, _ query: [(String, String)], _ body: [UInt8]
    ) async throws(Rejection) -> HTTPResponse {
        switch (method, verb) {
        case (.get, nil):
            let stored = try await desk.find(id)
            return .json(.object(["data": stored.letter.resource(stored.id)]))
        case (.put, nil):
            try await desk.edit(id, body)
            return .json(.object(["meta": .object(["edited": .integer(1)])]))
        case (.delete, nil):
            _ = try await desk.find(id)
            return .json(.object(["meta": .object(["deleted": .integer(try await desk.delete([id]))])]))
        case (.post, "replay"): return try await replay([try await desk.find(id)], query)
        default: return .problem(Problem(405, "wrong-method", "a dead letter takes GET, PUT, DELETE and POST …/replay"))
        }
    }

    /// The letters that a query names. Deleting or sending again everything wants a word: `all=true`.
    private func chosen(_ query: [(String, String)]) async throws(Rejection) -> [StoredDeadLetter] {
        let filter = try Self.filter(query)
        guard filter != DeadLetterFilter() || query.contains(where: { $0 == ("all", "true") }) else {
            throw .malformed("this would concern every dead letter: name which (code, edge, event, text, since…) or say all=true")
        }
        return try await desk.list(filter, limit: Self.most, after: nil).letters
    }

    private func replay(_ letters: [StoredDeadLetter], _ query: [(String, String)]) async throws(Rejection) -> HTTPResponse {
        let dry = query.contains { $0 == ("dry", "true") }
        var done = 0
        var failed: [JSONValue] = []
        var problem: String?
        for stored in letters {
            switch try await desk.replay(stored, dry: dry) {
            case .done: done += 1
            case .failed(let why):
                failed.append(.object(["id": .string(String(stored.id)), "detail": .string(why)]))
            case .notNow(let why): problem = why
            }
            // The next ones would wait for the same.
            if problem != nil { break }
        }
        var meta: [JSONValue.Member] = [
            .init(dry ? "would-replay" : "replayed", .integer(done)), .init("failed", .array(failed)),
        ]
        if let problem { meta.append(.init("stopped", .string(problem))) }
        return .json(.object(["meta": .object(meta)]), status: problem != nil && done == 0 ? 503 : 200)
    }

    private func importDump(_ body: [UInt8]) async throws(Rejection) -> HTTPResponse {
        let dump = try DumpFile(body, worker: service.configuration.name)
        try await desk.add(dump.letters)
        return .json(
            .object([
                "meta": .object([
                    "imported": .integer(dump.letters.count), "refused": .array(dump.refused.map { .string($0) }),
                ])
            ]))
    }

    private static func filter(_ query: [(String, String)]) throws(Rejection) -> DeadLetterFilter {
        var filter = DeadLetterFilter()
        for (name, value) in query {
            switch name {
            case "edge": filter.edge = value
            case "code": filter.code = value
            case "worker": filter.worker = value
            case "event": filter.eventID = value
            case "packet": filter.packetID = value
            case "text": filter.text = value
            case "since", "until":
                guard let time = Array(value.utf8).withUnsafeBufferPointer({ Timestamp($0) }) else {
                    throw .malformed("\(name): found \"\(value)\", wanted a time like 2026-11-20T12:00:00Z")
                }
                if name == "since" { filter.since = time.nanoseconds / 1_000_000 }
                if name == "until" { filter.until = time.nanoseconds / 1_000_000 }
            case "limit", "after", "dry", "all": continue
            default:
                throw .malformed(
                    "no filter \"\(name)\"; there are edge, code, worker, event, packet, text, since, until")
            }
        }
        return filter
    }

    private static func number(_ name: String, _ query: [(String, String)]) throws(Rejection) -> Int64? {
        guard let value = query.first(where: { $0.0 == name })?.1 else { return nil }
        guard let number = Int64(value), number >= 0 else { throw .malformed("\(name): found \"\(value)\", wanted a number") }
        return number
    }
}

extension HTTPResponse {
    static func json(_ value: JSONValue, status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, headers: [("Content-Type", Packet.mediaType)], body: value.bytes + [0x0A])
    }

    /// A JSON:API error document with the status of its first error.
    static func problems(_ all: [Problem]) -> HTTPResponse {
        HTTPResponse(
            status: all.first?.status ?? 500, headers: [("Content-Type", Packet.mediaType)], body: Problem.document(all) + [0x0A])
    }

    static func problem(_ one: Problem) -> HTTPResponse { problems([one]) }
}
