import HTTP
import IDF
import ServiceKernel

/// Starting, stopping and the log: only of a worker that this statusd has started itself.
extension StatusHandler {
    private static let attached = HTTPResponse.problem(
        Problem(
            409, "attached",
            "this statusd is attached to a worker that something else has started; start, stop and read its log there"))

    func supervise(_ name: Route.Name) async -> HTTPResponse {
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

    func logs(_ head: HTTPRequestHead) -> HTTPResponse {
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
}
