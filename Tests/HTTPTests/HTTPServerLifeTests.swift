import Glibc
import HTTP
import TestSupport
import Testing

@Suite("HTTP server: starting and stopping")
struct HTTPServerLifeTests {
    @Test("A port in use is named, with what to do")
    func portInUse() async throws {
        try await withServer { server in
            let error = #expect(throws: HTTPServerError.self) {
                try HTTPServer(HTTPServerConfiguration(port: server.port), handler: TestHandler())
            }
            let text = error?.description ?? ""
            #expect(text.contains("127.0.0.1:\(server.port)"))
            #expect(text.contains("already in use"))
            #expect(text.contains("choose another port"))
        }
    }

    @Test("Addresses that cannot be", arguments: ["", "192.0.2.1", "no.such.name.invalid", "1.2.3.4.5", "a\0b"])
    func badAddresses(address: String) {
        #expect(throws: HTTPServerError.self) {
            try HTTPServer(HTTPServerConfiguration(address: address), handler: TestHandler())
        }
    }

    @Test("Several servers share a port when asked, and several threads serve one")
    func sharing() async throws {
        try await withServer(TestHandler(), HTTPServerConfiguration(threads: 3, reusePort: true)) { one in
            try await withServer(TestHandler(), HTTPServerConfiguration(port: one.port, reusePort: true)) { two in
                #expect(one.port == two.port)
                for _ in 0..<30 {
                    let raw = try #require(RawConnection(port: one.port))
                    raw.send("POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
                    #expect(await raw.readAnswer()?.body == expected("POST", [120]))
                }
            }
        }
    }

    @Test("IPv6")
    func sixth() async throws {
        try await withServer(TestHandler(), HTTPServerConfiguration(address: "::1")) { server in
            let client = HTTPClient()
            let answer = try await client.send(HTTPClientRequest(url: "http://[::1]:\(server.port)/hello"))
            #expect(answer.status == 200)
        }
    }

    @Test("A Unix socket: served, guarded, stale file replaced, removed at the end")
    func unixSocket() async throws {
        let path = "/tmp/http-test-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
        let configuration = HTTPServerConfiguration(unixSocket: path)
        let client = HTTPClient()
        for _ in 0..<2 {
            try await withServer(TestHandler(), configuration) { server in
                let answer = try await client.send(HTTPClientRequest(url: "http://localhost/hello", unixSocket: path))
                #expect(answer.body == Array("hello\n".utf8))
                let error = #expect(throws: HTTPServerError.self) { try HTTPServer(configuration, handler: TestHandler()) }
                #expect(error?.description.contains(path) == true)
            }
            #expect(access(path, F_OK) != 0)
        }
        close(open(path, O_CREAT, 0o600))
        #expect(throws: HTTPServerError.self) { try HTTPServer(configuration, handler: TestHandler()) }
        unlink(path)
        #expect(throws: HTTPServerError.self) {
            try HTTPServer(HTTPServerConfiguration(unixSocket: String(repeating: "x", count: 200)), handler: TestHandler())
        }
    }

    @Test("Quiescing refuses newcomers, answers the present and closes them")
    func quiesce() async throws {
        try await withServer { server in
            let raw = try #require(RawConnection(port: server.port))
            raw.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await raw.readAnswer()?.body == "hello\n")
            server.quiesce()
            server.quiesce()
            #expect(RawConnection(port: server.port) == nil)
            raw.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await raw.readAnswer()?.head.contains("Connection: close") == true)
            #expect(await raw.isClosed())
        }
    }

    @Test("Stopping waits for open requests")
    func stopWaits() async throws {
        let server = try HTTPServer(HTTPServerConfiguration(), handler: TestHandler())
        let raw = try #require(RawConnection(port: server.port))
        raw.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(await eventually { server.openRequests == 1 })
        async let one: Void = server.stop()
        async let two: Void = server.stop()
        _ = await (one, two)
        await server.stop()
        #expect(await raw.readAll().hasPrefix("HTTP/1.1 200"))
        #expect(server.openRequests == 0)
        #expect(server.openConnections == 0)
    }

    @Test("At the deadline tasks that do not end are answered 503 and cancelled")
    func stopForces() async throws {
        let handler = TestHandler()
        let server = try HTTPServer(HTTPServerConfiguration(threads: 2), handler: handler)
        let all = try (0..<20).map { _ in try #require(RawConnection(port: server.port)) }
        for raw in all { raw.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n") }
        #expect(await eventually { handler.shared.responded.load(ordering: .relaxed) == 20 })
        await server.stop(deadline: .milliseconds(100))
        for raw in all { #expect(await raw.readAll().hasPrefix("HTTP/1.1 503")) }
        #expect(await eventually { handler.shared.cancelled.load(ordering: .relaxed) == 20 })
    }

    @Test("Stopping in the middle of traffic, and dropping without stopping")
    func stopInTraffic() async throws {
        let client = HTTPClient()
        let body = noise(2000)
        for round in 0..<10 {
            let server = try HTTPServer(HTTPServerConfiguration(threads: 2), handler: TestHandler())
            let port = server.port
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<50 {
                            let request = HTTPClientRequest(
                                method: .post, url: "http://127.0.0.1:\(port)/post", body: body)
                            guard let answer = try? await client.send(request), answer.status == 200 else { return }
                        }
                    }
                }
                try? await Task.sleep(for: .milliseconds(15))
                if round % 2 == 0 { await server.stop(deadline: .milliseconds(50)) }
            }
        }
    }
}
