import HTTP
import Synchronization
import TestSupport
import Testing

@Suite("HTTP: answers written while they are sent")
struct HTTPStreamTests {
    private let handler = StreamHandler()
    private var writers: StreamHandler.Writers { handler.writers }
    private let piece = [UInt8](repeating: 65, count: 16_384)

    private func start(_ timeout: Int = 30, threads: Int = 1, connections: Int = 1000) throws -> HTTPServer {
        try HTTPServer(
            HTTPServerConfiguration(threads: threads, connectionLimit: connections, connectionTimeout: timeout), handler: handler)
    }

    /// Asks for a stream over a bare connection and waits until it has begun.
    private func open(
        _ server: HTTPServer, _ path: String = "now", method: String = "GET", headers: String = ""
    ) async throws -> RawConnection {
        let raw = try #require(RawConnection(port: server.port))
        let before = writers.now.count
        raw.send("\(method) /\(path) HTTP/1.1\r\nHost: a\r\n\(headers)\r\n")
        #expect(await eventually { writers.now.count > before })
        return raw
    }

    @Test("Pieces arrive one by one, the end ends the body, the connection serves on", arguments: ["now", "later"])
    func pieces(path: String) async throws {
        let server = try start()
        let client = HTTPClient(connectionsPerHost: 1)
        let url = "http://127.0.0.1:\(server.port)/"
        let seen = Mutex<[UInt8]>([])
        let answer = Task {
            try await client.send(HTTPClientRequest(url: url + path, timeoutMilliseconds: 0)) { chunk in
                seen.withLock { $0 += chunk }
                return true
            }
        }
        #expect(await eventually { writers.now.count == 1 })
        let writer = try #require(writers.now.first)
        var all: [UInt8] = []
        for index in 0..<50 {
            let piece = noise(index * 100)
            let isTaken = writer.write(piece)
            try #require(isTaken)
            all += piece
            let count = all.count
            try #require(await eventually { seen.withLock { $0.count } == count })
        }
        #expect(!writer.isClosed)
        writer.finish()
        #expect(writer.isClosed && !writer.write([1]))
        let head = try await answer.value
        #expect(head.status == 200 && head.header("Transfer-Encoding") == "chunked" && head.header("Content-Length") == nil)
        #expect(seen.withLock { $0 } == all)
        #expect(try await client.send(HTTPClientRequest(url: url + "hello")).status == 200)
        #expect(server.openConnections == 1 && writers.told.now == 0)
        await server.stop()
    }

    @Test("What is written before the answer is sent is sent; HTTP/1.0 reads to the end; dropping the writer finishes")
    func edges() async throws {
        let server = try start()
        let old = try #require(RawConnection(port: server.port))
        old.send("GET /now HTTP/1.0\r\n\r\n")
        #expect(await eventually { writers.now.count == 1 })
        for _ in 0..<100 {
            // The limit counts what waits only.
            #expect(await eventually { writers.now[0].write(piece) })
        }
        writers.drop()
        let text = await old.readAll()
        #expect(text.hasPrefix("HTTP/1.") && text.contains("\r\n\r\n"))
        #expect(text.utf8.count > 900_000)
        let early = HTTPBodyWriter(limit: 10)
        #expect(!early.write(noise(11)) && early.write(noise(4)) && early.write([]) && early.write(noise(6)) && !early.write([1]))
        writers.add(early)
        let raw = try #require(RawConnection(port: server.port))
        raw.send("GET /again HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(await eventually { early.write([1]) })
        early.finish()
        #expect(await raw.readAll().hasSuffix("\r\n0\r\n\r\n"))
        #expect(writers.told.now == 0)
        await server.stop()
    }

    @Test("HEAD and 204 have no body and close the writer; a writer serves one answer; a refused answer closes it")
    func unsent() async throws {
        let server = try start()
        for (index, (method, path)) in [("HEAD", "now"), ("HEAD", "later"), ("GET", "empty")].enumerated() {
            let raw = try await open(server, path, method: method)
            let text = await raw.readAll()
            #expect(text.hasPrefix("HTTP/1.1 20") && text.hasSuffix("\r\n\r\n") && !text.hasSuffix("0\r\n\r\n"))
            #expect(writers.now[index].isClosed && writers.told.now == index + 1)
        }
        let again = try #require(RawConnection(port: server.port))
        again.send("GET /again HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(await again.readAnswer()?.head.hasPrefix("HTTP/1.1 500") == true)
        let bad = try await open(server, "bad")
        #expect(await bad.readAnswer()?.head.hasPrefix("HTTP/1.1 500") == true)
        #expect(writers.now.allSatisfy { $0.isClosed } && writers.told.now == 4)
        await server.stop()
    }

    @Test("A slow reader fills its own buffer only, and goes on when it reads")
    func slowReader() async throws {
        let server = try start()
        let raw = try await open(server, headers: "Connection: close\r\n")
        let writer = writers.now[0]
        var written = 0
        var refused = 0
        // Full for good, not only until the server's thread has run.
        while refused < 30, written < 200 << 20 {
            if writer.write(piece) {
                written += piece.count
                refused = 0
            } else {
                refused += 1
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        #expect(refused == 30 && !writer.isClosed)
        let client = HTTPClient()
        for _ in 0..<50 {
            #expect(try await client.send(HTTPClientRequest(url: "http://127.0.0.1:\(server.port)/hello")).status == 200)
        }
        writer.finish()
        let text = await raw.readAll()
        #expect(text.utf8.count > written && text.hasSuffix("\r\n0\r\n\r\n"))
        #expect(writers.told.now == 0)
        await server.stop()
    }

    @Test("A reader that never reads is cut after the connection's timeout, a silent stream is not")
    func stuckAndSilent() async throws {
        let server = try start(1)
        let silent = try await open(server)
        let stuck = try await open(server)
        let writer = writers.now[1]
        #expect(await eventually { !writer.write(piece) && writer.isClosed })
        #expect(await eventually { writers.told.now == 1 })
        // Long after every time limit of the server.
        try await Task.sleep(for: .seconds(4))
        #expect(writers.now[0].write(Array("still here".utf8)))
        writers.now[0].finish()
        #expect(await silent.readAnswer(hasBody: false)?.head.hasPrefix("HTTP/1.1 200") == true)
        #expect(await silent.readAll().contains("still here"))
        #expect(writers.told.now == 1)
        withExtendedLifetime(stuck) {}
        await server.stop()
    }

    @Test("A reader that goes away closes the writer, silent or not, and is told of once")
    func goneReader() async throws {
        let server = try start(4)
        for (path, talks) in [("now", false), ("now", true), ("later", false), ("late", false)] {
            let told = writers.told.now
            do {
                let raw = try #require(RawConnection(port: server.port))
                let before = writers.now.count
                raw.send("GET /\(path) HTTP/1.1\r\nHost: a\r\n\r\n")
                if path != "late" { #expect(await eventually { writers.now.count > before }) }
            }
            let start = ContinuousClock.now
            #expect(await eventually { writers.told.now == told + 1 || talks && writers.now.last?.write(noise(100)) == nil })
            #expect(ContinuousClock.now - start < .seconds(12))
            #expect(writers.now.last?.isClosed == true && writers.now.last?.write([1]) == false)
        }
        #expect(await eventually { server.openConnections == 0 && server.openRequests == 0 })
        #expect(writers.told.now == 4)
        await server.stop()
    }

    @Test("An endless stream outlives every limit of the client that is not set; cancelling ends it")
    func endless() async throws {
        let server = try start()
        let client = HTTPClient()
        let seen = SharedCount()
        let task = Task {
            let request = HTTPClientRequest(
                url: "http://127.0.0.1:\(server.port)/now", timeoutMilliseconds: 0, responseLimit: .max)
            return try await client.send(request) { _ in
                seen.count()
                return true
            }
        }
        #expect(await eventually { writers.now.count == 1 })
        let writer = writers.now[0]
        for _ in 0..<10 {
            let before = seen.now
            #expect(writer.write(noise(1000)))
            #expect(await eventually { seen.now > before })
        }
        task.cancel()
        await #expect(throws: HTTPClientError.self) { try await task.value }
        #expect(await eventually { writer.isClosed && writers.told.now == 1 })
        await server.stop()
    }

    @Test("Stopping ends streams at once, whether silent, busy or stuck", arguments: [10_000, 0])
    func stopping(milliseconds: Int) async throws {
        let server = try start(threads: 2)
        var all: [RawConnection] = []
        for index in 0..<30 { all.append(try await open(server, index % 2 == 0 ? "now" : "later")) }
        #expect(await eventually { server.openRequests == 30 })
        // The last ten are stuck: more has been written than their sockets hold.
        for writer in writers.now[20...] {
            for _ in 0..<2000 where writer.write(piece) {}
        }
        let start = ContinuousClock.now
        await server.stop(deadline: .milliseconds(milliseconds))
        #expect(ContinuousClock.now - start < .seconds(8))
        #expect(writers.now.allSatisfy { $0.isClosed && !$0.write([1]) })
        #expect(writers.told.now == 30)
        for raw in all[..<20] { #expect(await raw.readAll().hasSuffix("\r\n0\r\n\r\n")) }
        #expect(server.openConnections == 0 && server.openRequests == 0)
    }

    @Test("Many readers of one source, written to from several threads, over several server threads")
    func many() async throws {
        let server = try start(threads: 2)
        let client = HTTPClient(connectionsPerHost: 300)
        let small = noise(1000)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<200 {
                group.addTask {
                    let total = Mutex(0)
                    let url = "http://127.0.0.1:\(server.port)/\(index % 2 == 0 ? "now" : "later")"
                    let answer = try await client.send(HTTPClientRequest(url: url, timeoutMilliseconds: 0)) { chunk in
                        total.withLock { $0 += chunk.count }
                        return true
                    }
                    return answer.status == 200 ? total.withLock { $0 } : -1
                }
            }
            #expect(await eventually { writers.now.count == 200 })
            await withTaskGroup(of: Void.self) { group in
                for part in 0..<4 {
                    group.addTask {
                        for _ in 0..<50 {
                            for writer in writers.now[(part * 50)..<(part * 50 + 50)] {
                                #expect(await eventually { writer.write(small) })
                            }
                        }
                    }
                }
            }
            for writer in writers.now { writer.finish() }
            for try await total in group { #expect(total == 50_000) }
        }
        #expect(writers.told.now == 0)
        await server.stop()
    }

    @Test("Stopping amid writers and newcomers never breaks anything")
    func stopInTraffic() async throws {
        let small = noise(500)
        for round in 0..<10 {
            let handler = StreamHandler()
            let server = try HTTPServer(HTTPServerConfiguration(threads: 2), handler: handler)
            let client = HTTPClient(connectionsPerHost: 50)
            let port = server.port
            let isOver = SharedCount()
            await withTaskGroup(of: Void.self) { group in
                for index in 0..<20 {
                    group.addTask {
                        let request = HTTPClientRequest(
                            url: "http://127.0.0.1:\(port)/\(index % 2 == 0 ? "now" : "later")", timeoutMilliseconds: 20_000)
                        let count = SharedCount()
                        while (try? await client.send(request) { _ in
                            count.count()
                            return count.now % 7 > 0
                        })?.status == 200 {}
                    }
                }
                group.addTask {
                    while isOver.now == 0 {
                        for writer in handler.writers.now where !writer.write(small) { writer.finish() }
                        try? await Task.sleep(for: .microseconds(200))
                    }
                }
                try? await Task.sleep(for: .milliseconds(30))
                await server.stop(deadline: .milliseconds(round % 2 == 0 ? 0 : 1000))
                isOver.count()
            }
            #expect(handler.writers.now.allSatisfy { $0.isClosed })
            #expect(server.openConnections == 0 && server.openRequests == 0)
        }
    }
}
