import HTTP
import Logging
import ServiceKernel
import Synchronization

/// The calls of statusd: answers what it knows from memory, supervises, and passes the rest on to the worker's control socket.
final class StatusHandler: HTTPHandler {
    private static let routes = Route.operating + Route.control + Route.supervision
    private let current: CurrentConfiguration
    private let listen: String?
    let observer: Observer
    let supervisor: Supervisor?
    private let log: Log
    /// How many watch events pass.
    let taps = Atomic<Int>(0)

    /// - Parameter listen: where this handler answers; nil: a Unix socket, whose file decides by itself who may.
    init(_ current: CurrentConfiguration, observer: Observer, supervisor: Supervisor?, listen: String?, log: Log) {
        self.current = current
        self.listen = listen
        self.observer = observer
        self.supervisor = supervisor
        self.log = log
    }

    var configuration: ServiceConfiguration { current.value }
    private var door: Door { listen == nil ? current.socketDoor : current.door }

    private static func route(_ head: HTTPRequestHead) throws(RouteProblem) -> Route {
        try Route.find(head.method.route, head.path, in: routes).route
    }

    func immediate(_ head: HTTPRequestHead) -> HTTPResponse? {
        let route: Route
        do throws(RouteProblem) { route = try Self.route(head) } catch { return error.response(head.path) }
        if let refusal = door.refusal(head, as: route.role, log: log) { return refusal }
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
        do throws(RouteProblem) { route = try Self.route(head) } catch { return error.response(head.path) }
        let caller = door.caller(head, as: route.role)
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
}
