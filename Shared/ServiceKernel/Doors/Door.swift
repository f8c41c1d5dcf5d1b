package import HTTP
import IDF
import Logging

/// Decides whether a request may come in.
public struct Door: Sendable {
    private let tokens: [AccessToken]
    private let peerRoles: [AccessRole]?
    private let isUnixSocket: Bool
    /// Whether only names of this machine itself are taken, where nothing else guards the door.
    private let isStrict: Bool

    /// Whether everybody may do everything: a loopback address or a socket whose file decides, and no tokens.
    let isOpen: Bool

    /// - Parameters:
    ///   - tokens: what callers may show.
    ///   - tls: its `client-ca` makes a certificate count as a token.
    ///   - listen: a Unix socket's file decides by itself who may open it.
    ///   - operates: whether calls come in here that operate a service.
    package init(tokens: [AccessToken], tls: TLSConfiguration?, listen: String?, operates: Bool = false) {
        self.tokens = tokens
        peerRoles = tls?.clientAuthority == nil ? nil : tls?.clientRoles
        isUnixSocket = listen?.hasPrefix("unix:") == true
        isOpen = tokens.isEmpty && peerRoles == nil
        isStrict = isOpen && operates && !isUnixSocket && ConfigurationReader.isLocal(listen ?? "")
    }

    /// The answer to a request that may not come in: 401 without a token that is known, 403 when its role is not enough; nil where
    /// it may.
    /// - Parameters:
    ///   - role: what the call needs; nil: nothing.
    ///   - log: told of attempts to change something.
    package func refusal(_ head: HTTPRequestHead, as role: AccessRole?, log: Log? = nil) -> HTTPResponse? {
        guard let role, case .failure(let refusal) = admit(head, as: role) else { return nil }
        if head.method.route != .get {
            log?.warning(
                "refused", metadata: ["call": "\(head.method.rawValue) \(head.path)", "status": "\(refusal.problem.status)"])
        }
        return refusal.response
    }

    /// The name of who sends a request, for the log; to be asked before the work, since the token may change meanwhile.
    package func caller(_ head: HTTPRequestHead, as role: AccessRole?) -> String {
        role.flatMap { try? admit(head, as: $0).get() } ?? "unknown"
    }

    /// The name of who asks, or why not.
    private func admit(_ head: HTTPRequestHead, as role: AccessRole) -> Result<String, Refusal> {
        if let refusal = crossSite(head) ?? rebound(head) { return .failure(refusal) }
        guard !isOpen else { return .success(isUnixSocket ? "socket" : "loopback") }
        var known: (name: String, roles: [AccessRole])?
        if let sent = bearer(head) {
            // Every token is compared, so that the time says nothing about which was near.
            for token in tokens where Self.isSame(sent, Array(token.file.revealed.utf8)) { known = (token.name, token.roles) }
        }
        if known == nil, let peerRoles, let peer = head.peer { known = (peer, peerRoles) }
        guard let known else {
            return .failure(
                Refusal(
                    problem: Problem(
                        401, "unauthenticated",
                        "no known token: send the header  Authorization: Bearer TOKEN  (tokens: in the configuration of the service)"
                    ),
                    headers: [("WWW-Authenticate", "Bearer realm=\"intelmq\"")]))
        }
        guard known.roles.contains(where: { $0.includes(role) }) else {
            return .failure(
                Refusal(
                    problem: Problem(
                        403, "missing-role",
                        "\(known.name) has the roles \(known.roles.map(\.rawValue).joined(separator: ", ")); this call needs \(role.rawValue)"
                    )))
        }
        return .success(known.name)
    }

    /// Why a request stays outside.
    private struct Refusal: Error {
        let problem: Problem
        var headers: [(name: String, value: String)] = []

        var response: HTTPResponse {
            var answer = HTTPResponse.problem(problem)
            answer.headers += headers
            return answer
        }
    }

    private func bearer(_ head: HTTPRequestHead) -> [UInt8]? {
        guard let header = head.header("Authorization"), header.prefix(7).lowercased() == "bearer " else { return nil }
        return Array(header.dropFirst(7).trimmed.utf8)
    }

    /// A web page that somebody of this machine looks at must not operate a fleet: its browser names the page's origin.
    private func crossSite(_ head: HTTPRequestHead) -> Refusal? {
        guard head.method.route != .get, let origin = head.header("Origin") else { return nil }
        let own = head.header("Host") ?? ""
        guard origin != "http://\(own)", origin != "https://\(own)" else { return nil }
        return Refusal(problem: Problem(403, "cross-site", "requests of web pages from \(origin.prefix(100)) are not taken here"))
    }

    /// A web page may make its own name stand for this machine's loopback address; its browser still sends the name.
    private func rebound(_ head: HTTPRequestHead) -> Refusal? {
        guard isStrict, let sent = head.header("Host"), !sent.isEmpty else { return nil }
        let host = sent.hasPrefix("[") ? "[" + sent.dropFirst().prefix { $0 != "]" } + "]" : String(sent.prefix { $0 != ":" })
        let isAddress = host.hasPrefix("[") || host.utf8.allSatisfy { $0 == 0x2E || $0 >= 0x30 && $0 <= 0x39 }
        guard !isAddress, host.lowercased() != "localhost" else { return nil }
        return Refusal(
            problem: Problem(
                403, "foreign-host",
                "without tokens only requests to this machine's address or to localhost are taken, found \(host.prefix(100))"))
    }

    /// Compares in a time that depends on the length of what was sent only.
    static func isSame(_ sent: [UInt8], _ wanted: [UInt8]) -> Bool {
        var difference: UInt8 = sent.count == wanted.count ? 0 : 1
        for (index, byte) in sent.enumerated() { difference |= byte ^ wanted[index % max(1, wanted.count)] }
        return difference == 0 && !wanted.isEmpty
    }
}
