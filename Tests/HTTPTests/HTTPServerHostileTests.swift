import Glibc
import HTTP
import TestSupport
import Testing

@Suite("HTTP server: hostile and unlucky clients")
struct HTTPServerHostileTests {
    @Test(
        "Malformed requests are refused or cut, and the server goes on",
        arguments: [
            "\r\n\r\n\r\n", "GET\r\n\r\n", "GET /hello\r\n\r\n", "GET /hello HTTP/9.9\r\n\r\n", "\0\0\0\0\r\n\r\n",
            "GET /hello HTTP/1.1\r\nno colon\r\nHost: a\r\n\r\n",
            "GET /hello HTTP/1.1\r\n\r\n", "POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: abc\r\n\r\nabc",
            "POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
            "POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
            "POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
            "POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST /post HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
            "POST /post HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
            "POST /post HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc\r\n",
            "POST /post HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n",
            "POST /post HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
        ])
    func malformed(text: String) async throws {
        try await withServer { server in
            let raw = try #require(RawConnection(port: server.port))
            raw.send(text)
            raw.finish()
            let answer = await raw.readAll()
            #expect(!answer.hasPrefix("HTTP/1.1 2"), "\(answer)")
            let next = try #require(RawConnection(port: server.port))
            next.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await next.readAnswer()?.body == "hello\n")
        }
    }

    @Test("Random bytes and mutated requests never stop the server")
    func fuzz() async throws {
        try await withServer(TestHandler(), HTTPServerConfiguration(connectionTimeout: 1)) { server in
            var generator = SystemRandomNumberGenerator()
            let seed = Array(
                "POST /post?a=%41 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".utf8)
            for round in 0..<200 {
                let raw = try #require(RawConnection(port: server.port))
                var bytes = round % 3 == 0 ? (0..<200).map { _ in UInt8.random(in: 0...255, using: &generator) } : seed
                for _ in 0..<3 {
                    bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
                }
                raw.send(bytes)
                raw.finish()
                _ = await raw.readAll()
            }
            let next = try #require(RawConnection(port: server.port))
            next.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await next.readAnswer()?.body == "hello\n")
        }
    }

    @Test("Heads over the limit are refused, heads well below it are not")
    func largeHeads() async throws {
        try await withServer { server in
            for (text, good) in [
                ("GET /hello HTTP/1.1\r\nHost: a\r\nX-Long: \(String(repeating: "x", count: 12_000))\r\n\r\n", true),
                ("GET /hello HTTP/1.1\r\nHost: a\r\nX-Long: \(String(repeating: "x", count: 100_000))\r\n\r\n", false),
                ("GET /\(String(repeating: "x", count: 100_000)) HTTP/1.1\r\nHost: a\r\n\r\n", false),
                ("GET /hello HTTP/1.1\r\nHost: a\r\n" + String(repeating: "A: b\r\n", count: 20_000) + "\r\n", false),
            ] {
                let raw = try #require(RawConnection(port: server.port))
                raw.send(text)
                raw.finish()
                let answer = await raw.readAll()
                #expect(answer.hasPrefix("HTTP/1.1 200") == good)
                #expect(good || answer.hasPrefix("HTTP/1.1 431") || answer.hasPrefix("HTTP/1.1 414"), "\(answer.prefix(60))")
            }
        }
    }

    @Test("A client that hangs up at any moment leaves nothing behind")
    func disconnects() async throws {
        let handler = TestHandler()
        try await withServer(handler, HTTPServerConfiguration(connectionTimeout: 5)) { server in
            for _ in 0..<20 {
                for text in [
                    "", "GET /he", "GET /hello HTTP/1.1\r\n",
                    "POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\nabc",
                    "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n", "GET /big HTTP/1.1\r\nHost: a\r\n\r\n",
                    "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
                ] {
                    try #require(RawConnection(port: server.port)).send(text)
                }
            }
            // At the latest when an idle connection is cut: the library misses a hang-up now and then.
            #expect(await eventually { server.openConnections == 0 && server.openRequests == 0 })
        }
    }

    @Test("An idle connection, a trickled head and a trickled body are cut; the working ones are not")
    func slowClients() async throws {
        try await withServer(TestHandler(), HTTPServerConfiguration(connectionTimeout: 2)) { server in
            let idle = try #require(RawConnection(port: server.port))
            let head = try #require(RawConnection(port: server.port))
            let body = try #require(RawConnection(port: server.port))
            body.send("POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
            var live = (head: true, body: true)
            for _ in 0..<50 where live.head || live.body {
                live.head = live.head && head.send("G")
                live.body = live.body && body.send("x")
                try await Task.sleep(for: .milliseconds(200))
            }
            #expect(!live.head)
            #expect(!live.body)
            #expect(await idle.isClosed())
            #expect(server.openConnections == 0)
            let busy = try #require(RawConnection(port: server.port))
            for _ in 0..<9 {
                let start = ContinuousClock.now
                busy.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(await busy.readAnswer()?.body == "hello\n")
                try await Task.sleep(for: .milliseconds(600))
                // On a machine this busy the connection has truly been idle too long.
                if ContinuousClock.now - start > .milliseconds(1500) { break }
            }
        }
    }

    @Test("More connections than the limit wait for a place")
    func connectionLimit() async throws {
        try await withServer(TestHandler(), HTTPServerConfiguration(connectionLimit: 4, connectionTimeout: 1)) { server in
            let all = try (0..<12).map { _ in try #require(RawConnection(port: server.port)) }
            for raw in all { raw.send("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") }
            for raw in all { #expect(await raw.readAnswer()?.body == "hello\n") }
        }
    }
}
