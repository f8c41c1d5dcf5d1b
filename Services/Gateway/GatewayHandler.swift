import Bulk
import HTTP
import IDF
import Logging
import ServiceKernel
import Workflow

/// The calls of the gateway: its own, and those that it passes on to a node or to a node's statusd.
final class GatewayHandler: HTTPHandler {
    let gateway: Gateway
    private let door: Door

    init(_ gateway: Gateway, door: Door) {
        self.gateway = gateway
        self.door = door
    }

    /// Where a call goes.
    enum Target {
        case own(Route, [String])
        /// A node's statusd, with the path that it knows.
        case statusd(String, Route, String)
        /// A node's data port, likewise.
        case data(Graph.Node, Route, String)

        var route: Route {
            switch self {
            case .own(let route, _), .statusd(_, let route, _), .data(_, let route, _): route
            }
        }
    }

    func target(_ head: HTTPRequestHead) throws(Problem) -> Target {
        let steps = head.path.split(separator: "/", maxSplits: 4, omittingEmptySubsequences: false)
        func find(_ path: String, _ routes: [Route]) throws(Problem) -> (route: Route, values: [String]) {
            do throws(RouteProblem) { return try Route.find(head.method.route, path, in: routes) } catch {
                throw error.problem(head.path)
            }
        }
        // What a path would lead to once somebody has shortened it is not what is asked for here.
        guard !head.path.split(separator: "/").contains(where: { [".", ".."].contains(HTTPRequestHead.percentDecoded($0)) })
        else { throw Problem(404, "unknown-path", "a path without . and .. is wanted") }
        let edition = gateway.edition
        if steps.count > 4, steps[1] == "v1", steps[2] == "nodes" {
            let node = String(steps[3])
            // One that is on its way out can still be looked at.
            if !gateway.fleet.nodes.contains(node) { _ = try edition.node(node) }
            let rest = "/" + steps[4]
            return .statusd(node, try find(rest, Route.ofStatusd).route, rest)
        }
        if steps.count > 2, let node = try? edition.node(String(steps[1])) {
            let rest = String(head.path.dropFirst(node.name.count + 1))
            return .data(node, try find(rest, edition.routes(of: node)).route, rest)
        }
        let (route, values) = try find(head.path, Route.gateway)
        return .own(route, values)
    }

    func immediate(_ head: HTTPRequestHead) -> HTTPResponse? {
        let target: Target
        do throws(Problem) { target = try self.target(head) } catch { return .refusal(error) }
        if let refusal = door.refusal(head, as: target.route.role, log: gateway.log) { return refusal }
        guard case .own(let route, _) = target else { return nil }
        switch route.name {
        case .livez: return HTTPResponse(text: "ok\n")
        case .readyz, .startupz:
            let ready = gateway.watch.hasLooked
            return HTTPResponse(status: ready ? 200 : 503, text: ready ? "ok\n" : "starting\n")
        case .metrics: return HTTPResponse(text: metrics, contentType: "text/plain; version=0.0.4; charset=utf-8")
        case .openapi:
            return HTTPResponse(status: 200, headers: [("Content-Type", "application/json")], body: gateway.edition.document)
        case .schema:
            return HTTPResponse(status: 200, headers: [("Content-Type", "application/json")], body: IDFSchema.document.bytes)
        case .status: return .json(status)
        case .graph: return .json(liveGraph)
        default: return nil
        }
    }

    func bodyLimit(_ head: HTTPRequestHead) -> Int {
        let limits = gateway.configuration.limits
        // Reports come to parsers in packets, too, as base64 at worst.
        if head.path.hasSuffix("/v1/reports") { return limits.report.bytes }
        return head.path.hasSuffix("/v1/packets")
            ? max(limits.body.bytes, limits.report.bytes / 3 * 4 + 65536) : limits.body.bytes
    }

    func folderForLargeBody(_ head: HTTPRequestHead) -> String? {
        head.path.hasSuffix("/v1/reports") ? gateway.configuration.folderForLargeReports : nil
    }

    func cannotKeep(_ head: HTTPRequestHead, _ error: BulkError) -> HTTPResponse {
        .problem(Problem(507, "no-space", "the report \(error)"))
    }

    func tooLarge(_ head: HTTPRequestHead, limit: Int) -> HTTPResponse { .tooLarge(limit) }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        let head = request.head
        let target: Target
        do throws(Problem) { target = try self.target(head) } catch { return .refusal(error) }
        let route = target.route
        let caller = door.caller(head, as: route.role)
        let answer: HTTPResponse
        do throws(Problem) {
            switch target {
            case .own(let route, let values): answer = try await own(route, values, request, by: caller)
            case .statusd(let node, let route, let path): answer = await pass(request, toStatusdOf: node, route, path)
            case .data(let node, let route, let path): answer = await pass(request, to: node, route, path)
            }
        } catch {
            answer = .refusal(error)
        }
        if route.role == .operate {
            gateway.log.notice(
                "operated",
                metadata: [
                    "call": "\(head.method.rawValue) \(head.path)", "by": "\(caller)", "status": "\(answer.status)",
                    "generation": "\(gateway.edition.number)", Log.everyOne: "true",
                ])
        }
        return answer
    }

    private func own(
        _ route: Route, _ values: [String], _ request: HTTPRequest, by caller: String
    ) async throws(Problem) -> HTTPResponse {
        switch route.name {
        case .graphDocument, .generation: return try document(values.first, request.head)
        case .generations: return .json(.object(["data": .array(gateway.generations.all.map(\.json))]))
        case .editGraphDocument: return try await edit(request, by: caller)
        case .planGraph: return try plan(request)
        case .restoreGeneration: return try await restore(values.first, request.head, by: caller)
        case .packets, .reports: return try await takeIn(route, request)
        case .enrich: return try await enrich(request)
        case .start, .stop, .restart, .reload, .pause, .resume: return try await operate(route, request.head)
        case .checks: return checks()
        default: throw Problem(404, "unknown-path", "no such call here; GET /openapi.json lists them")
        }
    }
}

extension RouteProblem {
    /// The refusal without the list of all calls, which here are many.
    fileprivate func problem(_ path: String) -> Problem {
        switch self {
        case .unknown: Problem(404, "unknown-path", "no such call here; GET /openapi.json lists them")
        case .method(let allowed):
            Problem(405, "wrong-method", "\(path.prefix(100)) takes \(allowed.map(\.rawValue).joined(separator: ", "))")
        }
    }
}

extension HTTPResponse {
    /// A refusal; a wrong method also says in its header what is right.
    static func refusal(_ problem: Problem) -> HTTPResponse {
        var answer = HTTPResponse.problem(problem)
        if problem.status == 405, let right = problem.detail.split(separator: " takes ", maxSplits: 1).last {
            answer.headers.append(("Allow", String(right)))
        }
        if problem.status == 503 { answer.headers.append(("Retry-After", "1")) }
        return answer
    }
}
