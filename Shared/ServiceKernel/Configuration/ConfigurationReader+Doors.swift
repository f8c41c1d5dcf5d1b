import YAML

/// What must not be open by accident.
extension ConfigurationReader {
    /// Notes tokens that travel readable, and listeners that anybody may talk to.
    mutating func checkDoors(_ configuration: ServiceConfiguration) {
        guard !configuration.isInsecure else { return }
        let root = document.root
        for edge in configuration.edges where edge.token != nil && edge.to.hasPrefix("http://") {
            guard !Self.isLocal(String(edge.to.dropFirst(7))), let node = root["edges"] else { continue }
            note(
                "the token of the edge \(edge.name) would travel readable for everybody on the way", node,
                "use https://, or say insecure: true if something else protects this way")
        }
        guard configuration.tokens.isEmpty, configuration.tls?.clientAuthority == nil else { return }
        for (listen, node) in [
            (configuration.listen, root["listen"]), (configuration.statusd.listen, root["statusd"]?["listen"]),
        ] {
            guard let listen, let node, !Self.isLocal(listen) else { continue }
            note(
                "listening on \(listen) opens a door to the network without authentication", node,
                "add tokens: or tls: with client-ca:, or listen on 127.0.0.1 or a Unix socket, or say insecure: true if something else guards this address"
            )
        }
    }

    /// Whether an address is of this machine alone.
    package static func isLocal(_ listen: String) -> Bool {
        listen.hasPrefix("unix:") || listen.hasPrefix("127.") || listen.hasPrefix("[::1]") || listen.hasPrefix("localhost:")
    }
}
