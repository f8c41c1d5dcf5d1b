import Bulk
import Foundation
import HTTP
import Synchronization
import TestSupport
import Testing

@Suite("HTTP client")
struct HTTPClientTests {
    @Test("A hundred posts at once, every answer its own", arguments: [1, 3])
    func parallel(threads: Int) async throws {
        let client = HTTPClient()
        try await withServer(TestHandler(), HTTPServerConfiguration(threads: threads)) { server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<100 {
                    group.addTask {
                        let body = noise(index * 1000)
                        let path = index % 5 == 0 ? "slow" : "post"
                        let answer = try await client.send(
                            HTTPClientRequest(
                                method: .post, url: "http://127.0.0.1:\(server.port)/\(path)",
                                headers: [("Content-Type", "application/octet-stream")], body: body))
                        #expect(answer.status == 200)
                        #expect(String(decoding: answer.body, as: UTF8.self) == expected("POST", body))
                    }
                }
                try await group.waitForAll()
            }
            #expect(server.openConnections <= 16)
        }
    }

    @Test("Methods, headers and queries arrive; answers show theirs")
    func requests() async throws {
        let client = HTTPClient()
        try await withServer { server in
            let base = "http://127.0.0.1:\(server.port)"
            let echo = try await client.send(HTTPClientRequest(url: base + "/echo?a=b%20c", headers: [("X-Test", "v")]))
            #expect(String(decoding: echo.body, as: UTF8.self) == "a=b c|v")
            #expect(echo.header("content-TYPE") == "text/plain; charset=utf-8")
            #expect(echo.headers.contains { $0.name == "Content-Length" })
            #expect(echo.header("none") == nil)
            let head = try await client.send(HTTPClientRequest(method: .head, url: base + "/hello"))
            #expect(head.status == 200 && head.body.isEmpty && head.header("Content-Length") == "6")
            let put = try await client.send(HTTPClientRequest(method: .put, url: base + "/post", body: noise(9)))
            #expect(String(decoding: put.body, as: UTF8.self) == expected("PUT", noise(9)))
            for body in [nil, []] as [[UInt8]?] {
                let empty = try await client.send(HTTPClientRequest(method: .post, url: base + "/post", body: body))
                #expect(String(decoding: empty.body, as: UTF8.self) == expected("POST", []))
            }
            #expect(try await client.send(HTTPClientRequest(method: .delete, url: base + "/x")).status == 405)
            #expect(
                try await client.send(HTTPClientRequest(method: .post, url: base + "/json", body: noise(500_000))).status == 415)
            #expect(
                try await client.send(HTTPClientRequest(method: .post, url: base + "/post", body: noise(1_000_001))).status == 413
            )
        }
    }

    @Test("A body in a file arrives whole, also over a connection that had died meanwhile")
    func bulk() async throws {
        let client = HTTPClient()
        let body = noise(900_000)
        var writer = BulkWriter(directory: FileManager.default.temporaryDirectory.path, threshold: 1000)
        try body.withUnsafeBufferPointer { try writer.append($0) }
        let content = try writer.finish()
        #expect(content.isFile)
        for _ in 0..<2 {
            try await withServer(TestHandler(), HTTPServerConfiguration(connectionTimeout: 1)) { server in
                for pause in [0, 0, 1500] {
                    try await Task.sleep(for: .milliseconds(pause))
                    var request = HTTPClientRequest(method: .post, url: "http://127.0.0.1:\(server.port)/post")
                    request.content = content
                    let answer = try await client.send(request)
                    #expect(String(decoding: answer.body, as: UTF8.self) == expected("POST", body))
                }
            }
        }
        #expect(HTTPClientRequest.query([("a b", "ü&=%"), ("n", "1-2_3.4~")]) == "?a%20b=%C3%BC%26%3D%25&n=1-2_3.4~")
        #expect(HTTPClientRequest.query([]) == "")
    }

    @Test("Redirects: an answer, followed, or too many; never to another scheme")
    func redirects() async throws {
        let client = HTTPClient()
        try await withServer { server in
            let base = "http://user:secret@127.0.0.1:\(server.port)"
            let plain = try await client.send(HTTPClientRequest(url: base + "/redirect?n=1"))
            #expect(plain.status == 302 && plain.header("Location") == "/redirect?n=0")
            let followed = try await client.send(HTTPClientRequest(url: base + "/redirect?n=2", followRedirects: 3))
            #expect(followed.body == Array("hello\n".utf8))
            #expect(followed.effectiveURL == "http://127.0.0.1:\(server.port)/hello")
            #expect(followed.header("Location") == nil)
            let many = await failure { try await client.send(HTTPClientRequest(url: base + "/redirect?n=9", followRedirects: 3)) }
            guard case .tooManyRedirects(3)? = many else {
                Issue.record("\(String(describing: many))")
                return
            }
            let other = await failure {
                try await client.send(HTTPClientRequest(url: base + "/redirect-ftp", followRedirects: 3))
            }
            guard case .badRequest? = other else {
                Issue.record("\(String(describing: other))")
                return
            }
        }
    }

    @Test("The response limit, announced or not, and chunks")
    func limits() async throws {
        let client = HTTPClient()
        try await withServer { server in
            let url = "http://127.0.0.1:\(server.port)/big"
            let error = await failure { try await client.send(HTTPClientRequest(url: url, responseLimit: 2_999_999)) }
            guard case .tooLarge(2_999_999)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(try await client.send(HTTPClientRequest(url: url, responseLimit: 3_000_000)).body.count == 3_000_000)
            let seen = Mutex((bytes: 0, chunks: 0))
            let answer = try await client.send(HTTPClientRequest(url: url)) { chunk in
                seen.withLock { $0 = ($0.bytes + chunk.count, $0.chunks + 1) }
                return true
            }
            #expect(answer.status == 200 && answer.body.isEmpty)
            #expect(seen.withLock { $0.bytes } == 3_000_000)
            #expect(seen.withLock { $0.chunks } > 1)
            let stopped = await failure { try await client.send(HTTPClientRequest(url: url)) { _ in false } }
            guard case .cancelled? = stopped else {
                Issue.record("\(String(describing: stopped))")
                return
            }
            let missing = try await client.send(HTTPClientRequest(url: url + "ger")) { _ in false }
            #expect(missing.status == 404 && missing.body == Array("no".utf8))
        }
    }

    @Test("Errors have their kind and name the place, not the secret")
    func errors() async throws {
        let client = HTTPClient()
        try await withServer { server in
            let free = try HTTPServer(HTTPServerConfiguration(), handler: TestHandler())
            let port = free.port
            await free.stop()
            let base = "user:secret@127.0.0.1:"
            let cases: [(HTTPClientRequest, String)] = [
                (HTTPClientRequest(url: "http://\(base)\(port)/?token=secret"), "connect"),
                (
                    HTTPClientRequest(url: "http://user:secret@no.such.name.invalid/", timeoutMilliseconds: 8000),
                    "connect timeout"
                ),
                (HTTPClientRequest(url: "http://\(base)\(server.port)/never?secret", timeoutMilliseconds: 200), "timeout"),
                (HTTPClientRequest(url: "https://\(base)\(server.port)/secret"), "tls"),
                (HTTPClientRequest(url: "http://\(base)notaport/secret"), "badRequest"),
                (HTTPClientRequest(url: "file:///etc/passwd"), "badRequest"),
                (HTTPClientRequest(url: "gopher://secret/"), "badRequest"),
                (HTTPClientRequest(url: ""), "badRequest"),
                (HTTPClientRequest(url: "http://a\0b/"), "badRequest"),
                (HTTPClientRequest(url: "http://a/", headers: [("X", "a\r\nB: secret")]), "badRequest"),
                (HTTPClientRequest(url: "http://a/", headers: [("X Y", "secret")]), "badRequest"),
                (HTTPClientRequest(method: .other, url: "http://a/secret"), "badRequest"),
            ]
            for (request, kind) in cases {
                let error = try #require(await failure { try await client.send(request) })
                #expect(kind.contains(String("\(Mirror(reflecting: error).children.first?.label ?? "")")), "\(error)")
                #expect(!error.description.contains("secret"), "\(error)")
                if kind == "connect" { #expect(error.description.contains("127.0.0.1:\(port)")) }
            }
        }
    }

    @Test("Cancelling a task aborts its request at once, also before it begins")
    func cancelling() async throws {
        let client = HTTPClient(connectionsPerHost: 1)
        try await withServer { server in
            let url = "http://127.0.0.1:\(server.port)/never"
            let tasks = (0..<10).map { _ in Task { await failure { try await client.send(HTTPClientRequest(url: url)) } } }
            #expect(await eventually { server.openRequests == 1 })
            let start = ContinuousClock.now
            for task in tasks { task.cancel() }
            for task in tasks {
                guard case .cancelled? = await task.value else {
                    Issue.record("not cancelled")
                    return
                }
            }
            #expect(ContinuousClock.now - start < .seconds(10))
            let answer = try await client.send(HTTPClientRequest(url: "http://127.0.0.1:\(server.port)/hello"))
            #expect(answer.status == 200)
        }
    }

    @Test("Closing fails what is under way and what comes after")
    func closing() async throws {
        let client = HTTPClient()
        try await withServer { server in
            let url = "http://127.0.0.1:\(server.port)/never"
            let task = Task { await failure { try await client.send(HTTPClientRequest(url: url)) } }
            #expect(await eventually { server.openRequests == 1 })
            client.close()
            client.close()
            for error in [await task.value, await failure { try await client.send(HTTPClientRequest(url: url)) }] {
                guard case .closed? = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
            }
        }
    }

    private func failure(_ body: () async throws -> HTTPClientResponse) async -> HTTPClientError? {
        do {
            _ = try await body()
            return nil
        } catch {
            return error as? HTTPClientError
        }
    }
}
