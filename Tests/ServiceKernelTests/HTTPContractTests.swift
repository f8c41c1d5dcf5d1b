import Glibc
import HTTP
import IDF
import ServiceKernelTesting
import TestSupport
import Testing

@testable import ServiceKernel

/// A running service with its port.
private struct Running {
    let runner: ServiceRunner
    let task: Task<Void, Never>
    let signal: AsyncStream<Int32>.Continuation
    let client = HTTPClient()
    var base: String { "http://127.0.0.1:\(runner.port)" }

    init(_ text: String) throws {
        runner = try ServiceRunner(try configuration("listen: 127.0.0.1:0\nlog: {level: critical}\n" + text))
        let (signals, continuation) = AsyncStream.makeStream(of: Int32.self)
        signal = continuation
        task = Task { [runner] in await runner.run(signals: signals) }
    }

    func call(
        _ method: HTTPMethod, _ path: String, _ headers: [(name: String, value: String)] = [], _ body: [UInt8]? = nil
    ) async throws -> HTTPClientResponse {
        try await client.send(
            HTTPClientRequest(method: method, url: base + path, headers: headers, body: body, timeoutMilliseconds: 20_000))
    }

    func post(_ body: [UInt8], _ headers: [(name: String, value: String)] = []) async throws -> HTTPClientResponse {
        try await call(.post, "/v1/packets", [("Content-Type", Packet.mediaType)] + headers, body)
    }

    func stop() async {
        signal.yield(SIGTERM)
        await task.value
    }
}

private func text(_ answer: HTTPClientResponse) -> String { String(decoding: answer.body, as: UTF8.self) }

@Suite struct HTTPContractTests {
    @Test func lookups() async throws {
        let service = try Running("worker: obedient-expert\n")
        let known = try await service.call(.get, "/v1/lookup/192.0.2.1")
        #expect(known.status == 200)
        #expect(known.header("ETag") == "\"build-1\"")
        #expect(known.header("Cache-Control") != nil)
        let data = try JSONValue(parsing: known.body)["data"]
        #expect(data?["id"]?.string == "192.0.2.1")
        #expect(data?["attributes"]?["event"]?["reason"]?.string == "done")
        for tag in ["\"build-1\"", "\"other\", \"build-1\"", "W/\"build-1\"", "*"] {
            let answer = try await service.call(.get, "/v1/lookup/192.0.2.1", [("If-None-Match", tag)])
            #expect(answer.status == 304, "\(tag)")
            #expect(answer.body.isEmpty)
        }
        #expect(try await service.call(.get, "/v1/lookup/192.0.2.1", [("If-None-Match", "\"build-2\"")]).status == 200)
        let field = try await service.call(.get, "/v1/lookup/192.0.2.1/event.reason")
        #expect(text(field) == "done\n")
        #expect(field.header("Content-Type")?.hasPrefix("text/plain") == true)
        #expect(try await service.call(.get, "/v1/lookup/192.0.2.99/event.reason").status == 404)
        #expect(try await service.call(.get, "/v1/lookup/192.0.2.1/no.such.field").status == 404)
        #expect(try await service.call(.get, "/v1/lookup/nonsense").status == 422)
        #expect(try await service.call(.get, "/v1/lookup/").status == 422)
        #expect(try await service.call(.get, "/v1/lookup/2001%3Adb8%3A%3A1").status == 200)
        #expect(try await service.call(.get, "/v1/lookup/2001:db8::1").status == 200)
        #expect(try await service.call(.head, "/v1/lookup/192.0.2.1").status == 200)
        let many = try await service.call(
            .post, "/v1/lookup", [("Content-Type", "application/json")],
            Array(#"["192.0.2.1","x",5,null,{"a":[]},"192.0.2.2"]"#.utf8))
        #expect(many.status == 200)
        let lines = many.body.split(separator: 10)
        #expect(lines.count == 6)
        #expect(try JSONValue(parsing: lines[0])["data"]?["id"]?.string == "192.0.2.1")
        #expect(try JSONValue(parsing: lines[1])["errors"]?.items?.first?["status"]?.string == "422")
        #expect(try JSONValue(parsing: lines[5])["data"]?["id"]?.string == "192.0.2.2")
        let plain = try await service.call(
            .post, "/v1/lookup", [("Content-Type", "text/plain")], Array("192.0.2.1\r\n\"192.0.2.2\"\n".utf8))
        #expect(plain.body.split(separator: 10).count == 2)
        #expect(try JSONValue(parsing: plain.body.split(separator: 10)[1])["data"]?["id"]?.string == "192.0.2.2")
        #expect(
            try await service.call(.post, "/v1/lookup", [("Content-Type", "application/json")], Array("[1,".utf8)).status == 400)
        await service.stop()
    }

    @Test func representation() async throws {
        let service = try Running("worker: obedient-expert\nedges: [http://127.0.0.1:1]\n")
        let given = packet("one", "drop", "two")
        let answer = try await service.post(given.encoded(), [("Prefer", "return=representation")])
        #expect(answer.status == 200)
        let back = try Packet(decoding: answer.body)
        #expect(back.events.map(\.id) == [given.events[0].id, given.events[2].id])
        #expect(back.events.allSatisfy { $0[Key<String>("event.reason")] == "done" })
        #expect(try await service.post(packet("unavailable").encoded(), [("Prefer", "return=representation")]).status == 503)
        #expect(try await service.post(packet("malformed").encoded(), [("Prefer", "return=representation")]).status == 422)
        #expect(try await service.post([0x7B], [("Prefer", "return=representation")]).status == 400)
        // Without it the packet goes on, and the next hop is not there.
        let forwarded = try await service.post(given.encoded())
        #expect(forwarded.status == 503)
        #expect(Int(forwarded.header("Retry-After") ?? "") != nil)
        await service.stop()
    }

    @Test func compressedBodies() async throws {
        let folder = TemporaryFolder()
        let service = try Running("worker: obedient-expert\nlimits: {body: 64 KiB}\nedges: [\"file://\(folder.path)/out\"]\n")
        let gzip: [(name: String, value: String)] = [("Content-Encoding", "gzip")]
        let good = storedGzip(packet("one").encoded())
        #expect(try await service.post(good, gzip).status == 200)
        #expect(try await service.post(Array(good.dropLast(5)), gzip).status == 400)
        #expect(try await service.post(Array("no gzip".utf8), gzip).status == 400)
        #expect(try await service.post([], gzip).status == 400)
        let bomb = try #require(Base64.decode(gzipOfZeros.utf8))
        let answer = try await service.post(bomb, gzip)
        #expect(answer.status == 413, "\(text(answer))")
        await service.stop()
    }

    @Test func retryAfterOfWorkers() async throws {
        let service = try Running("worker: obedient-expert\n")
        let limited = try await service.post(packet("limited").encoded())
        #expect(limited.status == 429)
        #expect(limited.header("Retry-After") == "7")
        #expect(try await service.post(packet("unavailable").encoded()).header("Retry-After") == "1")
        await service.stop()
    }

    @Test func reports() async throws {
        let folder = TemporaryFolder()
        let out = "\(folder.path)/out"
        let service = try Running("worker: line-parser\nstate: \(folder.path)/state\nack: relay\nedges: [\"file://\(out)\"]\n")
        let body = Array("one\nbad\ntwo\n".utf8)
        let answer = try await service.call(
            .post, "/v1/reports?feed.name=My%20feed&file_name=x.txt&nonsense=1&source.ip=bad", [("Content-Type", "text/csv")],
            body)
        #expect(answer.status == 200, "\(text(answer))")
        let meta = try JSONValue(parsing: answer.body)["meta"]
        #expect(meta?["accepted"]?.integer == 2)
        #expect(meta?["failed-count"]?.integer == 1)
        #expect(meta?["failed"]?.items?.first?["detail"]?.string == "a bad row")
        let written = try #require(readFile(out))
        let events = try written.split(separator: 10).flatMap { try Packet(decoding: Array($0)).events }
        #expect(events.compactMap { $0[Key<String>("message")] } == ["one", "two"])
        #expect(events.allSatisfy { $0[.feedName] == "My feed" })
        #expect(try await service.call(.post, "/v1/reports", [], Array("stop".utf8)).status == 422)
        await service.stop()
    }

    /// A sender that has not heard the answer sends the report again.
    @Test func theSameReportAgain() async throws {
        let folder = TemporaryFolder()
        let service = try Running("worker: line-parser\nstate: \(folder.path)/state\nedges: [\"file://\(folder.path)/out\"]\n")
        let key = UUID.v7()
        for (written, wanted) in [("\"\(key)\"", 1), ("\(key)", 1), ("\"monday\"", 2), ("monday", 2), ("\"\"", 3), ("\"\"", 4)] {
            let answer = try await service.call(
                .post, "/v1/reports", [("Idempotency-Key", written), ("Content-Type", "text/csv")], Array("one\n".utf8))
            #expect(answer.status == 202)
            #expect(
                await eventually { readFile("\(folder.path)/out").map { $0.count { $0 == 10 } } == wanted },
                "\(written) \(wanted)")
        }
        // The same name for something else is no repetition.
        let other = try await service.call(.post, "/v1/reports", [("Idempotency-Key", "monday")], Array("two\n".utf8))
        #expect(other.status == 202)
        #expect(await eventually { readFile("\(folder.path)/out").map { $0.count { $0 == 10 } } == 5 })
        await service.stop()
    }

    @Test func wrongCalls() async throws {
        let service = try Running("worker: obedient-expert\n")
        #expect(try await service.call(.get, "/").status == 404)
        #expect(try await service.call(.post, "/v1/reports", [], []).status == 404, "an expert takes no reports")
        for (method, path, allowed) in [
            (HTTPMethod.get, "/v1/packets", "POST"), (.delete, "/livez", "GET, HEAD"), (.get, "/v1/lookup", "POST"),
        ] {
            let answer = try await service.call(method, path)
            #expect(answer.status == 405)
            #expect(answer.header("Allow") == allowed)
        }
        let answer = try await service.call(
            .post, "/v1/packets", [("Content-Type", "application/vnd.api+json; charset=utf-8")], packet("a").encoded())
        #expect(answer.status == 415, "JSON:API allows no other parameters")
        await service.stop()
    }

    /// Two services in a row: an answer means that the second one has it.
    @Test func chain() async throws {
        let folder = TemporaryFolder()
        let last = try Running("worker: memory-output\nsettings: {path: \(folder.path)/out}\n")
        let first = try Running("worker: obedient-expert\nedges: [\(last.base)]\n")
        #expect(try await first.post(packet("one", "drop", "two").encoded()).status == 200)
        #expect(readFile("\(folder.path)/out").map { String(decoding: $0, as: UTF8.self) } == "one\ntwo\n")
        #expect(try await first.post(packet("away").encoded()).status == 503)
        await last.stop()
        #expect(try await first.post(packet("one").encoded()).status == 503)
        let page = text(try await first.call(.get, "/metrics"))
        #expect(page.contains("intelmq_events_received_total 3\n"))
        #expect(page.contains("intelmq_events_dropped_total{reason=\"told-to\"} 1\n"))
        #expect(page.contains("intelmq_packet_duration_seconds_bucket{le=\"+Inf\"} 3\n"))
        await first.stop()
    }

    /// What a next hop says about later is data from outside.
    @Test(arguments: ["inf", "nan", "-5", "1e300", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999999999999", "", "3"])
    func strangeRetryAfter(_ value: String) async throws {
        struct Busy: HTTPHandler {
            let value: String
            func immediate(_ head: HTTPRequestHead) -> HTTPResponse? { nil }
            func bodyLimit(_ head: HTTPRequestHead) -> Int { 1 << 20 }
            func respond(to request: HTTPRequest) async -> HTTPResponse {
                HTTPResponse(status: 503, headers: [("Retry-After", value)], body: [])
            }
        }
        let next = try HTTPServer(HTTPServerConfiguration(port: 0), handler: Busy(value: value))
        let service = try Running("worker: obedient-expert\nedges: [\"http://127.0.0.1:\(next.port)\"]\n")
        let answer = try await service.post(packet("one").encoded())
        #expect(answer.status == 503)
        let seconds = try #require(Int(answer.header("Retry-After") ?? ""))
        #expect((1...86_400).contains(seconds))
        await service.stop()
        await next.stop()
    }

    @Test func draining() async throws {
        let service = try Running("worker: obedient-expert\nlimits: {drain: 10 min}\n")
        #expect(text(try await service.call(.get, "/readyz")) == "ok\n")
        service.runner.service.drain()
        #expect(try await service.call(.get, "/readyz").status == 503)
        #expect(try await service.call(.get, "/livez").status == 200)
        let refused = try await service.post(packet("one").encoded())
        #expect(refused.status == 503)
        #expect(refused.header("Retry-After") != nil)
        let begin = ContinuousClock.now
        await service.stop()
        #expect(ContinuousClock.now - begin < .seconds(60), "nothing is open, so nothing is waited for")
    }
}

/// gzip without compression (RFC 1951, stored blocks), so that the test needs no compressor.
private func storedGzip(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255, 1]
    let length = UInt16(bytes.count)
    for value in [length, ~length] { out += [UInt8(value & 255), UInt8(value >> 8)] }
    out += bytes
    var sum: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
        sum ^= UInt32(byte)
        for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    for value in [~sum, UInt32(bytes.count)] {
        for shift in [0, 8, 16, 24] as [UInt32] { out.append(UInt8(value >> shift & 255)) }
    }
    return out
}

/// A million zeros.
private let gzipOfZeros = "H4sIAAAAAAAC/+3BAQEAAACCIP+vbkhAAQ" + String(repeating: "A", count: 1290) + "rwaey3kSQEIPAA=="
