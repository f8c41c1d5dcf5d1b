import Archive
import Bulk
import HTTP
import IDF
import Synchronization

/// Answers the calls of the service contract.
final class ServiceHandler: HTTPHandler {
    let service: Service
    private let routes: [Route.Name: Route]
    private let document: [UInt8]
    let answers = RequestDurations()
    let lookUpHeaders: Mutex<LookUpHeaders>

    init(_ service: Service) {
        self.service = service
        let worker = service.configuration.entry
        routes = Dictionary(uniqueKeysWithValues: Route.all(for: worker).map { ($0.name, $0) })
        document = Array(OpenAPI.document(of: worker).pretty().utf8) + [0x0A]
        lookUpHeaders = Mutex(LookUpHeaders(service))
        service.metrics.observe("intelmq_http_requests_total") { [answers] in answers.totals }
        service.metrics.observe("intelmq_http_request_duration_seconds") { [answers] in answers.histograms }
    }

    func immediate(_ head: HTTPRequestHead) -> HTTPResponse? {
        let started = ContinuousClock.now
        let answer = early(head)
        if let answer { answers.count(head.path, answer.status, since: started) }
        return answer
    }

    private func early(_ head: HTTPRequestHead) -> HTTPResponse? {
        let path = head.path
        // Look-ups are asked for by the ten thousand a second, so they come first.
        if path.hasPrefix("/v1/lookup/"), head.method.route == .get, routes[.lookup] != nil {
            return service.door.refusal(head, as: .data) ?? lookup(path, head)
        }
        guard let name = Route.named(path).first, let route = routes[name] else {
            return problem(Problem(404, "unknown-path", "no such call here; GET /openapi.json lists them"))
        }
        guard head.method.route == route.method else {
            var answer = problem(Problem(405, "wrong-method", "\(path) takes \(route.method.rawValue)"))
            answer.headers.append(("Allow", route.method == .get ? "GET, HEAD" : route.method.rawValue))
            return answer
        }
        if let refusal = service.door.refusal(head, as: route.role) { return refusal }
        switch name {
        case .lookup: return lookup(path, head)
        case .livez, .startupz: return HTTPResponse(text: "ok\n")
        case .readyz: return readiness(head)
        case .metrics: return HTTPResponse(metrics: service, head)
        case .openapi: return HTTPResponse(status: 200, headers: [("Content-Type", "application/json")], body: document)
        case .packets, .reports, .lookupMany: return refusal(route, head)
        default: return nil
        }
    }

    private func readiness(_ head: HTTPRequestHead) -> HTTPResponse {
        let ready = service.isReady
        guard head.query.contains(where: { $0.name == "verbose" }) else {
            return HTTPResponse(status: ready ? 200 : 503, text: ready ? "ok\n" : "\(service.phase)\n")
        }
        if let refusal = service.door.refusal(head, as: .read) { return refusal }
        var lines = [
            ready ? "[+] accepting packets" : "[-] \(service.phase)", "[+] configuration of \(service.configuration.name)",
        ]
        if let spool = service.spool {
            let status = spool.status()
            lines.append("[+] spool: \(status.packets) packets, \(status.bytes) bytes")
        }
        for edge in service.edges { lines.append("[\(edge.isDown.load(ordering: .relaxed) ? "-" : "+")] edge \(edge.name)") }
        return HTTPResponse(status: ready ? 200 : 503, text: lines.joined(separator: "\n") + "\n")
    }

    /// Refuses a body by its head: media type and encoding.
    private func refusal(_ route: Route, _ head: HTTPRequestHead) -> HTTPResponse? {
        if let encoding = head.header("Content-Encoding"), ContentEncoding(rawValue: encoding.lowercased()) == nil {
            return problem(
                Problem(
                    415, "content-encoding", "the encoding \"\(encoding.prefix(40))\" is not read here; send gzip, zstd or none"))
        }
        guard !route.accepts.contains("*/*") else { return nil }
        let sent = head.header("Content-Type") ?? ""
        let media = sent.prefix { $0 != ";" }.trimmed.lowercased()
        let parameters = sent.dropFirst(media.utf8.count).split(separator: ";").map(\.trimmed).filter { !$0.isEmpty }
        let isJSONAPI = media == "application/vnd.api+json"
        // JSON:API 1.1 allows no parameter but ext and profile.
        let strange = isJSONAPI ? parameters.first { !$0.hasPrefix("ext=") && !$0.hasPrefix("profile=") } : nil
        guard route.accepts.contains(media), strange == nil else {
            let found = sent.isEmpty ? "no Content-Type" : "Content-Type \"\(sent.prefix(80))\""
            return problem(Problem(415, "media-type", "found \(found), wanted \(route.accepts.joined(separator: " or "))"))
        }
        return nil
    }

    func bodyLimit(_ head: HTTPRequestHead) -> Int {
        let limits = service.configuration.limits
        if head.path == "/v1/reports" { return limits.report.bytes }
        // Reports of collectors come to parsers in packets, as base64 at worst.
        return service.configuration.entry.family == .parser
            ? max(limits.body.bytes, limits.report.bytes / 3 * 4 + 65536) : limits.body.bytes
    }

    func tooLarge(_ head: HTTPRequestHead, limit: Int) -> HTTPResponse {
        answers.count(head.path, 413, since: .now)
        return tooLarge(head, limit: limit, unpacked: false)
    }

    func folderForLargeBody(_ head: HTTPRequestHead) -> String? {
        head.path == "/v1/reports" ? service.folderForLargeReports : nil
    }

    func cannotKeep(_ head: HTTPRequestHead, _ error: BulkError) -> HTTPResponse {
        let answer = notKept("\(error)")
        answers.count(head.path, answer.status, since: .now)
        return answer
    }

    func notKept(_ reason: String) -> HTTPResponse { problem(Problem(507, "no-space", "the report \(reason)")) }

    func tooLarge(_ head: HTTPRequestHead, limit: Int, unpacked: Bool) -> HTTPResponse {
        let isReport = head.path == "/v1/reports" || service.configuration.entry.family == .parser
        let setting = isReport ? "limits.report" : "limits.body"
        let found = unpacked ? "more after decompression" : head.contentLength.map { "\($0) bytes" } ?? "a longer body"
        return problem(
            Problem(413, "too-large", "found \(found), the limit is \(limit) bytes (\(setting)); send smaller bodies or raise it")
        )
    }

    func problem(_ one: Problem) -> HTTPResponse { .problem(one) }
}

extension StringProtocol {
    /// Without blanks and tabs at both ends.
    var trimmed: String {
        let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
        return String(drop(while: blank).reversed().drop(while: blank).reversed())
    }
}
