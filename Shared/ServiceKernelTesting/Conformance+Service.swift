import Glibc
import HTTP
import IDF
import ServiceKernel

extension Conformance {
    /// The same service that people run, on a real socket.
    func service(_ folder: TemporaryFolder) async -> [String] {
        var text = "worker: \(entry.name)\nlisten: 127.0.0.1:0\nstate: \(folder.path)/state\nlog: {level: critical}\n"
        text += "limits: {body: 64 KiB, report: 64 KiB, events: 20, drain: 3 s}\n"
        if entry.family != .output { text += "edges: [{to: \"file://\(folder.path)/edge.ndjson\"}]\n" }
        let settings = settings(folder)
        if !settings.isEmpty { text += "settings:\n" + settings.map { "  \($0.name): \($0.text)\n" }.joined() }
        let runner: ServiceRunner
        do throws(ConfigurationError) {
            runner = try ServiceRunner(try readConfiguration(text, entry))
        } catch {
            return ["the service does not start:\n\(error)"]
        }
        let (signals, signal) = AsyncStream.makeStream(of: Int32.self)
        let running = Task { await runner.run(signals: signals) }
        var calls = ServiceCalls(base: "http://127.0.0.1:\(runner.port)")
        await calls.operating()
        await calls.mistakes()
        if entry.family != .collector { await calls.packets(resource: entry.family == .parser ? "report" : "event") }
        if let lookup = entry.spec.lookup { await calls.lookup(lookup) }
        let begin = ContinuousClock.now
        signal.yield(SIGTERM)
        await running.value
        let spent = ContinuousClock.now - begin
        // The machine may be busy with other tests.
        if spent > .seconds(15) { calls.failures.append("SIGTERM took \(spent); the limit to drain is 3 s") }
        if await calls.answers("/livez") { calls.failures.append("the service still answers after it has stopped") }
        return calls.failures
    }
}

/// Calls of one service and what was wrong with their answers.
struct ServiceCalls {
    let base: String
    let client = HTTPClient()
    var failures: [String] = []

    typealias Headers = [(name: String, value: String)]
    static let packetHeaders: Headers = [("Content-Type", Packet.mediaType)]

    init(base: String) { self.base = base }

    func answers(_ path: String) async -> Bool {
        (try? await client.send(HTTPClientRequest(url: base + path, timeoutMilliseconds: 2000))) != nil
    }

    /// Sends a request; the answer's status must be one of those wanted.
    @discardableResult
    mutating func call(
        _ method: HTTPMethod, _ path: String, _ headers: Headers = [], body: [UInt8]? = nil, wanted: [Int], _ what: String
    ) async -> HTTPClientResponse? {
        let request = HTTPClientRequest(
            method: method, url: base + path, headers: headers, body: body, timeoutMilliseconds: 10_000)
        do throws(HTTPClientError) {
            let answer = try await client.send(request)
            if !wanted.contains(answer.status) {
                let text = String(decoding: answer.body.prefix(300), as: UTF8.self)
                failures.append("\(what): \(method.rawValue) \(path) answered \(answer.status), expected \(wanted): \(text)")
            }
            return answer
        } catch {
            failures.append("\(what): \(method.rawValue) \(path) got no answer: \(error)")
            return nil
        }
    }

    /// The same, for what must be refused: the answer is a JSON:API error document with such parts in its text.
    mutating func refusal(
        _ method: HTTPMethod, _ path: String, _ headers: Headers = [], body: [UInt8]? = nil, status: Int,
        says parts: [String] = [], _ what: String
    ) async {
        guard let answer = await call(method, path, headers, body: body, wanted: [status], what), answer.status == status else {
            return
        }
        let first = (try? JSONValue(parsing: answer.body))?["errors"]?.items?.first
        let isComplete = ["status", "code", "title", "detail"].allSatisfy { first?[$0]?.string?.isEmpty == false }
        if !isComplete || first?["status"]?.string != String(status) {
            failures.append(
                "\(what): the answer is no error document: \(String(decoding: answer.body.prefix(300), as: UTF8.self))")
        }
        if answer.header("Content-Type") != Packet.mediaType { failures.append("\(what): the media type of the error is wrong") }
        let text = String(decoding: answer.body, as: UTF8.self)
        for part in parts where !text.contains(part) { failures.append("\(what): \(part) is missing in \(text)") }
    }

    mutating func operating() async {
        for path in ["/livez", "/readyz", "/startupz", "/readyz?verbose"] { await call(.get, path, wanted: [200], "health") }
        await call(.head, "/livez", wanted: [200], "health by HEAD")
        if let page = await call(.get, "/metrics", wanted: [200], "metrics") {
            metrics(String(decoding: page.body, as: UTF8.self))
        }
        if let document = await call(.get, "/openapi.json", wanted: [200], "document"),
            (try? JSONValue(parsing: document.body)) == nil
        {
            failures.append("/openapi.json is not valid JSON")
        }
    }

    private mutating func metrics(_ page: String) {
        var types: Set<Substring> = []
        for line in page.split(separator: "\n") {
            let words = line.split(separator: " ")
            if line.hasPrefix("# HELP ") { continue }
            if line.hasPrefix("# TYPE ") {
                let isNew = words.count == 4 && types.insert(words[2]).inserted
                if !isNew || !["counter", "gauge", "histogram"].contains(words[3]) { failures.append("metrics: \(line)") }
                continue
            }
            let name = line.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
            let family =
                ["_bucket", "_sum", "_count"].lazy.filter { name.hasSuffix($0) }.map { name.dropLast($0.count) }.first ?? name
            let rest = line.dropFirst(name.count)
            let isLabelled = rest.first == " " || rest.first == "{" && rest.contains("} ")
            let isKnown = types.contains(name) || types.contains(family)
            // What every program has is called as every program calls it.
            let isOurs = name.hasPrefix("intelmq_") || name.hasPrefix("process_")
            if !isOurs || !isLabelled || !isKnown || Double(words.last ?? "") == nil {
                failures.append("metrics: \(line)")
            }
        }
        if !page.contains("intelmq_build_info{") { failures.append("metrics: there is no intelmq_build_info") }
    }

    mutating func mistakes() async {
        await refusal(.get, "/v1/nowhere", status: 404, "an unknown path")
        let answer = await call(.post, "/livez", body: [], wanted: [405], "a wrong method")
        if answer?.header("Allow")?.contains("GET") != true { failures.append("a wrong method: no Allow header") }
    }

    mutating func lookup(_ field: FieldID) async {
        var event = Event()
        if !event.add(field, text: "not-a-value!") {
            await refusal(
                .get, "/v1/lookup/not-a-value!", status: 422, says: [field.field.type.wanted], "a look-up of a wrong value")
        }
        await call(
            .post, "/v1/lookup", [("Content-Type", "application/json")], body: Array("[]".utf8), wanted: [200],
            "a look-up of nothing")
    }

    mutating func packets(resource: String) async {
        let head = #"{"meta":{"format-name":"IntelMQ-IDF","version":"3.1"},"data":["#
        func packet(_ attributes: String, copies: Int = 1) -> [UInt8] {
            let one = #"{"type":"\#(resource)","attributes":{\#(attributes)}}"#
            return Array((head + Array(repeating: one, count: copies).joined(separator: ",") + "]}").utf8)
        }
        let path = "/v1/packets"
        let json = Self.packetHeaders
        await call(.post, path, json, body: Array((head + "]}").utf8), wanted: [200, 202], "an empty packet")
        await call(
            .post, path, [("Content-Type", "application/json")], body: Array((head + "]}").utf8), wanted: [200, 202], "plain JSON"
        )
        await refusal(
            .post, path, json, body: Array("{\n  \"meta\": nonsense}".utf8), status: 400, says: [#""line":2"#, #""column":"#],
            "malformed JSON")
        await refusal(.post, path, json, body: [], status: 400, "an empty body")
        await refusal(.post, path, json, body: Array(head.utf8), status: 400, says: ["cut off"], "half a packet")
        await refusal(
            .post, path, [("Content-Type", "text/plain")], body: packet(""), status: 415, says: [Packet.mediaType], "text/plain")
        let encoded = json + [("Content-Encoding", "br")]
        await refusal(.post, path, encoded, body: packet(""), status: 415, says: ["gzip"], "an unknown encoding")
        await refusal(
            .post, path, json, body: [UInt8](repeating: 0x20, count: 200_000), status: 413, says: ["bytes", "limits."],
            "a body over the limit")
        await refusal(
            .post, path, json, body: packet("", copies: 21), status: 413, says: ["20", "limits.events"],
            "more events than the limit")
        await refusal(
            .post, path, json, body: packet(#""source":{"ipp":"192.0.2.1"}"#), status: 422,
            says: [#""pointer":"/data/0/attributes/source/ipp""#, "source.ip"], "an unknown field")
        await refusal(
            .post, path, json, body: packet(#""source":{"port":"eighty"}"#), status: 422,
            says: [#""pointer":"/data/0/attributes/source/port""#, "wrong-type"], "a wrong type")
        await refusal(.post, path, json, body: Array(#"{"source.ip": "192.0.2.1"}"#.utf8), status: 422, "an old message")
        let other = resource == "report" ? "event" : "report"
        let wrong = Array((head + #"{"type":"\#(other)","attributes":{}}]}"#).utf8)
        // Outputs may take reports one day; nothing may fail inside.
        await call(.post, path, json, body: wrong, wanted: [200, 202, 422], "the other resource")
    }
}
