import HTTP
import IDF
import Logging
import ServiceKernel
import Synchronization

/// The calls of statusd: answers what it knows from memory, supervises, and passes the rest on to the worker's control socket.
final class StatusHandler: HTTPHandler {
    private static let routes = Route.operating + Route.control + Route.supervision
    private let current: CurrentConfiguration
    private let listen: String?
    private let observer: Observer
    private let supervisor: Supervisor?
    private let log: Log
    /// How many watch events pass.
    private let taps = Atomic<Int>(0)

    /// - Parameter listen: where this handler answers; nil: a Unix socket, whose file decides by itself who may.
    init(_ current: CurrentConfiguration, observer: Observer, supervisor: Supervisor?, listen: String?, log: Log) {
        self.current = current
        self.listen = listen
        self.observer = observer
        self.supervisor = supervisor
        self.log = log
    }

    private var configuration: ServiceConfiguration { current.value }
    private var door: Door { listen == nil ? current.socketDoor : current.door }

    func immediate(_ head: HTTPRequestHead) -> HTTPResponse? {
        let route: Route
        do throws(RouteProblem) { route = try Route.find(head.method.route, head.path, in: Self.routes).route } catch {
            return error.response(head.path)
        }
        if let role = route.role, case .failure(let refusal) = door.admit(head, as: role) {
            if head.method.route != .get {
                log.warning(
                    "refused", metadata: ["call": "\(head.method.rawValue) \(head.path)", "status": "\(refusal.problem.status)"])
            }
            return refusal.response
        }
        switch route.name {
        case .livez: return HTTPResponse(text: "ok\n")
        case .startupz:
            return HTTPResponse(status: observer.hasLooked ? 200 : 503, text: observer.hasLooked ? "ok\n" : "starting\n")
        case .readyz:
            return HTTPResponse(status: observer.isReady ? 200 : 503, text: observer.isReady ? "ok\n" : "\(observer.phase)\n")
        case .metrics: return HTTPResponse(text: observer.metrics, contentType: "text/plain; version=0.0.4; charset=utf-8")
        case .openapi: return .json(OpenAPI.ofStatusDaemon)
        case .status: return .json(observer.status)
        default: return nil
        }
    }

    func bodyLimit(_ head: HTTPRequestHead) -> Int { configuration.limits.body.bytes }

    func tooLarge(_ head: HTTPRequestHead, limit: Int) -> HTTPResponse { .tooLarge(limit) }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        let head = request.head
        let route: Route
        do throws(RouteProblem) { route = try Route.find(head.method.route, head.path, in: Self.routes).route } catch {
            return error.response(head.path)
        }
        // Whoever is let in now is named, also when the token has changed until the end.
        let caller = route.role.flatMap { try? door.admit(head, as: $0).get() }?.name ?? "unknown"
        let answer: HTTPResponse
        switch route.name {
        case .start, .stop, .restart: answer = await supervise(route.name)
        case .logs: answer = logs(head)
        case .tap: answer = await tap(route, request)
        default:
            answer = await pass(route, request)
            // Whoever looks next sees what has been done.
            if route.role == .operate { await observer.round() }
        }
        if route.name == .reload, answer.status < 300 { current.reread() }
        if head.method.route != .get {
            log.notice(
                "operated",
                metadata: [
                    "call": "\(head.method.rawValue) \(head.path)", "by": "\(caller)", "status": "\(answer.status)",
                    Log.everyOne: "true",
                ])
        }
        return answer
    }

    private static let attached = HTTPResponse.problem(
        Problem(
            409, "attached",
            "this statusd is attached to a worker that something else has started; start, stop and read its log there"))

    private func supervise(_ name: Route.Name) async -> HTTPResponse {
        guard let supervisor else { return Self.attached }
        switch name {
        case .start:
            supervisor.start()
            for index in observer.sockets.indices { await observer.settle(index) }
        case .stop: await supervisor.stop()
        default: await supervisor.restart { await self.observer.settle($0) }
        }
        await observer.round()
        return .json(.object(["meta": .object(["state": .string(observer.phase)])]))
    }

    private func logs(_ head: HTTPRequestHead) -> HTTPResponse {
        guard let supervisor else { return Self.attached }
        let text = head.query.first { $0.name == "lines" }?.value ?? "100"
        guard let lines = Int(text), lines >= 0 else {
            return .problem(Problem(422, "malformed", "lines: found \"\(text.prefix(40))\", wanted a number"))
        }
        guard head.query.contains(where: { $0 == ("follow", "true") }) else {
            return HTTPResponse(text: supervisor.log.last(lines).map { $0 + "\n" }.joined())
        }
        let coming = supervisor.log.follow(last: lines)
        return HTTPResponse.streamed("text/plain; charset=utf-8") { writer in
            for await line in coming where !writer.write(Array("\(line)\n".utf8)) && writer.isClosed { return }
        }
    }

    // MARK: the worker's own calls

    /// Passes events on as a process shows them.
    private func tap(_ route: Route, _ request: HTTPRequest) async -> HTTPResponse {
        do throws(Rejection) {
            let (targets, query) = try aim(route, request)
            _ = try Tap.Watch(query)
            guard taps.add(1, ordering: .relaxed).newValue <= Tap.most else {
                taps.subtract(1, ordering: .relaxed)
                throw .limited("\(Tap.most) watch already", retryAfter: 10)
            }
            // A connection of its own: those that watch must not be in the way of those that operate.
            let socket = ControlSocket(observer.sockets[targets[0]].path)
            guard let alive = try? await socket.call(.get, "/livez", timeoutMilliseconds: 5000), alive.status == 200 else {
                taps.subtract(1, ordering: .relaxed)
                return unavailable(targets[0])
            }
            return HTTPResponse.streamed("application/x-ndjson") { [self] writer in
                let lines = WholeLines()
                _ = try? await socket.stream("/v1/tap", query) { writer.write(lines.take($0)) || !writer.isClosed }
                taps.subtract(1, ordering: .relaxed)
            }
        } catch {
            return .problem(Problem(error.status, error.code, error.detail))
        }
    }

    /// Passes a call on to the process that it names, or to all.
    private func pass(_ route: Route, _ request: HTTPRequest) async -> HTTPResponse {
        let targets: [Int]
        let query: [(String, String)]
        do throws(Rejection) { (targets, query) = try aim(route, request) } catch {
            return .problem(Problem(error.status, error.code, error.detail))
        }
        var answers: [(process: Int, answer: HTTPResponse)] = []
        for target in targets {
            answers.append((target, await call(target, request, query)))
        }
        if let bad = answers.first(where: { $0.answer.status >= 300 }) { return bad.answer }
        return answers.count == 1 ? answers[0].answer : Self.merged(answers)
    }

    /// Which processes a call is for, and what is left of its query for them.
    private func aim(_ route: Route, _ request: HTTPRequest) throws(Rejection) -> (targets: [Int], query: [(String, String)]) {
        var query = request.head.query.map { ($0.name, $0.value) }
        var targets = Array(observer.sockets.indices)
        if let place = query.firstIndex(where: { $0.0 == "process" }) {
            let text = query.remove(at: place).1
            guard let number = Int(text), targets.contains(number) else {
                throw .malformed("process: found \"\(text.prefix(40))\", wanted a number below \(targets.count)")
            }
            targets = [number]
        }
        switch route.name {
        case .spec, .config, .importDeadLetters: targets = Array(targets.prefix(1))
        case .deadLetter, .editDeadLetter, .deleteDeadLetter, .replayDeadLetter, .tap:
            guard targets.count == 1 else {
                throw .malformed(
                    "there are \(targets.count) processes: say which with process=0 to \(targets.count - 1); lists name it")
            }
        default: break
        }
        return (targets, query)
    }

    private func call(_ target: Int, _ request: HTTPRequest, _ query: [(String, String)]) async -> HTTPResponse {
        do throws(HTTPClientError) {
            let answer = try await observer.sockets[target].call(
                request.head.method.route, request.head.path, query, body: request.body)
            return HTTPResponse(
                status: answer.status, headers: [("Content-Type", answer.header("Content-Type") ?? Packet.mediaType)],
                body: answer.body)
        } catch {
            return unavailable(target)
        }
    }

    private func unavailable(_ target: Int) -> HTTPResponse {
        let process = supervisor?.processes[target]
        let end = process?.phase == .running ? "" : process?.lastEnd.map { "; it \($0)" } ?? ""
        return .problem(
            Problem(503, "worker-unavailable", "\(configuration.name) is \(observer.phase) and does not answer\(end)"))
    }

    /// Lists one after the other, each item with its process; counts summed.
    private static func merged(_ answers: [(process: Int, answer: HTTPResponse)]) -> HTTPResponse {
        var data: [JSONValue] = []
        var meta: [JSONValue.Member] = []
        var hasData = false
        for (process, answer) in answers {
            guard let value = try? JSONValue(parsing: answer.body) else { continue }
            if let items = value["data"]?.items {
                hasData = true
                data += items.map { .object(($0.members ?? []) + [.init("process", .integer(process))]) }
            }
            for member in value["meta"]?.members ?? [] {
                guard let place = meta.firstIndex(where: { $0.name == member.name }) else {
                    meta.append(member)
                    continue
                }
                if let one = meta[place].value.integer, let two = member.value.integer {
                    meta[place].value = .integer(one + two)
                } else if let one = meta[place].value.items, let two = member.value.items {
                    meta[place].value = .array(one + two)
                }
            }
        }
        return .json(.object((hasData ? [.init("data", .array(data))] : []) + [.init("meta", .object(meta))]))
    }
}

/// Makes whole lines of pieces, so that a piece that is not taken costs lines and not halves.
private final class WholeLines: Sendable {
    private let rest = Mutex<[UInt8]>([])

    func take(_ piece: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        rest.withLock { rest in
            rest += piece
            guard let end = rest.lastIndex(of: 0x0A) else { return [] }
            defer { rest.removeFirst(end + 1) }
            return Array(rest[...end])
        }
    }
}
