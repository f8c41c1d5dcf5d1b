import CCurl

/// One of libcurl's easy handles with its error text, used for one request after the other.
final class ClientEasy {
    let handle: UnsafeMutableRawPointer
    private let text: UnsafeMutablePointer<CChar>
    private var list: UnsafeMutablePointer<curl_slist>?

    /// Whether the library could be set up; done once in a process.
    static let isLibraryReady = curl_shim_start() == CURLE_OK

    /// Bytes read and sent at once. Larger ones cost more in page faults than they save in calls.
    private static let readSize = 128 * 1024
    private static let sendSize = 256 * 1024

    init?() {
        guard let handle = curl_easy_init() else { return nil }
        self.handle = handle
        text = .allocate(capacity: Int(CURL_ERROR_SIZE))
        text.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(list)
        text.deallocate()
    }

    /// Forgets the request, secrets included; connections stay with the multi handle.
    func clear() {
        curl_easy_reset(handle)
        curl_slist_free_all(list)
        list = nil
        text[0] = 0
    }

    /// Sets everything a request says. The transfer must live until `clear`.
    func prepare(_ transfer: ClientTransfer) throws(HTTPClientError) {
        let request = transfer.request
        try check(request)
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        set(CURLOPT_TCP_NODELAY, 1)
        set(CURLOPT_TCP_KEEPALIVE, 1)
        // Where a name stands for several processes, those that came later would never get a share of the work.
        set(CURLOPT_MAXLIFETIME_CONN, 60)
        set(CURLOPT_BUFFERSIZE, Self.readSize)
        set(CURLOPT_TIMEOUT_MS, max(0, request.timeoutMilliseconds))
        set(CURLOPT_CONNECTTIMEOUT_MS, max(0, request.connectTimeoutMilliseconds))
        set(CURLOPT_SSL_VERIFYPEER, request.verifyTLS ? 1 : 0)
        set(CURLOPT_SSL_VERIFYHOST, request.verifyTLS ? 2 : 0)
        if request.followRedirects > 0 {
            set(CURLOPT_FOLLOWLOCATION, 1)
            set(CURLOPT_MAXREDIRS, min(request.followRedirects, 1000))
        }
        curl_shim_set_offset(handle, CURLOPT_MAXFILESIZE_LARGE, Int(max(1, request.responseLimit)))
        try set(CURLOPT_URL, request.url, "URL")
        let schemes = request.allowedSchemes == ["http", "https"] ? "http,https" : request.allowedSchemes.joined(separator: ",")
        try set(CURLOPT_PROTOCOLS_STR, schemes, "list of allowed schemes")
        try set(CURLOPT_REDIR_PROTOCOLS_STR, schemes, "list of allowed schemes")
        // An empty proxy keeps http_proxy and its like from redirecting what the configuration did not redirect.
        try set(CURLOPT_PROXY, request.proxy ?? "", "proxy")
        try setOptional(CURLOPT_USERNAME, request.username, "user name")
        try setOptional(CURLOPT_PASSWORD, request.password, "password")
        try setOptional(CURLOPT_CAINFO, request.caFile, "file of trusted authorities")
        try setOptional(CURLOPT_SSLCERT, request.certificateFile, "certificate file")
        try setOptional(CURLOPT_SSLKEY, request.keyFile, "key file")
        if request.caFile != nil || request.certificateFile != nil {
            // The library would go on for a day with authorities it has read, and resumed sessions with the certificates before.
            set(CURLOPT_CA_CACHE_TIMEOUT, 0)
            set(CURLOPT_SSL_SESSIONID_CACHE, 0)
        }
        try setOptional(CURLOPT_UNIX_SOCKET_PATH, request.unixSocket, "Unix socket")
        if request.decompress { try set(CURLOPT_ACCEPT_ENCODING, "", "list of encodings") }
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        setMethod(request, context)
        setHeaders(request)
        curl_shim_set_data(handle, CURLOPT_WRITEFUNCTION, clientData)
        curl_shim_set_pointer(handle, CURLOPT_WRITEDATA, context)
        curl_shim_set_data(handle, CURLOPT_HEADERFUNCTION, clientHeader)
        curl_shim_set_pointer(handle, CURLOPT_HEADERDATA, context)
        curl_shim_set_pointer(handle, CURLOPT_ERRORBUFFER, text)
    }

    /// What a finished transfer came to.
    func result(_ code: CURLcode, _ transfer: ClientTransfer) -> Result<HTTPClientResponse, HTTPClientError> {
        if code != CURLE_OK { return .failure(ClientFailure.error(code, String(cString: text), transfer)) }
        let address = curl_shim_get_text(handle, CURLINFO_EFFECTIVE_URL).map { String(cString: $0) } ?? transfer.request.url
        let status = transfer.status == 0 ? curl_shim_get_long(handle, CURLINFO_RESPONSE_CODE) : transfer.status
        return .success(
            HTTPClientResponse(
                status: status, body: transfer.takeBody(), effectiveURL: ClientFailure.withoutUser(address),
                lines: transfer.lines))
    }

    // MARK: Parts of a request

    private func check(_ request: HTTPClientRequest) throws(HTTPClientError) {
        guard request.method != .other else {
            throw .badRequest("the method \"other\" cannot be sent; choose GET, POST or another named one")
        }
        for (name, value) in request.headers {
            guard HTTPText.isToken(name) else {
                throw .badRequest("a header's name has characters HTTP does not allow; use letters, digits and hyphens")
            }
            guard HTTPText.isFieldValue(value) else {
                throw .badRequest("the header \(name) has a line end or control character in its value; remove it")
            }
        }
        guard let colon = request.url.firstIndex(of: ":"), request.url[colon...].hasPrefix("://") else {
            throw .badRequest("the URL has no scheme; write http:// or https:// before the host")
        }
        let scheme = request.url[..<colon].lowercased()
        guard request.allowedSchemes.contains(where: { $0.lowercased() == scheme }) else {
            let allowed = request.allowedSchemes.joined(separator: ", ")
            throw .badRequest("the URL's scheme \"\(scheme.prefix(20))\" is not allowed here; use \(allowed)")
        }
    }

    /// The body goes out from the request's array, which the transfer keeps alive and nobody changes.
    private func setMethod(_ request: HTTPClientRequest, _ context: UnsafeMutableRawPointer) {
        if let content = request.content {
            set(CURLOPT_POST, 1)
            curl_shim_set_offset(handle, CURLOPT_POSTFIELDSIZE_LARGE, content.count)
            curl_shim_set_data(handle, CURLOPT_READFUNCTION, clientBody)
            curl_shim_set_pointer(handle, CURLOPT_READDATA, context)
            curl_shim_set_seek(handle, clientSeek)
            curl_shim_set_pointer(handle, CURLOPT_SEEKDATA, context)
            set(CURLOPT_UPLOAD_BUFFERSIZE, Self.sendSize)
        } else if let body = request.body {
            set(CURLOPT_POST, 1)
            curl_shim_set_offset(handle, CURLOPT_POSTFIELDSIZE_LARGE, body.count)
            body.withUnsafeBytes { bytes in
                _ = curl_shim_set_pointer(handle, CURLOPT_POSTFIELDS, UnsafeMutableRawPointer(mutating: bytes.baseAddress))
            }
            set(CURLOPT_UPLOAD_BUFFERSIZE, min(max(body.count, 16 * 1024), Self.sendSize))
        } else if request.method == .post {
            set(CURLOPT_POST, 1)
            curl_shim_set_offset(handle, CURLOPT_POSTFIELDSIZE_LARGE, 0)
            curl_shim_set_text(handle, CURLOPT_COPYPOSTFIELDS, "")
        }
        switch request.method {
        case .get: if request.body != nil || request.content != nil { curl_shim_set_text(handle, CURLOPT_CUSTOMREQUEST, "GET") }
        case .head: set(CURLOPT_NOBODY, 1)
        case .post: break
        default: curl_shim_set_text(handle, CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        }
    }

    private func setHeaders(_ request: HTTPClientRequest) {
        // No round trip before large bodies; and no type the library makes up.
        add("Expect:")
        var hasType = false
        var hasAgent = false
        for (name, value) in request.headers {
            if HTTPText.same(name.utf8, "content-type".utf8) { hasType = true }
            if HTTPText.same(name.utf8, "user-agent".utf8) { hasAgent = true }
            if HTTPText.same(name.utf8, "content-length".utf8) || HTTPText.same(name.utf8, "transfer-encoding".utf8) { continue }
            add(value.isEmpty ? "\(name);" : "\(name): \(value)")
        }
        if !hasType { add("Content-Type:") }
        if !hasAgent { add("User-Agent: IntelMQ-Fleet") }
        curl_shim_set_list(handle, CURLOPT_HTTPHEADER, list)
    }

    private func add(_ line: String) {
        if let longer = curl_slist_append(list, line) { list = longer }
    }

    private func set(_ option: CURLoption, _ value: Int) { curl_shim_set_long(handle, option, value) }

    private func setOptional(_ option: CURLoption, _ value: String?, _ what: String) throws(HTTPClientError) {
        if let value { try set(option, value, what) }
    }

    private func set(_ option: CURLoption, _ value: String, _ what: String) throws(HTTPClientError) {
        guard !value.utf8.contains(0), curl_shim_set_text(handle, option, value) == CURLE_OK else {
            throw .badRequest("the \(what) cannot be used; check the setting for odd characters and unknown names")
        }
    }
}
