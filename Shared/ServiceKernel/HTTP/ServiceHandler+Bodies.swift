import Archive
import Bulk
import HTTP
import IDF

/// Requests with a body: packets, reports, many look-ups at once.
extension ServiceHandler {
    func respond(to request: HTTPRequest) async -> HTTPResponse {
        let started = ContinuousClock.now
        let answer = await answer(request)
        answers.count(request.head.path, answer.status, since: started)
        return answer
    }

    private func answer(_ request: HTTPRequest) async -> HTTPResponse {
        var content = request.content
        if let encoding = request.head.header("Content-Encoding").flatMap({ ContentEncoding(rawValue: $0.lowercased()) }),
            encoding != .identity
        {
            do {
                content = try decode(
                    content, encoding: encoding, limit: bodyLimit(request.head), folder: folderForLargeBody(request.head))
            } catch {
                switch error.kind {
                case .tooLarge: return tooLarge(request.head, limit: bodyLimit(request.head), unpacked: true)
                case .notKept: return notKept("\(error)")
                default: return problem(Problem(400, "content-encoding", "the body cannot be decompressed: \(error)"))
                }
            }
        }
        switch Route.named(request.head.path).first {
        case .packets:
            if request.head.header("Prefer")?.contains("return=representation") == true { return representation(content.array) }
            return response(await service.take(bytes: content.array, trace: trace(request.head)))
        case .reports:
            let report = report(request.head, content)
            return response(await service.take(report, from: trace(request.head).map { Packet.Meta(trace: $0) }))
        case .lookupMany: return lookupMany(content.array)
        default: return problem(Problem(404, "unknown-path", "no such call here"))
        }
    }

    /// A raw body as a report: the query carries the fields of its feed, by their new, old or short names.
    private func report(_ head: HTTPRequestHead, _ content: BulkBytes) -> Report {
        var report = Report(content: content)
        // A string of RFC 8941, or, as many write it, without its quotes.
        if let key = head.header(Route.idempotencyKey)?.split(separator: "\"").first.map(String.init) {
            report.id = Report.id(named: key, content)
        }
        for (name, value) in head.query {
            if name == "file_name" || name == "extra.file_name" {
                report.fields.add(Key<String>.fileName.id, text: value)
            } else if let field = FieldID(name) ?? DHO.field(name) {
                report.fields.add(field, text: value)
            }
        }
        return report
    }

    private func representation(_ body: [UInt8]) -> HTTPResponse {
        do {
            let packet = try Packet(decoding: body, eventLimit: service.configuration.limits.events)
            return HTTPResponse(
                status: 200, headers: [("Content-Type", Packet.mediaType)], body: try service.represent(packet).encoded())
        } catch let error as PacketError {
            return .problems(error.problems)
        } catch let error as Rejection {
            return problem(error.problem)
        } catch {
            return problem(Problem(500, "internal", "\(error)"))
        }
    }

    private func response(_ answer: Answer) -> HTTPResponse {
        guard answer.isAccepted else {
            var response = HTTPResponse.problems(answer.problems)
            response.status = answer.status
            if let after = answer.retryAfter { response.headers.append(("Retry-After", String(Int(max(1, after.rounded(.up)))))) }
            return response
        }
        var meta: [JSONValue.Member] = [.init("accepted", .integer(answer.accepted))]
        if !answer.failed.isEmpty {
            meta.append(
                .init(
                    "failed",
                    .array(
                        answer.failed.prefix(100).map {
                            .object(["index": .integer($0.index), "code": .string($0.code), "detail": .string($0.detail)])
                        })))
            meta.append(.init("failed-count", .integer(answer.failed.count)))
        }
        var body = JSONValue.object(["jsonapi": .object(["version": .string("1.1")]), "meta": .object(meta)]).bytes
        body.append(0x0A)
        return HTTPResponse(status: answer.status, headers: [("Content-Type", Packet.mediaType)], body: body)
    }

    /// The trace that a request names (W3C Trace Context).
    private func trace(_ head: HTTPRequestHead) -> TraceParent? {
        head.header("traceparent").flatMap { TraceParent($0) }?.with(state: head.list("tracestate"))
    }
}
