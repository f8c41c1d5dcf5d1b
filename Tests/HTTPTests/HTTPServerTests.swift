import HTTP
import Testing

@Suite("HTTP server: answers")
struct HTTPServerTests {
    @Test("A GET is answered, the connection kept, HEAD has the same head and no body")
    func getAndHead() async throws {
        try await withServer { server in
            let raw = try #require(RawConnection(port: server.port))
            raw.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            let get = try #require(await raw.readAnswer())
            #expect(get.head.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(get.head.contains("Content-Length: 6"))
            #expect(get.head.contains("\r\nDate: "))
            #expect(get.head.contains("Content-Type: text/plain"))
            #expect(get.body == "hello\n")
            raw.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let head = try #require(await raw.readAnswer(hasBody: false))
            #expect(head.head.contains("Content-Length: 6"))
            let last = try #require(await raw.readAnswer())
            #expect(last.body == "hello\n")
            #expect(last.head.contains("Connection: close"))
            #expect(await raw.isClosed())
        }
    }

    @Test("HTTP/1.0 closes, or keeps the connection when asked")
    func oldProtocol() async throws {
        try await withServer { server in
            let one = try #require(RawConnection(port: server.port))
            one.send("GET /hello HTTP/1.0\r\n\r\n")
            #expect(await one.readAll().hasSuffix("hello\n"))
            let two = try #require(RawConnection(port: server.port))
            two.send("GET /hello HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
            #expect(try #require(await two.readAnswer()).head.lowercased().contains("connection: keep-alive"))
            two.send("GET /hello HTTP/1.0\r\n\r\n")
            #expect(await two.readAll().hasSuffix("hello\n"))
        }
    }

    @Test("Pipelined requests are answered in order, also when tasks answer some")
    func pipelining() async throws {
        try await withServer { server in
            let raw = try #require(RawConnection(port: server.port))
            let get = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
            let post = "POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
            let slow = "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"
            raw.send(get + post + slow + get + post)
            var bodies: [String?] = []
            for _ in 0..<5 { bodies.append(await raw.readAnswer()?.body) }
            let abc = expected("POST", Array("abc".utf8))
            #expect(bodies == ["hello\n", abc, expected("GET", []), "hello\n", abc])
        }
    }

    @Test("The path is raw, the query decoded and in order, header names have no case")
    func facts() async throws {
        try await withServer { server in
            let raw = try #require(RawConnection(port: server.port))
            raw.send("GET /echo?b=1+2&a=%C3%A4%26%zz&c&=d&e=%00 HTTP/1.1\r\nHost: a\r\nX-TEST:  value \r\n\r\n")
            let echo = try #require(await raw.readAnswer()).body
            #expect(echo == "b=1 2;a=\u{e4}&%zz;c=;=d;e=\0|value")
            raw.send("GET /hel%6Co HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try #require(await raw.readAnswer()).head.hasPrefix("HTTP/1.1 404"))
            raw.send("GET /facts?x=%41 HTTP/1.1\r\nHost: a\r\nx-test: kept\r\n\r\n")
            #expect(try #require(await raw.readAnswer()).body == "kept|[\"A\"]")
            #expect(HTTPRequestHead.percentDecoded("/a%20b+%4") == "/a b+%4")
        }
    }

    @Test("A head that outlives its call says nothing and harms nothing")
    func escapedHead() async throws {
        let handler = TestHandler()
        try await withServer(handler) { server in
            let raw = try #require(RawConnection(port: server.port))
            raw.send("GET /head?a=b HTTP/1.1\r\nHost: a\r\nX-Test: v\r\n\r\n")
            #expect(await raw.readAnswer()?.body == "kept")
            let head = try #require(handler.shared.escaped.withLock { $0 })
            #expect(head.path == "/head")
            #expect(head.header("X-Test") == nil)
            #expect(head.query.isEmpty)
        }
    }

    @Test(
        "Bodies come whole: by length, chunked, empty, large; with room for simdjson",
        arguments: [0, 1, 5000, 16_384, 999_999, 1_000_000])
    func bodies(size: Int) async throws {
        let body = noise(size)
        try await withServer { server in
            let raw = try #require(RawConnection(port: server.port))
            for method in ["POST", "PUT"] {
                raw.send(Array("\(method) /post HTTP/1.1\r\nHost: a\r\nContent-Length: \(size)\r\n\r\n".utf8) + body)
                #expect(await raw.readAnswer()?.body == expected(method, body))
            }
            var chunked = Array("POST /post HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
            for start in stride(from: 0, to: size, by: 70_001) {
                let part = body[start..<min(size, start + 70_001)]
                chunked += Array("\(String(part.count, radix: 16));x=y\r\n".utf8) + part + Array("\r\n".utf8)
            }
            raw.send(chunked + Array("0\r\nTrailer: x\r\n\r\n".utf8))
            #expect(await raw.readAnswer()?.body == expected("POST", body))
        }
    }

    @Test("A large answer arrives whole")
    func largeAnswer() async throws {
        try await withServer { server in
            let raw = try #require(RawConnection(port: server.port))
            for _ in 0..<3 {
                raw.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(await raw.readAnswer()?.body.utf8.count == 3_000_000)
            }
        }
    }

    @Test("Refusals by the head alone keep the connection; 415, 404, 405", arguments: ["/json 415", "/nowhere 404"])
    func refusals(what: String) async throws {
        let parts = what.split(separator: " ")
        try await withServer { server in
            let raw = try #require(RawConnection(port: server.port))
            raw.send(Array("POST \(parts[0]) HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n".utf8) + noise(300_000))
            #expect(try #require(await raw.readAnswer()).head.hasPrefix("HTTP/1.1 \(parts[1]) "))
            raw.send("DELETE /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try #require(await raw.readAnswer()).head.hasPrefix("HTTP/1.1 405 "))
            raw.send("BREW /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try #require(await raw.readAnswer()).head.hasPrefix("HTTP/1.1 405 "))
        }
    }

    @Test("Over the limit is 413: announced, chunked, and before 100 Continue")
    func tooLarge() async throws {
        let handler = TestHandler(limit: 1000)
        try await withServer(handler) { server in
            let raw = try #require(RawConnection(port: server.port))
            raw.send(Array("POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n".utf8) + noise(1001))
            let answer = try #require(await raw.readAnswer())
            #expect(answer.head.hasPrefix("HTTP/1.1 413 "))
            #expect(answer.body.contains("1000 bytes"))
            raw.send(Array("POST /post HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n".utf8) + noise(1001))
            raw.send("\r\n0\r\n\r\n")
            #expect(try #require(await raw.readAnswer()).head.hasPrefix("HTTP/1.1 413 "))
            raw.send("POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
            #expect(try #require(await raw.readAnswer()).head.hasPrefix("HTTP/1.1 100 "))
            raw.send("hello")
            #expect(await raw.readAnswer()?.body == expected("POST", Array("hello".utf8)))
            raw.send("POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000000\r\nExpect: 100-continue\r\n\r\n")
            #expect(await raw.readAll().hasPrefix("HTTP/1.1 413 "))
            let endless = try #require(RawConnection(port: server.port))
            endless.send("POST /post HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            let chunk = Array("10000\r\n".utf8) + noise(65_536) + Array("\r\n".utf8)
            #expect((0..<2000).contains { _ in !endless.send(chunk) })
            #expect(handler.shared.responded.load(ordering: .relaxed) == 1)
        }
    }

    @Test("Statuses without body, odd statuses, and headers that would smuggle")
    func statuses() async throws {
        try await withServer { server in
            let raw = try #require(RawConnection(port: server.port))
            for (status, sent) in [
                (204, 204), (304, 304), (418, 418), (599, 599), (0, 500), (-5, 500), (101, 500), (100_000, 500),
            ] {
                raw.send("GET /status?s=\(status) HTTP/1.1\r\nHost: a\r\n\r\n")
                let answer = try #require(await raw.readAnswer(hasBody: status != 304))
                #expect(answer.head.hasPrefix("HTTP/1.1 \(sent) "))
                #expect(answer.body == (status == 204 || status == 304 ? "" : "seven b"))
                #expect(answer.head.contains("Content-Length: 7") == (status != 204))
            }
            raw.send("GET /inject HTTP/1.1\r\nHost: a\r\n\r\n")
            let answer = await raw.readAll()
            #expect(answer.hasPrefix("HTTP/1.1 500 "))
            #expect(!answer.contains("Set-Cookie"))
        }
    }
}
