import Foundation
import HTTP
import Testing

@Suite("HTTP over TLS")
struct HTTPServerTLSTests {
    let certificates: Certificates

    init() async throws { certificates = try await Certificates() }

    private func configuration(
        _ certificate: String = "server", authority: String? = nil, timeout: Int = 30, connections: Int = 1000
    ) -> HTTPServerConfiguration {
        HTTPServerConfiguration(
            tls: HTTPServerTLS(
                certificateFile: certificates.path("\(certificate).pem"), keyFile: certificates.path("\(certificate).key"),
                authorityFile: authority.map { certificates.path("\($0).pem") }),
            connectionLimit: connections, connectionTimeout: timeout)
    }

    private func request(
        _ server: HTTPServer, _ path: String = "hello", host: String = "localhost", authority: String = "ca",
        client: String? = nil
    ) -> HTTPClientRequest {
        HTTPClientRequest(
            url: "https://\(host):\(server.port)/\(path)", timeoutMilliseconds: 60_000, connectTimeoutMilliseconds: 60_000,
            caFile: certificates.path("\(authority).pem"),
            certificateFile: client.map { certificates.path("\($0).pem") }, keyFile: client.map { certificates.path("\($0).key") }
        )
    }

    /// How sending fails: kind and words.
    private func failure(_ request: HTTPClientRequest) async -> (kind: String, text: String) {
        do {
            let answer = try await HTTPClient().send(request)
            return ("answered \(answer.status)", "")
        } catch {
            return ("\(Mirror(reflecting: error).children.first?.label ?? "")", error.description)
        }
    }

    private func serial(_ server: HTTPServer) async throws -> String {
        try await certificates.shell(
            "openssl s_client -connect 127.0.0.1:\(server.port) 2>/dev/null | openssl x509 -noout -serial"
        ).output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test("Answers, small and large, many at once", arguments: [1, 3])
    func answers(threads: Int) async throws {
        var configuration = configuration()
        configuration.threads = threads
        try await withServer(TestHandler(), configuration) { server in
            let client = HTTPClient()
            #expect(try await client.send(request(server, "big")).body.count == 3_000_000)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<50 {
                    var request = request(server, index % 5 == 0 ? "slow" : "post")
                    request.method = .post
                    request.body = noise(index * 3000)
                    group.addTask { [request] in
                        let answer = try await client.send(request)
                        #expect(String(decoding: answer.body, as: UTF8.self) == expected("POST", request.body ?? []))
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("TLS 1.2 and 1.3 only, and only key exchanges that keep the past secret")
    func versions() async throws {
        try await withServer(TestHandler(), configuration()) { server in
            for (options, good) in [
                ("-tls1_3", true), ("-tls1_2", true), ("-tls1_1 -cipher ALL:@SECLEVEL=0", false),
                ("-tls1_2 -cipher AES256-GCM-SHA384", false),
            ] {
                let output = try await certificates.shell("openssl s_client \(options) -connect 127.0.0.1:\(server.port)").output
                #expect(output.contains("BEGIN CERTIFICATE") == good, "\(options)")
            }
        }
    }

    @Test("Wrong names, unknown authorities and unusable files are told, with what to do")
    func refusals() async throws {
        try certificates.write("nonsense", to: "nonsense.pem")
        try certificates.write("nonsense", to: "nonsense.key")
        try await certificates.make("elsewhere", subject: "/CN=elsewhere.example", names: "DNS:elsewhere.example")
        try await withServer(TestHandler(), configuration()) { server in
            let unknown = await failure(request(server, authority: "other"))
            #expect(unknown.kind == "tls" && unknown.text.contains("authority is not trusted here"), "\(unknown)")
            var unchecked = request(server, authority: "other")
            unchecked.verifyTLS = false
            #expect(await failure(unchecked).kind == "answered 200")
            let file = await failure(request(server, authority: "nonsense"))
            #expect(file.kind == "tls" && file.text.contains("file of trusted authorities"), "\(file)")
            let key = await failure(request(server, client: "nonsense"))
            #expect(key.kind == "tls" && key.text.contains("client's certificate and key file"), "\(key)")
        }
        try await withServer(TestHandler(), configuration("elsewhere")) { server in
            let name = await failure(request(server))
            #expect(name.kind == "tls" && name.text.contains("connect by a name that is in it"), "\(name)")
        }
    }

    @Test("Mutual TLS: who has a certificate of the authority is told by name, everybody else is refused unseen")
    func mutual() async throws {
        try await certificates.make("plain", subject: "/CN=plain")
        try await certificates.make("nobody", subject: "/O=nobody")
        try await certificates.make("expired", subject: "/CN=expired", days: -1)
        try await certificates.make("purpose", subject: "/CN=server", purpose: "serverAuth")
        let handler = PeerHandler()
        let server = try HTTPServer(configuration(authority: "ca"), handler: handler)
        for (client, peer) in [
            ("client", #"CN=probe\, one,URI=spiffe://fleet/probe"#), ("plain", "CN=plain"), ("nobody", "unnamed"),
        ] {
            for path in ["now", "later"] {
                let answer = try await HTTPClient().send(request(server, path, client: client))
                #expect(String(decoding: answer.body, as: UTF8.self) == peer)
            }
        }
        let seen = handler.seen.now
        #expect(seen == 6)
        for client in [nil, "stranger", "expired", "purpose"] {
            let refused = await failure(request(server, "now", client: client))
            #expect(refused.kind == "tls", "\(client ?? "none"): \(refused)")
            #expect(refused.text.contains(client == nil ? "may want a client certificate" : "refused the client certificate"))
            let old = try await certificates.shell(
                "curl -sS --tls-max 1.2 --cacert ca.pem \(client.map { "--cert \($0).pem --key \($0).key" } ?? "") "
                    + "https://localhost:\(server.port)/now")
            #expect(old.status != 0 && !old.output.contains("CN="), "\(client ?? "none"): \(old)")
        }
        #expect(handler.seen.now == seen)
        await server.stop()
    }

    @Test("Without an authority there is no peer")
    func noPeer() async throws {
        let server = try HTTPServer(configuration(), handler: PeerHandler())
        let answer = try await HTTPClient().send(request(server, "now", client: "client"))
        #expect(answer.body == Array("none".utf8))
        await server.stop()
    }

    @Test("Reloading: newcomers get the new certificate, the open connection goes on, broken files change nothing")
    func reload() async throws {
        try certificates.copy("server.pem", to: "live.pem")
        try certificates.copy("server.key", to: "live.key")
        // Of the other authority: whoever trusts the first one only is answered over a connection from before, or not at all.
        try await certificates.make("next", subject: "/CN=localhost", names: "DNS:localhost", authority: "other", serial: 8)
        try await withServer(TestHandler(), configuration("live", timeout: 600)) { server in
            let kept = HTTPClient(connectionsPerHost: 1)
            #expect(try await kept.send(request(server)).status == 200)
            #expect(try await serial(server) == "serial=07")
            try server.reloadTLS()
            try certificates.copy("next.pem", to: "live.pem")
            let mismatch = #expect(throws: HTTPServerError.self) { try server.reloadTLS() }
            #expect(mismatch?.description.contains("does not belong to the certificate") == true)
            #expect(mismatch?.description.contains("live.key") == true)
            #expect(try await serial(server) == "serial=07")
            try certificates.copy("next.key", to: "live.key")
            for _ in 0..<3 { try server.reloadTLS() }
            #expect(try await serial(server) == "serial=08")
            #expect(try await kept.send(request(server)).status == 200)
            #expect(await failure(request(server)).kind == "tls")
            #expect(await failure(request(server, authority: "other")).kind == "answered 200")
        }
    }

    @Test("Reloading changes the clients' authority; a client reads its files anew for new connections")
    func reloadAuthority() async throws {
        for part in ["pem", "key"] {
            try certificates.copy("client.\(part)", to: "mine.\(part)")
            try certificates.copy("server.\(part)", to: "live.\(part)")
        }
        try certificates.copy("ca.pem", to: "clients.pem")
        try certificates.copy("ca.pem", to: "trusted.pem")
        try await certificates.make("renewed", subject: "/CN=localhost", names: "DNS:localhost", authority: "other")
        try await withServer(TestHandler(), configuration("live", authority: "clients")) { server in
            let client = HTTPClient()
            var request = request(server, authority: "trusted", client: "mine")
            // A new connection for every request.
            request.headers = [("Connection", "close")]
            #expect(try await client.send(request).status == 200)
            for part in ["pem", "key"] {
                try certificates.copy("stranger.\(part)", to: "mine.\(part)")
                try certificates.copy("renewed.\(part)", to: "live.\(part)")
            }
            try certificates.copy("other.pem", to: "clients.pem")
            try server.reloadTLS()
            let error = await #expect(throws: HTTPClientError.self) { try await client.send(request) }
            #expect(error?.description.contains("authority is not trusted here") == true)
            try certificates.copy("other.pem", to: "trusted.pem")
            #expect(try await client.send(request).status == 200)
            try certificates.write("nonsense", to: "clients.pem")
            #expect(throws: HTTPServerError.self) { try server.reloadTLS() }
            #expect(try await client.send(request).status == 200)
        }
    }

    @Test("Files a server cannot start with are named, with what to do")
    func badFiles() async throws {
        try await certificates.make("expired", subject: "/CN=localhost", days: -1)
        try certificates.write("", to: "empty.pem")
        try certificates.write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", to: "broken.pem")
        try await certificates.openssl("pkey -in server.key -aes256 -passout pass:secret -out locked.key")
        let cases: [(String, String, String?, String)] = [
            ("none.pem", "server.key", nil, "none.pem for TLS: the file cannot be opened: No such file or directory"),
            ("server.pem", "none.key", nil, "PEM file of the private key"),
            ("server.pem", "server.key", "none.pem", "PEM file of the certificate of the clients' authority"),
            ("empty.pem", "server.key", nil, "no PEM certificate"), ("broken.pem", "server.key", nil, "no PEM certificate"),
            ("server.key", "server.key", nil, "no PEM certificate"), ("server.pem", "server.pem", nil, "no PEM private key"),
            ("server.pem", "server.key", "empty.pem", "no PEM certificate of an authority"),
            ("server.pem", "client.key", nil, "does not belong to the certificate"),
            ("server.pem", "locked.key", nil, "has a pass phrase"), ("expired.pem", "expired.key", nil, "has expired"),
            (".", "server.key", nil, "cannot be read"), ("/dev/zero", "server.key", nil, "larger than"),
            ("a\0b", "server.key", nil, "no path"),
        ]
        for (certificate, key, authority, words) in cases {
            let tls = HTTPServerTLS(
                certificateFile: certificate.hasPrefix("/") ? certificate : certificates.path(certificate),
                keyFile: certificates.path(key), authorityFile: authority.map(certificates.path))
            let error = #expect(throws: HTTPServerError.self) {
                try HTTPServer(HTTPServerConfiguration(tls: tls), handler: TestHandler())
            }
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        }
    }

    @Test("When a certificate ends")
    func expiry() throws {
        let now = Int(Date().timeIntervalSince1970)
        let server = HTTPServerTLS(certificateFile: certificates.path("server.pem"), keyFile: "")
        #expect(abs(try server.expiry() - now - 3 * 86_400) < 600)
        #expect(throws: HTTPServerError.self) { try HTTPServerTLS(certificateFile: "/dev/null", keyFile: "").expiry() }
    }
}

/// Answers with the peer's name, at once or from a task.
struct PeerHandler: HTTPHandler {
    let seen = SharedCount()

    func immediate(_ head: HTTPRequestHead) -> HTTPResponse? {
        seen.count()
        return head.path == "/now" ? HTTPResponse(text: head.peer ?? "none") : nil
    }

    func bodyLimit(_ head: HTTPRequestHead) -> Int { 0 }

    func respond(to request: HTTPRequest) async -> HTTPResponse { HTTPResponse(text: request.head.peer ?? "none") }
}
