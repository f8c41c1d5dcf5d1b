import CMicroHTTPD
import Synchronization

/// The credentials a server gives to new connections.
final class ServerTLS: Sendable {
    private let files: HTTPServerTLS
    private let current: Mutex<ServerCredentials>

    init(_ files: HTTPServerTLS) throws(HTTPServerError) {
        self.files = files
        current = Mutex(try ServerCredentials(files))
    }

    /// Reads the files anew; on failure everything stays as it was.
    func reload() throws(HTTPServerError) {
        let fresh = try ServerCredentials(files)
        current.withLock { $0 = fresh }
    }

    /// Gives a connection that has just opened its credentials, which it must hold until it is closed: only then the library has
    /// ended the session that uses them. Without them the handshake fails.
    func adopt(_ connection: OpaquePointer) -> ServerCredentials? {
        guard let session = mhd_tls_session(connection) else { return nil }
        let credentials = current.withLock { $0 }
        return tls_adopt(session, credentials.handle, credentials.isMutual ? 1 : 0) == 0 ? credentials : nil
    }

    /// What the certificate calls the peer.
    static func peer(_ connection: OpaquePointer) -> String? {
        guard let session = mhd_tls_session(connection) else { return nil }
        let room = 2048
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 2 * room) { buffer in
            guard let name = buffer.baseAddress else { return nil }
            var counts = (name: room, alternative: room)
            var kind: UnsafePointer<CChar>?
            tls_peer_names(session, name, &counts.name, name + room, &counts.alternative, &kind)
            var parts: [String] = []
            if counts.name > 0 { parts.append("CN=" + escaped(name, counts.name, isEncoded: true)) }
            if counts.alternative > 0, let kind {
                parts.append(String(cString: kind) + "=" + escaped(name + room, counts.alternative, isEncoded: false))
            }
            return parts.isEmpty ? "unnamed" : parts.joined(separator: ",")
        }
    }

    /// A name as RFC 4514 writes it, so that none can look like two and none breaks a line of a log; GnuTLS has encoded the common
    /// name already, but for control characters.
    private static func escaped(_ text: UnsafePointer<CChar>, _ count: Int, isEncoded: Bool) -> String {
        var bytes: [UInt8] = []
        for byte in UnsafeBufferPointer(start: text, count: count).lazy.map(UInt8.init(bitPattern:)) {
            if byte < 32 || byte == 127 {
                bytes += [92, digit(byte >> 4), digit(byte & 15)]
            } else {
                if !isEncoded, "\"+,;<>\\".utf8.contains(byte) { bytes.append(92) }
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 55 + value }
}
