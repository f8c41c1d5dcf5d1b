import CCurl

/// Turns libcurl's codes into sentences that name the place and nothing secret.
enum ClientFailure {
    static func error(_ code: CURLcode, _ text: String, _ transfer: ClientTransfer) -> HTTPClientError {
        if let stop = transfer.stop { return stop }
        let request = transfer.request
        let place = place(request)
        let reason = clean(text.isEmpty ? String(cString: curl_easy_strerror(code)) : text)
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
            return .connect("could not find \(place): \(reason); check the name and the resolver")
        case CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED:
            return .connect("could not connect to \(place): \(reason); check that the service runs and listens there")
        case CURLE_OPERATION_TIMEDOUT:
            return .timeout("\(place) did not answer in time: \(reason); raise the time limit if the service is only slow")
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_CACERT_BADFILE,
            CURLE_USE_SSL_FAILED, CURLE_SSL_SHUTDOWN_FAILED, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT:
            return .tls("TLS with \(place) failed: \(reason); \(advice(code, reason, request))")
        case CURLE_FILESIZE_EXCEEDED:
            return .tooLarge(limit: request.responseLimit)
        case CURLE_TOO_MANY_REDIRECTS:
            return .tooManyRedirects(limit: request.followRedirects)
        case CURLE_URL_MALFORMAT:
            return .badRequest("the URL cannot be understood: \(reason); write scheme://host:port/path, percent-encoded")
        case CURLE_UNSUPPORTED_PROTOCOL:
            return .badRequest("\(place) leads to a scheme that is not allowed here: \(reason)")
        case CURLE_SEND_ERROR where reason.contains(" alert "), CURLE_RECV_ERROR where reason.contains(" alert "):
            // With TLS 1.3 a client learns only after its handshake that the server does not want it.
            return .tls("TLS with \(place) failed: \(reason); \(advice(code, reason, request))")
        case CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE:
            return .interrupted(
                "the connection to \(place) broke after \(transfer.received) bytes of answer: \(reason); try again")
        default:
            return .protocol("\(place) did not answer properly: \(reason); check that the address is the right service")
        }
    }

    /// What to do about a failure of TLS.
    private static func advice(_ code: CURLcode, _ reason: String, _ request: HTTPClientRequest) -> String {
        switch true {
        case code == CURLE_SSL_CACERT_BADFILE:
            "check that the file of trusted authorities is there, readable and PEM"
        case code == CURLE_SSL_CERTPROBLEM:
            "check that the client's certificate and key file are there, readable, PEM, and belong to each other"
        case reason.contains(" alert "):
            request.certificateFile == nil
                ? "the server may want a client certificate: give one of an authority it trusts, with its key"
                : "the server refused the client certificate: give one that is valid and of an authority it trusts"
        case reason.contains("subject name"):
            "the certificate is for another name: connect by a name that is in it, or have one made with this name"
        case reason.contains("expired"): "have the server's certificate renewed"
        case reason.contains("not yet valid"): "check the clocks of both machines and the server's certificate"
        case reason.contains("issuer"), reason.contains("self-signed"), reason.contains("self signed"):
            "the certificate's authority is not trusted here: name its certificate as the file of trusted authorities"
        case reason.contains("wrong version number"), reason.contains("packet length too long"):
            "the port does not seem to speak TLS: use http:// or another port"
        case code == CURLE_SSL_CONNECT_ERROR && ["reset", "SYSCALL", "unexpected eof"].contains(where: reason.contains):
            "it broke off in the handshake; if it does not speak TLS use http:// or another port"
        default: "check the certificate, its name and the trusted authorities"
        }
    }

    /// host:port of a request, or the socket's path.
    private static func place(_ request: HTTPClientRequest) -> String {
        if let path = request.unixSocket { return "unix:\(clean(path))" }
        guard let url = curl_url() else { return "the server" }
        defer { curl_url_cleanup(url) }
        guard curl_url_set(url, CURLUPART_URL, request.url, UInt32(CURLU_NON_SUPPORT_SCHEME)) == CURLUE_OK,
            let host = part(url, CURLUPART_HOST)
        else { return "the server" }
        return part(url, CURLUPART_PORT).map { "\(clean(host)):\($0)" } ?? clean(host)
    }

    /// The URL without user and password.
    static func withoutUser(_ address: String) -> String {
        guard address.utf8.contains(UInt8(ascii: "@")), let url = curl_url() else { return address }
        defer { curl_url_cleanup(url) }
        guard curl_url_set(url, CURLUPART_URL, address, UInt32(CURLU_NON_SUPPORT_SCHEME)) == CURLUE_OK else { return "" }
        curl_url_set(url, CURLUPART_USER, nil, 0)
        curl_url_set(url, CURLUPART_PASSWORD, nil, 0)
        return part(url, CURLUPART_URL) ?? ""
    }

    private static func part(_ url: OpaquePointer, _ part: CURLUPart) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(url, part, &text, UInt32(CURLU_DEFAULT_PORT)) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }

    /// A server's words may end up in a terminal or a log: no control characters, no novels.
    private static func clean(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(200).map { $0.value < 32 || $0.value == 127 ? " " : $0 }))
    }
}
