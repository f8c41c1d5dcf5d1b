import HTTP
import IDF
import ServiceKernel
import ServiceKernelTesting
import Synchronization
import Testing
import Workflow

@testable import Gateway
@testable import StatusDaemon

/// Who watches asks again while an earlier answer is still on its way: what was asked last counts.
@Suite(.timeLimit(.minutes(1))) struct WatchOrderTests {
    struct Idle: Expert {
        static let spec = Spec("idle", "Does nothing.")
        func process(_ event: inout Event) throws(Rejection) -> Verdict { .forward }
    }

    /// Answers the first question after all others.
    final class Late: HTTPHandler {
        private let state = Mutex((asked: 0, isReleased: false))

        var asked: Int { state.withLock { $0.asked } }
        func release() { state.withLock { $0.isReleased = true } }

        func immediate(_ head: HTTPRequestHead) -> HTTPResponse? { nil }
        func bodyLimit(_ head: HTTPRequestHead) -> Int { 0 }
        func respond(to request: HTTPRequest) async -> HTTPResponse {
            guard request.head.path == "/v1/status" else { return HTTPResponse(text: "") }
            let number = state.withLock { state in
                state.asked += 1
                return state.asked
            }
            let (word, count) = number == 1 ? ("running", 10) : ("paused", 20 + number)
            while number == 1, !state.withLock({ $0.isReleased }) { try? await Task.sleep(for: .milliseconds(5)) }
            return .json(
                .object([
                    "state": .string(word), "pid": .integer(1), "events": .object(["received": .integer(count)]),
                ]))
        }
    }

    private func overtaken(_ handler: Late, _ round: @escaping @Sendable () async -> Void) async {
        let first = Task { await round() }
        while handler.asked == 0 { await Task.yield() }
        await round()
        handler.release()
        await first.value
    }

    @Test func `an older answer neither shows an older state nor counts again`() async throws {
        let folder = TemporaryFolder()
        let handler = Late()
        let server = try HTTPServer(
            HTTPServerConfiguration(listening: "unix:\(folder.path)/control.sock", tls: nil), handler: handler)
        let observer = Observer(
            ServiceConfiguration(RosterEntry(Idle.self), name: "idle"), folder: folder.path, supervisor: nil)
        await overtaken(handler) { await observer.round() }
        #expect(observer.phase == "paused")
        #expect(observer.status["totals"]?["received"]?.integer == 22)
        await observer.round()
        #expect(observer.status["totals"]?["received"]?.integer == 23)
        await server.stop()
    }

    @Test func `the gateway shows what was told last`() async throws {
        let folder = TemporaryFolder()
        let handler = Late()
        try makeFolder("\(folder.path)/state/idle")
        let server = try HTTPServer(
            HTTPServerConfiguration(listening: "unix:\(folder.path)/state/idle/statusd.sock", tls: nil), handler: handler)
        let watch = FleetWatch(LocalFleet(directory: folder.path))
        await overtaken(handler) { await watch.round(["idle"]) }
        #expect(watch.phase("idle") == "paused")
        await server.stop()
    }
}
