import Foundation
import HTTP
import TestSupport
import Testing

@Suite("HTTP over TLS: hostile and unlucky clients")
struct HTTPServerTLSHostileTests {
    let certificates: Certificates

    init() async throws { certificates = try await Certificates() }

    private func configuration(mutual: Bool = false, timeout: Int, connections: Int = 1000) -> HTTPServerConfiguration {
        HTTPServerConfiguration(
            tls: HTTPServerTLS(
                certificateFile: certificates.path("server.pem"), keyFile: certificates.path("server.key"),
                authorityFile: mutual ? certificates.path("ca.pem") : nil),
            connectionLimit: connections, connectionTimeout: timeout)
    }

    private func status(_ server: HTTPServer, headers: [(name: String, value: String)] = []) async throws -> Int {
        try await HTTPClient().send(
            HTTPClientRequest(
                url: "https://localhost:\(server.port)/hello", headers: headers,
                timeoutMilliseconds: 60_000, connectTimeoutMilliseconds: 60_000, caFile: certificates.path("ca.pem"),
                certificateFile: certificates.path("client.pem"), keyFile: certificates.path("client.key"))
        ).status
    }

    /// The first message of a handshake.
    private func hello() async throws -> [UInt8] {
        let listener = try #require(RawListener())
        async let client = certificates.shell("openssl s_client -connect 127.0.0.1:\(listener.port) -servername localhost")
        let hello = await listener.first()
        _ = try await client
        return hello
    }

    @Test("Plain HTTP on a TLS port and TLS on a plain port are refused without harm")
    func wrongProtocol() async throws {
        try await withServer(TestHandler(), configuration(timeout: 5)) { server in
            let raw = try #require(RawConnection(port: server.port))
            raw.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await !raw.readAll().contains("hello"))
            #expect(try await status(server) == 200)
        }
        try await withServer { server in
            let error = await #expect(throws: HTTPClientError.self) {
                try await HTTPClient().send(
                    HTTPClientRequest(url: "https://127.0.0.1:\(server.port)/hello", connectTimeoutMilliseconds: 60_000))
            }
            // Its answer may be lost when it closes the connection.
            #expect(error?.description.contains("speak TLS") == true, "\(String(describing: error))")
            let plain = try await HTTPClient().send(HTTPClientRequest(url: "http://127.0.0.1:\(server.port)/hello"))
            #expect(plain.status == 200)
        }
    }

    @Test("Garbage and mutated handshakes never stop the server", arguments: [false, true])
    func fuzz(mutual: Bool) async throws {
        let hello = try await hello()
        #expect(hello.count > 100)
        try await withServer(TestHandler(), configuration(mutual: mutual, timeout: 2)) { server in
            var generator = SystemRandomNumberGenerator()
            for round in 0..<200 {
                let raw = try #require(RawConnection(port: server.port))
                var bytes = round % 4 == 0 ? (0..<300).map { _ in UInt8.random(in: 0...255, using: &generator) } : hello
                for _ in 0..<(round % 8) {
                    bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
                }
                raw.send(Array(bytes.prefix(round % 3 == 0 ? Int.random(in: 0...bytes.count, using: &generator) : bytes.count)))
                if round % 5 == 0 { raw.send([UInt8](repeating: 22, count: 40_000)) }
                if round % 2 == 0 { raw.finish() }
            }
            #expect(try await status(server) == 200)
            #expect(await eventually { server.openConnections == 0 })
        }
    }

    @Test("A thousand unfinished handshakes stop nobody, and unfinished ones are cut in time")
    func unfinished() async throws {
        let hello = try await hello()
        for (count, timeout) in [(1000, 600), (30, 1)] {
            try await withServer(TestHandler(), configuration(timeout: timeout, connections: 1200)) { server in
                let all = try (0..<count).map { _ in try #require(RawConnection(port: server.port)) }
                for (index, raw) in all.enumerated() where index % 3 > 0 {
                    raw.send(index % 3 == 1 ? hello : Array(hello.prefix(50)))
                }
                for _ in 0..<5 { #expect(try await status(server) == 200) }
                if timeout > 1 {
                    #expect(server.openConnections >= count)
                } else {
                    for raw in all { #expect(await raw.isClosed()) }
                    #expect(await eventually { server.openConnections == 0 })
                    #expect(try await status(server) == 200)
                }
            }
        }
    }

    @Test("Heads over the limit are answered 431, whatever is still being sent", arguments: [false, true])
    func largeHeads(tls: Bool) async throws {
        let configuration = tls ? configuration(timeout: 10) : HTTPServerConfiguration(connectionTimeout: 10)
        try await withServer(TestHandler(), configuration) { server in
            let client = HTTPClient()
            for size in [40_000, 100_000, 1_000_000] {
                for _ in 0..<5 {
                    let answer = try await client.send(
                        HTTPClientRequest(
                            url: "\(tls ? "https" : "http")://localhost:\(server.port)/hello",
                            headers: (0..<(size / 10_000)).map { ("X-\($0)", String(repeating: "x", count: 10_000)) },
                            timeoutMilliseconds: 60_000, connectTimeoutMilliseconds: 60_000,
                            caFile: certificates.path("ca.pem")))
                    #expect(answer.status == 431)
                }
            }
        }
    }
}
