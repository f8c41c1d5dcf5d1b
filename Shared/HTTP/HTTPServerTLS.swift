/// The files a server speaks TLS (1.2 and 1.3) with; all are PEM and read at the start and by `HTTPServer.reloadTLS`.
public struct HTTPServerTLS: Sendable {
    /// The server's certificate, followed by those between it and the authority its clients trust.
    public var certificateFile: String
    /// The certificate's private key, without a pass phrase.
    public var keyFile: String
    /// The authorities of clients. With it TLS is mutual: a peer without a certificate of one of them, or with one that is expired or
    /// not meant for clients, is refused in the handshake.
    public var authorityFile: String?

    /// The files; nothing is read yet.
    public init(certificateFile: String, keyFile: String, authorityFile: String? = nil) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.authorityFile = authorityFile
    }

    /// When the certificate in `certificateFile` ends, in seconds since 1970; the file is read by every call.
    ///
    /// - Throws: when there is no PEM certificate in the file.
    public func expiry() throws(HTTPServerError) -> Int {
        try ServerCredentials.expiry(of: ServerCredentials.read(certificateFile, "certificate"), in: certificateFile)
    }
}
