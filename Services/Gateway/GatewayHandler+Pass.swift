import HTTP
import IDF
import ServiceKernel
import Workflow

extension GatewayHandler {
    private static let sent = [
        "Content-Type", "Content-Encoding", "Accept", "Prefer", "traceparent", "tracestate", "If-None-Match",
        Route.idempotencyKey,
    ]
    private static let returned = ["Content-Type", "ETag", "Cache-Control", "Retry-After", "Allow"]

    /// A request to a node's data port, with the gateway's own token: that of the caller stays here.
    func request(
        _ method: HTTPMethod, to node: Graph.Node, _ path: String, headers: [(name: String, value: String)] = [],
        body: [UInt8]? = nil
    ) -> HTTPClientRequest {
        let (configuration, settings) = (gateway.configuration, gateway.configuration.gateway)
        var request = HTTPClientRequest(
            method: method, url: node.server + path, headers: headers, body: body,
            timeoutMilliseconds: Int(configuration.limits.timeout.seconds * 1000), connectTimeoutMilliseconds: 3000,
            caFile: settings.ca, certificateFile: configuration.tls?.certificate, keyFile: configuration.tls?.key)
        if let token = settings.token { request.headers.append(("Authorization", "Bearer \(token.revealed)")) }
        return request
    }

    /// Passes a call on to a node's data port.
    func pass(_ request: HTTPRequest, to node: Graph.Node, _ route: Route, _ path: String) async -> HTTPResponse {
        let head = request.head
        let query = ControlSocket.text(head.query.map { ($0.name, $0.value) }.filter { $0.0 != "node" || route.name == .lookup })
        var outgoing = self.request(
            head.method, to: node, path + query,
            headers: Self.sent.compactMap { name in head.list(name).map { (name, $0) } })
        if head.method.route != .get {
            outgoing.content = request.content
            outgoing.timeoutMilliseconds = gateway.configuration.limits.timeout.milliseconds(forReportOf: request.content.count)
        }
        let answer: HTTPClientResponse
        do throws(HTTPClientError) { answer = try await gateway.client.send(outgoing) } catch {
            return .refusal(away(node, "\(error)"))
        }
        // An acknowledgement is only what the contract calls one: anything else may have dropped the data.
        if route.name == .packets || route.name == .reports, answer.status < 300, !isRepresentation(head) {
            let accepted = (try? JSONValue(parsing: answer.body))?["meta"]?["accepted"]?.integer
            guard accepted != nil, answer.status == 200 || answer.status == 202 else {
                return .refusal(strange(node, "answered \(answer.status) without saying what it has accepted"))
            }
        }
        return HTTPResponse(
            status: answer.status, headers: Self.returned.compactMap { name in answer.header(name).map { (name, $0) } },
            body: answer.body)
    }

    private func isRepresentation(_ head: HTTPRequestHead) -> Bool {
        head.header("Prefer")?.contains("return=representation") == true
    }

    func away(_ node: Graph.Node, _ why: String) -> Problem {
        Problem(503, "node-unavailable", "the node \(node.name) is \(gateway.watch.phase(node.name)) and does not answer: \(why)")
    }

    func absent(_ node: String) -> Problem {
        Problem(503, "node-unavailable", "the statusd of the node \(node) is not there; intelmqctl up starts it")
    }

    func strange(_ node: Graph.Node, _ what: String) -> Problem {
        Problem(
            502, "no-contract",
            "what listens at \(withoutUser(node.server)) for the node \(node.name) does not speak the service contract: it \(what); look at servers: in the graph and at who holds this address"
        )
    }

    /// Passes a call on to a node's statusd. What comes as a stream goes on as one.
    func pass(_ request: HTTPRequest, toStatusdOf node: String, _ route: Route, _ path: String) async -> HTTPResponse {
        let head = request.head
        let query = head.query.map { ($0.name, $0.value) }
        let socket = gateway.watch.statusd(node)
        if route.name == .tap || route.name == .logs && query.contains(where: { $0 == ("follow", "true") }) {
            return await stream(socket, node, route, path, query)
        }
        do throws(HTTPClientError) {
            let answer = try await socket.call(head.method.route, path, query, body: request.body)
            // Whoever looks next sees what has been done.
            if route.role == .operate { await gateway.lookAround() }
            return HTTPResponse(
                status: answer.status, headers: Self.returned.compactMap { name in answer.header(name).map { (name, $0) } },
                body: answer.body)
        } catch {
            return .refusal(absent(node))
        }
    }

    private func stream(
        _ socket: ControlSocket, _ node: String, _ route: Route, _ path: String, _ query: [(String, String)]
    ) async -> HTTPResponse {
        // A connection of its own: those that watch must not be in the way of those that operate.
        let socket = ControlSocket(socket.path)
        guard let alive = try? await socket.call(.get, "/livez", timeoutMilliseconds: 5000), alive.status == 200 else {
            return .refusal(absent(node))
        }
        if route.name == .tap {
            // A stream that has begun cannot be refused any more.
            do throws(Rejection) { _ = try Tap.Watch(query) } catch {
                return .problem(error.problem)
            }
        }
        return HTTPResponse.streamed(route.name == .tap ? "application/x-ndjson" : "text/plain; charset=utf-8") { writer in
            _ = try? await socket.stream(path, query) { writer.write(Array($0)) || !writer.isClosed }
        }
    }

    /// Hands data to a source of the workflow: the acknowledgement is that node's own.
    func takeIn(_ route: Route, _ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        let node = try gateway.edition.source(request.head.query.first { $0.name == "node" }?.value, for: route.name)
        return await pass(request, to: node, route, route.path)
    }
}
