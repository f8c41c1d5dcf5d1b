import CMicroHTTPD
import Glibc

/// What `HTTPServerTLS` names, read into GnuTLS; never changed afterwards, which is when GnuTLS allows many threads.
final class ServerCredentials: @unchecked Sendable {
    let handle: OpaquePointer
    let isMutual: Bool

    /// More than any chain or bundle of authorities.
    private static let sizeLimit = 4 << 20

    init(_ tls: HTTPServerTLS) throws(HTTPServerError) {
        let chain = try Self.read(tls.certificateFile, "certificate")
        let key = try Self.read(tls.keyFile, "private key")
        let end = try Self.expiry(of: chain, in: tls.certificateFile)
        guard end > time(nil) else {
            throw .tls(file: tls.certificateFile, reason: "the certificate has expired; put a renewed one there, with its key")
        }
        let keyCode = tls_read_key(key, key.count)
        guard keyCode == 0 else { throw .tls(file: tls.keyFile, reason: Self.keyReason(keyCode)) }
        let authorities = try tls.authorityFile.map { name throws(HTTPServerError) in
            (file: name, text: try Self.read(name, "certificate of the clients' authority"))
        }
        var credentials: OpaquePointer?
        guard gnutls_certificate_allocate_credentials(&credentials) == 0, let credentials else {
            throw .tls(file: tls.certificateFile, reason: "GnuTLS has no memory for it; free some and try again")
        }
        handle = credentials
        isMutual = authorities != nil
        let pairCode = tls_set_pair(handle, chain, chain.count, key, key.count)
        guard pairCode == 0 else {
            let reason =
                pairCode == GNUTLS_E_CERTIFICATE_KEY_MISMATCH
                ? "the key does not belong to the certificate in \(tls.certificateFile); put the key there the certificate was made for"
                : "key and certificate cannot be used: \(Self.text(pairCode)); check that both are complete"
            throw .tls(file: tls.keyFile, reason: reason)
        }
        if let authorities {
            let code = tls_set_authorities(handle, authorities.text, authorities.text.count)
            guard code == 0 else {
                throw .tls(
                    file: authorities.file,
                    reason: "no PEM certificate of an authority could be read from it: \(Self.text(code)); "
                        + "put the authority's certificate there (-----BEGIN CERTIFICATE-----)")
            }
        }
    }

    deinit { gnutls_certificate_free_credentials(handle) }

    static func expiry(of chain: [UInt8], in file: String) throws(HTTPServerError) -> Int {
        var end: Int64 = 0
        let code = tls_read_chain(chain, chain.count, &end)
        guard code == 0 else {
            throw .tls(
                file: file,
                reason: "no PEM certificate could be read from it: \(text(code)); "
                    + "put the server's certificate there, then those of its authorities (-----BEGIN CERTIFICATE-----)")
        }
        return Int(end)
    }

    static func read(_ path: String, _ what: String) throws(HTTPServerError) -> [UInt8] {
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw .tls(file: path, reason: "this is no path of a file; name the PEM file of the \(what)")
        }
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            throw .tls(
                file: path, reason: "the file cannot be opened: \(systemReason(errno)); put the PEM file of the \(what) there")
        }
        defer { close(file) }
        var bytes: [UInt8] = []
        while bytes.count <= sizeLimit {
            let before = bytes.count
            var count = 0
            bytes.append(contentsOf: repeatElement(0, count: 16 * 1024))
            bytes.withUnsafeMutableBytes { count = Glibc.read(file, $0.baseAddress.map { $0 + before }, 16 * 1024) }
            bytes.removeLast(16 * 1024 - max(0, count))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw .tls(
                    file: path, reason: "the file cannot be read: \(systemReason(errno)); name the PEM file of the \(what)")
            }
            if count == 0 { return bytes }
        }
        throw .tls(file: path, reason: "the file is larger than \(sizeLimit) bytes; name the PEM file of the \(what)")
    }

    private static func keyReason(_ code: Int32) -> String {
        switch code {
        case GNUTLS_E_DECRYPTION_FAILED:
            "the private key has a pass phrase, which a server cannot type; "
                + "store it without one (openssl pkey -in FILE -out NEWFILE), readable by the service only"
        default:
            "no PEM private key could be read from it: \(text(code)); "
                + "put the certificate's key there (-----BEGIN PRIVATE KEY-----)"
        }
    }

    private static func text(_ code: Int32) -> String { String(cString: gnutls_strerror(code)) }
}
