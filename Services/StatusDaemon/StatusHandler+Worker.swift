import HTTP
import IDF
import ServiceKernel
import Synchronization

/// The worker's own calls, passed on to its control sockets.
extension StatusHandler {
    /// Passes events on as a process shows them.
    func tap(_ route: Route, _ request: HTTPRequest) async -> HTTPResponse {
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
            return .problem(error.problem)
        }
    }

    /// Passes a call on to the process that it names, or to all.
    func pass(_ route: Route, _ request: HTTPRequest) async -> HTTPResponse {
        let targets: [Int]
        let query: [(String, String)]
        do throws(Rejection) { (targets, query) = try aim(route, request) } catch {
            return .problem(error.problem)
        }
        var answers: [(process: Int, answer: HTTPResponse)] = []
        for target in targets {
            answers.append((target, await call(target, request, query)))
        }
        if let bad = answers.first(where: { $0.answer.status >= 300 }) { return bad.answer }
        return answers.count == 1 ? answers[0].answer : .merged(answers)
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
