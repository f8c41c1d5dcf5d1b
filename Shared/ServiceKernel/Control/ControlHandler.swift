import HTTP
import IDF
import Logging
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

    /// Most letters that one call lists, deletes or sends again.
    static let most = 10_000

    func immediate(_ head: HTTPRequestHead) -> HTTPResponse? {
        switch (head.path, head.method.route) {
        case ("/livez", .get): HTTPResponse(text: "ok\n")
        case ("/readyz", .get): HTTPResponse(status: service.isReady ? 200 : 503, text: "\(service.phase)\n")
        case ("/metrics", .get): HTTPResponse(metrics: service, head)
        default: nil
        }
    }

    func bodyLimit(_ head: HTTPRequestHead) -> Int { service.configuration.limits.body.bytes }

    func tooLarge(_ head: HTTPRequestHead, limit: Int) -> HTTPResponse { .tooLarge(limit) }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        await answer(
            request.head.method.route, request.head.path, request.head.query.map { ($0.name, $0.value) }, request.body)
    }

    /// Answers one call.
    func answer(_ method: HTTPMethod, _ path: String, _ query: [(String, String)], _ body: [UInt8]) async -> HTTPResponse {
        let (route, values): (Route, [String])
        do throws(RouteProblem) { (route, values) = try Route.find(method, path, in: Route.control) } catch {
            return error.response(path)
        }
        let answer: HTTPResponse
        do throws(Rejection) {
            answer = try await call(route.name, values.first, query, body)
        } catch {
            let problem = if case .missing(let what) = error { Problem(404, "not-found", what) } else { error.problem }
            answer = .problem(problem)
        }
        if method != .get {
            service.log.notice(
                "operated", metadata: ["call": "\(method.rawValue) \(path)", "status": "\(answer.status)", Log.everyOne: "true"])
        }
        return answer
    }

    private func call(
        _ name: Route.Name, _ value: String?, _ query: [(String, String)], _ body: [UInt8]
    ) async throws(Rejection) -> HTTPResponse {
        switch name {
        case .status: return .json(service.status)
        case .spec: return .json(Renderer.specification(of: service.configuration.entry))
        case .config: return .json(service.configuration.shown)
        case .reload: return await reload()
        case .pause: return state(paused: true)
        case .resume: return state(paused: false)
        case .logLevel: return try logLevel(query)
        case .tap: return try service.tap.stream(try Tap.Watch(query))
        case .deadLetters: return try await list(query)
        case .deleteDeadLetters:
            return .meta("deleted", try await desk.delete(try await chosen(query).map(\.id)))
        case .replayDeadLetters: return try await replay(try await chosen(query), query)
        case .importDeadLetters: return try await importDump(body)
        case .deadLetter:
            let stored = try await desk.find(try Self.id(value))
            return .json(.object(["data": stored.letter.resource(stored.id)]))
        case .editDeadLetter:
            try await desk.edit(try Self.id(value), body)
            return .meta("edited", 1)
        case .deleteDeadLetter: return .meta("deleted", try await desk.delete([try await desk.find(try Self.id(value)).id]))
        case .replayDeadLetter: return try await replay([try await desk.find(try Self.id(value))], query)
        default: throw .missing("no such call here")
        }
    }

    private func reload() async -> HTTPResponse {
        do throws(ConfigurationError) {
            return .json(.object(["meta": .object(["changed": .boolean(try await service.reload())])]))
        } catch {
            return .problems(error.withoutSource.messages.map { Problem(422, "configuration", $0.description) })
        }
    }

    private func state(paused: Bool) -> HTTPResponse {
        service.paused.store(paused, ordering: .relaxed)
        return .json(.object(["meta": .object(["state": .string("\(service.phase)")])]))
    }

    private func logLevel(_ query: [(String, String)]) throws(Rejection) -> HTTPResponse {
        let text = query.first { $0.0 == "level" }?.1 ?? ""
        guard let level = Logger.Level(rawValue: text) else {
            throw .malformed("level: found \"\(text.prefix(40))\", wanted trace, debug, info, notice, warning, error or critical")
        }
        LogLevel.current = level
        return .json(.object(["meta": .object(["level": .string(level.rawValue)])]))
    }

    // MARK: dead letters

    private func list(_ query: [(String, String)]) async throws(Rejection) -> HTTPResponse {
        let limit = try Self.number("limit", query) ?? 100
        let after = try Self.number("after", query)
        let (letters, total) = try await desk.list(
            try Self.filter(query), limit: min(max(1, Int(limit)), Self.most), after: after)
        return .json(
            .object([
                "data": .array(letters.map { $0.letter.resource($0.id) }), "meta": .object(["total": .integer(total)]),
            ]))
    }

    private static func id(_ value: String?) throws(Rejection) -> Int64 {
        guard let id = value.flatMap({ Int64($0) }) else { throw .malformed("\"\(value ?? "")\" is no number of a dead letter") }
        return id
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
