import Foundation

/// Authorities and what they have certified, made with the `openssl` command in a temporary folder that goes away with this.
final class Certificates: Sendable {
    let folder: String

    /// Two authorities, `ca` and `other`; the first one has certified `server` (localhost and 127.0.0.1, serial 7) and `client`, the
    /// other `stranger`.
    init() async throws {
        folder = FileManager.default.temporaryDirectory.path + "/http-tls-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in ["ca", "other"] {
            try await openssl("req -x509 \(Self.key) -keyout \(name).key -out \(name).pem -days 3 -subj '/CN=Authority \(name)'")
        }
        try await make("server", subject: "/CN=localhost", names: "DNS:localhost,IP:127.0.0.1", serial: 7)
        try await make(
            "client", subject: "/O=Fleet/CN=probe, one", names: "email:a@probe.example,URI:spiffe://fleet/probe,DNS:probe.example"
        )
        try await make("stranger", subject: "/CN=probe", authority: "other")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private static let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// A certificate NAME.pem and its key NAME.key.
    func make(
        _ name: String, subject: String, names: String? = nil, authority: String = "ca", days: Int = 3, serial: Int = 1,
        purpose: String? = nil
    ) async throws {
        var extensions = names.map { " -addext 'subjectAltName=\($0)'" } ?? ""
        if let purpose { extensions += " -addext extendedKeyUsage=\(purpose)" }
        try await openssl("req -new \(Self.key) -keyout \(name).key -out \(name).csr -subj '\(subject)'\(extensions)")
        try await openssl(
            "x509 -req -in \(name).csr -CA \(authority).pem -CAkey \(authority).key -days \(days) -set_serial \(serial) "
                + "-copy_extensions copyall -out \(name).pem")
    }

    func write(_ text: String, to name: String) throws { try text.write(toFile: path(name), atomically: true, encoding: .utf8) }

    func copy(_ name: String, to other: String) throws {
        try Data(contentsOf: URL(fileURLWithPath: path(name))).write(to: URL(fileURLWithPath: path(other)), options: .atomic)
    }

    func openssl(_ arguments: String) async throws {
        let (status, output) = try await shell("openssl \(arguments)")
        guard status == 0 else { throw Failure(text: "openssl \(arguments): \(output)") }
    }

    /// Runs a command in the folder: its exit status and everything it printed.
    func shell(_ command: String) async throws -> (status: Int32, output: String) {
        // On a thread of its own: waiting here would hold up the tasks of the servers under test.
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try self.run(command) }) }
        }
    }

    private func run(_ command: String) throws -> (status: Int32, output: String) {
        guard let pipe = popen("cd '\(folder)' && { \(command)\n} </dev/null 2>&1", "re") else {
            throw Failure(text: "no shell for: \(command)")
        }
        var output: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&part, 1, part.count, pipe), count > 0 { output += part[..<count] }
        return (pclose(pipe), String(decoding: output, as: UTF8.self))
    }

    struct Failure: Error { let text: String }
}
