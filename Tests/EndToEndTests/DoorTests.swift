import Foundation
import HTTP
import TestSupport
import Testing

/// Tries to get in.
@Suite(.timeLimit(.minutes(5))) struct DoorTests {
    private static let tokens = [
        "reader": "r-0123456789abcdef", "operator": "o-0123456789abcdef", "sender": "d-0123456789abcdef",
    ]

    private static let configuration = """
        worker: taxonomy-expert
        name: taxonomy
        listen: 127.0.0.1:PORT
        state: FOLDER/state
        edges: ["file://FOLDER/out.ndjson"]
        statusd: {listen: "127.0.0.1:STATUS"}
        tokens:
          - {file: FOLDER/reader, roles: [read]}
          - {file: FOLDER/operator, roles: [operate]}
          - {file: FOLDER/sender, roles: [data]}

        """
    private static let packet = Array(#"{"meta": {"format-name": "IntelMQ-IDF", "version": "3.1"}, "data": []}"#.utf8)

    private func daemon() async throws -> StatusDaemonTests.Daemon {
        let secrets = try Folder()
        for (name, token) in Self.tokens { try secrets.write(name, token + "\n") }
        var text = Self.configuration
        for name in Self.tokens.keys { text = text.replacing("FOLDER/\(name)", with: "\(secrets.path)/\(name)") }
        let daemon = try StatusDaemonTests.Daemon(text)
        try await daemon.isRunning()
        Self.kept.withLock { $0.append(secrets) }
        return daemon
    }

    /// The folders of secrets live as long as the tests.
    private static let kept = Kept()
    private final class Kept: @unchecked Sendable {
        private let lock = NSLock()
        private var folders: [Folder] = []
        func withLock(_ body: (inout [Folder]) -> Void) { lock.withLock { body(&folders) } }
    }

    private func status(
        _ port: Int, _ method: HTTPMethod, _ path: String, _ token: String?, headers: [(String, String)] = []
    ) async throws -> Int {
        var all = headers + [("Content-Type", "application/json")]
        if let token { all.append(("Authorization", "Bearer \(token)")) }
        return try await Program.client.send(
            HTTPClientRequest(
                method: method, url: "http://127.0.0.1:\(port)\(path)", headers: all, body: method == .get ? nil : Self.packet)
        ).status
    }

    @Test func `every role opens its own doors only`() async throws {
        let daemon = try await daemon()
        let (reader, operator_, sender) = (Self.tokens["reader"], Self.tokens["operator"], Self.tokens["sender"])
        let data = daemon.port
        let control = daemon.statusPort
        for path in ["/livez", "/readyz"] {
            #expect(try await status(data, .get, path, nil) == 200)
            #expect(try await status(control, .get, path, nil) == 200)
        }
        // Data: the sender's.
        #expect(try await status(data, .post, "/v1/packets", nil) == 401)
        #expect(try await status(data, .post, "/v1/packets", "wrong-0123456789abcdef") == 401)
        #expect(try await status(data, .post, "/v1/packets", sender.map { String($0.dropLast()) }) == 401)
        #expect(try await status(data, .post, "/v1/packets", "") == 401)
        #expect(try await status(data, .post, "/v1/packets", reader) == 403)
        #expect(try await status(data, .post, "/v1/packets", operator_) == 403)
        #expect(try await status(data, .post, "/v1/packets", sender) == 200)
        // Looking: the reader's and the operator's.
        for (port, path) in [
            (data, "/metrics"), (data, "/readyz?verbose"), (control, "/metrics"), (control, "/v1/status"),
            (control, "/v1/config"), (control, "/v1/logs"), (control, "/v1/dead-letters"),
        ] {
            #expect(try await status(port, .get, path, nil) == 401, "\(path)")
            #expect(try await status(port, .get, path, sender) == 403, "\(path)")
            #expect(try await status(port, .get, path, reader) == 200, "\(path)")
            #expect(try await status(port, .get, path, operator_) == 200, "\(path)")
        }
        // Changing: the operator's.
        for path in ["/v1/pause", "/v1/resume", "/v1/reload", "/v1/restart", "/v1/dead-letters/replay?all=true"] {
            #expect(try await status(control, .post, path, nil) == 401, "\(path)")
            #expect(try await status(control, .post, path, reader) == 403, "\(path)")
            #expect(try await status(control, .post, path, sender) == 403, "\(path)")
            #expect(try await status(control, .post, path, operator_) == 200, "\(path)")
        }
        #expect(try await status(control, .delete, "/v1/dead-letters?all=true", reader) == 403)
    }

    @Test func `GET changes nothing, and web pages of others are not heard`() async throws {
        let daemon = try await daemon()
        let token = Self.tokens["operator"]
        for path in ["/v1/pause", "/v1/stop", "/v1/restart", "/v1/reload", "/v1/log-level?level=trace"] {
            #expect(try await status(daemon.statusPort, .get, path, token) == 405, "\(path)")
        }
        for origin in ["https://example.net", "null", "http://127.0.0.1:1"] {
            #expect(
                try await status(daemon.statusPort, .post, "/v1/pause", token, headers: [("Origin", origin)]) == 403, "\(origin)")
            #expect(
                try await status(daemon.port, .post, "/v1/packets", Self.tokens["sender"], headers: [("Origin", origin)]) == 403)
        }
        let own = [("Origin", "http://127.0.0.1:\(daemon.statusPort)")]
        #expect(try await status(daemon.statusPort, .post, "/v1/resume", token, headers: own) == 200)
        // The worker's control socket is nobody else's.
        let mode =
            try FileManager.default.attributesOfItem(atPath: "\(daemon.folder.path)/state/control.sock")[.posixPermissions]
            as? Int
        #expect(mode == 0o600)
        #expect(try await status(daemon.port, .post, "/v1/pause", token) == 404)
        #expect(
            try await status(
                daemon.statusPort, .get, "/v1/status", token, headers: [("X-Long", String(repeating: "x", count: 200_000))])
                == 431)
    }

    @Test func `a token that is taken out of the configuration opens nothing any more`() async throws {
        let daemon = try await daemon()
        let token = Self.tokens["operator"]
        #expect(try await status(daemon.statusPort, .post, "/v1/resume", token) == 200)
        let text = try String(contentsOfFile: daemon.file, encoding: .utf8)
        let without = text.split(separator: "\n").filter { !$0.contains("operator") }.joined(separator: "\n") + "\n"
        try without.write(toFile: daemon.file, atomically: true, encoding: .utf8)
        #expect(try await status(daemon.statusPort, .post, "/v1/reload", token) == 200)
        #expect(try await status(daemon.statusPort, .post, "/v1/resume", token) == 401)
        #expect(try await status(daemon.statusPort, .get, "/v1/status", Self.tokens["reader"]) == 200)
    }

    @Test func `without tokens a port of statusd takes no foreign names`() async throws {
        let text = Self.configuration.components(separatedBy: "tokens:")[0]
        let daemon = try StatusDaemonTests.Daemon(text)
        try await daemon.isRunning()
        func answer(_ host: String, _ method: HTTPMethod, _ path: String) async throws -> Int {
            try await status(daemon.statusPort, method, path, nil, headers: [("Host", host)])
        }
        for host in ["127.0.0.1:\(daemon.statusPort)", "localhost:1", "[::1]:80"] {
            #expect(try await answer(host, .get, "/v1/status") == 200, "\(host)")
        }
        for host in ["evil.example:\(daemon.statusPort)", "127.0.0.1.evil.example"] {
            #expect(try await answer(host, .get, "/v1/status") == 403, "\(host)")
            #expect(try await answer(host, .post, "/v1/pause") == 403, "\(host)")
        }
    }

    @Test func `a token that changes on disk is in force, and none is ever printed`() async throws {
        let daemon = try await daemon()
        let file = try String(contentsOfFile: daemon.file, encoding: .utf8)
        let path = String(file.firstMatch(of: /file: (\S+sender)/)!.1)
        try "n-0123456789abcdef\n".write(toFile: path, atomically: true, encoding: .utf8)
        try await eventually("the new token") {
            try await status(daemon.port, .post, "/v1/packets", "n-0123456789abcdef") == 200
        }
        #expect(try await status(daemon.port, .post, "/v1/packets", Self.tokens["sender"]) == 401)
        // An emptied file changes nothing.
        try "".write(toFile: path, atomically: true, encoding: .utf8)
        try await eventually("it is told") {
            try String(contentsOfFile: "\(daemon.folder.path)/log", encoding: .utf8).contains("the old one goes on")
        }
        #expect(try await status(daemon.port, .post, "/v1/packets", "n-0123456789abcdef") == 200)
        #expect(try await status(daemon.statusPort, .post, "/v1/pause", Self.tokens["operator"]) == 200)
        var all = try String(contentsOfFile: "\(daemon.folder.path)/log", encoding: .utf8)
        for path in ["/v1/config", "/v1/status", "/v1/spec", "/v1/logs?lines=1000", "/metrics"] {
            all += String(decoding: try await daemon.call(path).body, as: UTF8.self)
        }
        for token in Array(Self.tokens.values) + ["n-0123456789abcdef"] { #expect(!all.contains(token)) }
        // Who did what is in the log.
        #expect(all.contains("by=operator"))
    }

    @Test func `an address of the network wants tokens or certificates`() async throws {
        let folder = try Folder()
        try folder.write("short", "secret\n")
        try folder.write("long", "0123456789abcdef0123456789abcdef\n")
        func check(_ text: String, edge: String = "\"http://127.0.0.1:9\"") async throws -> Program.Result {
            let file = try folder.write(
                "x.yaml",
                "worker: taxonomy-expert\nedges: [EDGE]\n".replacing("EDGE", with: edge.replacing("FOLDER", with: folder.path))
                    + text.replacing("FOLDER", with: folder.path))
            return try await Program.run(["taxonomy-expert", "check", "--config", file])
        }
        #expect(try await check("listen: 0.0.0.0:8080\n").out.contains("add tokens: or tls:"))
        #expect(try await check("listen: 127.0.0.1:8080\nstatusd: {listen: \"0.0.0.0:9080\"}\n").out.contains("x.yaml:4:19"))
        #expect(
            try await check("listen: 0.0.0.0:8080\ntokens: [{file: FOLDER/short, roles: [data]}]\n").out.contains("too short"))
        #expect(
            try await check("listen: 0.0.0.0:8080\ntokens: [{file: FOLDER/none, roles: [data]}]\n").out.contains(
                "cannot read the secret"))
        #expect(
            try await check("listen: 0.0.0.0:8080\ntokens: [{file: FOLDER/long, roles: [admin]}]\n").out.contains(
                "wanted one of read, operate, data"))
        #expect(try await check("listen: 0.0.0.0:8080\ntls: {certificate: a, key: b}\n").code == 78)
        #expect(try await check("listen: 0.0.0.0:8080\ntokens: [{file: FOLDER/long, roles: [data]}]\n").code == 0)
        let plain = try await check("listen: 127.0.0.1:1\n", edge: "{to: \"http://192.0.2.1:80\", token: {file: FOLDER/long}}")
        #expect(plain.out.contains("would travel readable"))
    }

    @Test func `services that know each other by certificate`() async throws {
        let folder = try Folder()
        func openssl(_ arguments: String) throws {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            process.arguments = arguments.split(separator: " ").map(String.init)
            process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
            process.standardError = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0, "\(arguments)")
        }
        try openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=fleet -keyout ca.key -out ca.crt")
        try folder.write("san", "subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        for name in ["first", "second"] {
            try openssl(
                "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=\(name) -keyout \(name).key -out \(name).csr")
            try openssl(
                "x509 -req -in \(name).csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile san -out \(name).crt")
        }
        let ports = Program.freePorts(2)
        func service(_ name: String, _ port: Int, _ edge: String) throws -> Process {
            let file = try folder.write(
                "\(name).yaml",
                """
                worker: taxonomy-expert
                listen: 127.0.0.1:\(port)
                tls: {certificate: \(folder.path)/\(name).crt, key: \(folder.path)/\(name).key, client-ca: \(folder.path)/ca.crt}
                edges: [\(edge)]

                """)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: Program.path)
            process.arguments = ["taxonomy-expert", "serve", "--config", file]
            process.standardError = FileHandle.nullDevice
            try process.run()
            return process
        }
        let second = try service("second", ports[1], "\"file://\(folder.path)/out.ndjson\"")
        defer { second.terminate() }
        let first = try service("first", ports[0], "{to: \"https://localhost:\(ports[1])\", ca: \(folder.path)/ca.crt}")
        defer { first.terminate() }
        func request(certificate: String?) -> HTTPClientRequest {
            HTTPClientRequest(
                method: .post, url: "https://localhost:\(ports[0])/v1/packets", headers: [("Content-Type", "application/json")],
                body: Array(
                    String(decoding: Self.packet, as: UTF8.self).replacing(
                        "[]", with: #"[{"type": "event", "attributes": {"source": {"ip": ["192.0.2.7"]}}}]"#
                    ).utf8), caFile: "\(folder.path)/ca.crt", certificateFile: certificate.map { "\(folder.path)/\($0).crt" },
                keyFile: certificate.map { "\(folder.path)/\($0).key" })
        }
        try await eventually("one with a certificate is let through both") {
            try await Program.client.send(request(certificate: "second")).status == 200
        }
        #expect(try String(contentsOfFile: "\(folder.path)/out.ndjson", encoding: .utf8).contains("192.0.2.7"))
        await #expect(throws: HTTPClientError.self) { try await HTTPClient().send(request(certificate: nil)) }
    }
}
